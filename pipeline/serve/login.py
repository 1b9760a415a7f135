"""Signing in and out."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse

from pipeline.serve.access import VALID_S, Access, Verdict, Visitor
from pipeline.serve.audit import AuditLog
from pipeline.serve.guard import COOKIE, cookie_of

__all__ = ["add_login"]

PAGE = Path(__file__).parent / "page"
MESSAGE_PLACE, FORM_PLACE = "<!-- message -->", "<!-- form -->"
MESSAGES = {
    Verdict.WRONG: "This is not the token. Ask whoever runs this system.",
    Verdict.TOO_MANY: "Too many wrong tokens. Wait a minute, then try again.",
}
USER_MESSAGES = {
    Verdict.WRONG: "Name or password are wrong.",
    Verdict.TOO_MANY: "Too many wrong passwords. Wait a minute, then try again.",
}


def add_login(app: FastAPI, access: Access, audit: AuditLog) -> None:
    """Add the pages at which people sign in and out.

    Args:
        app: To add them to.
        access: Knows who may come in.
        audit: Where sign-ins are noted.
    """
    form = (PAGE / "login.html").read_text(encoding="utf-8")
    fields = (PAGE / ("login_user.html" if access.has_users else "login_token.html")).read_text(
        encoding="utf-8"
    )
    form = form.replace(FORM_PLACE, fields)
    messages = USER_MESSAGES if access.has_users else MESSAGES

    def show(message: str, status: int) -> Response:
        return Response(form.replace(MESSAGE_PLACE, message), status, media_type="text/html")

    def check(sent: dict[str, list[str]], address: str) -> tuple[str, Visitor | None]:
        first = {name: values[0].strip() for name, values in sent.items()}
        if access.has_users and "name" in first:
            return access.try_password(first["name"], first.get("password", ""), address)
        return access.try_token(first.get("token", ""), address)

    @app.get("/login", include_in_schema=False)
    def ask() -> Response:
        return show("", 200) if access.is_needed else RedirectResponse("/", 303)

    @app.post("/login", include_in_schema=False)
    async def log_in(request: Request) -> Response:
        sent = parse_qs((await request.body()).decode("utf-8", "replace"))
        address = request.client.host if request.client else ""
        # Hashing a password takes a while, on purpose.
        verdict, visitor = await run_in_threadpool(check, sent, address)
        name = visitor.name if visitor is not None else sent.get("name", [""])[0][:60]
        status = {Verdict.WELCOME: 303, Verdict.WRONG: 403}.get(verdict, 429)
        audit.note(user=name, address=address, action="sign in", status=status)
        if visitor is None:
            return show(messages[verdict], status)
        answer = RedirectResponse("/", 303)
        answer.set_cookie(
            COOKIE,
            access.cookie(visitor),
            max_age=VALID_S,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return answer

    @app.post("/logout", include_in_schema=False)
    def log_out(request: Request) -> Response:
        access.end(cookie_of(request.headers))
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return answer
