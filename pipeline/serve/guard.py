"""Checks of every request: host, origin, size, token."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.serve.access import Access, Verdict, Visitor
from pipeline.serve.audit import AuditLog
from pipeline.serve.users import Role

__all__ = ["COOKIE", "Guard", "bare_host", "cookie_of"]

COOKIE = "reid_pipeline_login"
MAX_BODY_BYTES = 65_536
"""No request of the page or the API needs more, but those that bring a picture."""
MAX_PICTURE_BYTES = 10_000_000
PICTURE_PATHS = frozenset({"/api/watch/picture", "/api/search/picture"})
READS = frozenset({"GET", "HEAD", "OPTIONS"})
ADMIN_PATHS = frozenset({"/api/audit"})
"""What only admins may ask for."""
FORGET = re.compile(r"/api/people/[^/]*/?")
"""What only admins may delete."""
OPEN_PATHS = frozenset({"/login", "/static/app.css", "/static/icon.svg"})
"""What is shown to those who have not said the token yet: how to say it."""
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self'; "
        "connect-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; "
        "base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not `no-referrer`, with which browsers send the login form with the origin `null`.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}


class Guard:
    """ASGI middleware: host names, origins, sizes, tokens, and headers that limit browsers.

    Args:
        app: What it guards.
        access: Who may come in.
        audit: Where everything that is more than looking is noted.
        hosts: Names and addresses by which the page may be asked for.
    """

    def __init__(
        self, app: ASGIApp, *, access: Access, audit: AuditLog, hosts: Sequence[str]
    ) -> None:
        self._app = app
        self._access = access
        self._audit = audit
        self._hosts = {host.lower().strip("[]") for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer why not."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return

        headers = Headers(scope=scope)
        visitor, refusal = self._visitor(scope, headers)
        scope.setdefault("state", {})["visitor"] = visitor

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._note(scope, visitor, message["status"])
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        answer = self._refusal(scope, headers, visitor, refusal)
        await (answer or self._app)(scope, receive, send_with_headers)

    def _refusal(
        self, scope: Scope, headers: Headers, visitor: Visitor | None, refusal: Response | None
    ) -> Response | None:
        return (
            self._check_host(scope, headers)
            or (None if scope["method"] in READS else self._check_write(scope["path"], headers))
            or refusal
            or self._check_role(scope, visitor)
        )

    def _note(self, scope: Scope, visitor: Visitor | None, status: int) -> None:
        """Note what is more than looking; sign-ins note themselves, as they know the name."""
        is_look = scope["method"] in READS and scope["path"] not in ADMIN_PATHS
        if not is_look and scope["path"] != "/login":
            self._audit.note(
                user="" if visitor is None else visitor.name,
                address=_address(scope),
                action=f"{scope['method']} {scope['path'][:300]}",
                status=status,
            )

    def _check_role(self, scope: Scope, visitor: Visitor | None) -> Response | None:
        """Refuse what somebody's role may not do; whatever changes something takes an operator."""
        path = scope["path"]
        needed = Role.VIEWER if scope["method"] in READS else Role.OPERATOR
        if path in ADMIN_PATHS or (scope["method"] == "DELETE" and FORGET.fullmatch(path)):
            needed = Role.ADMIN
        if path in {"/login", "/logout", *OPEN_PATHS} or visitor is None:
            return None
        if visitor.role.includes(needed):
            return None
        return _refuse(403, f"this takes the role {needed}, and {visitor.name} is {visitor.role}")

    def _check_host(self, scope: Scope, headers: Headers) -> Response | None:
        """Refuse names that are not ours: a stranger's page could make its own name lead here."""
        host = bare_host(headers.get("host", ""))
        # The address that the client did connect to is no name that anybody could redirect.
        server = (scope.get("server") or ("",))[0]
        if host in self._hosts or (host == server and _is_address(host)):
            return None
        return _refuse(
            421, "this host name is not allowed here: add it to the setting web.allowed_hosts"
        )

    def _check_write(self, path: str, headers: Headers) -> Response | None:
        """Refuse what pages of others make a browser send, and what is too large."""
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        is_ours = site in (None, "same-origin", "none") and (
            origin is None or urlsplit(origin).netloc == headers.get("host")
        )
        if not is_ours:
            return _refuse(403, "only this page itself may change anything")
        length = headers.get("content-length", "0")
        if "transfer-encoding" in headers or not length.isdecimal():
            return _refuse(411, "a request that changes something states its length")
        most = MAX_PICTURE_BYTES if path in PICTURE_PATHS else MAX_BODY_BYTES
        if int(length) > most:
            return _refuse(413, f"this request has at most {most} bytes")
        return None

    def _visitor(self, scope: Scope, headers: Headers) -> tuple[Visitor | None, Response | None]:
        """Return who asks, or else why they are not let in; open pages let everybody in."""
        visitor = self._access.visitor_of(cookie_of(headers))
        if visitor is not None:
            return visitor, None
        if scope["path"] in OPEN_PATHS:
            return None, None
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            verdict, visitor = self._access.try_token(token.strip(), _address(scope))
            if verdict == Verdict.WELCOME:
                return visitor, None
            if verdict == Verdict.TOO_MANY:
                return None, _refuse(429, "too many wrong tokens: wait a minute")
        if scope["path"] == "/" and scope["method"] == "GET":
            return None, RedirectResponse("/login", 303)
        answer = _refuse(
            401, "a token is needed: send Authorization: Bearer TOKEN, or log in on the page"
        )
        answer.headers["WWW-Authenticate"] = 'Bearer realm="reid-pipeline"'
        return None, answer


def bare_host(host: str) -> str:
    """Return the name or address in a Host header, without port and brackets."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def cookie_of(headers: Headers) -> str:
    """Return the login that a request brings, empty where it brings none."""
    try:
        cookies: SimpleCookie = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return ""
    return cookies[COOKIE].value if COOKIE in cookies else ""


def _address(scope: Scope) -> str:
    return str((scope.get("client") or ("",))[0])


def _refuse(status: int, why: str) -> Response:
    return JSONResponse({"detail": why}, status)
