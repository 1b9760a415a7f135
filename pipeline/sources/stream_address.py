"""Addresses of network streams, which carry passwords that must not be shown."""

from __future__ import annotations

import re
from collections.abc import Collection
from urllib.parse import quote, unquote

__all__ = [
    "encoded",
    "is_stream_address",
    "public_part",
    "redact",
    "secrets_of",
    "shown_source",
]

HIDDEN = "***"
MIN_SECRET_LENGTH = 4
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
HOST = re.compile(
    r"(?P<name>\[[0-9A-Fa-f:.%]+\]|[A-Za-z0-9_.-]+)(?P<port>:\d{1,5})?(?=[/?]|$)", re.ASCII
)
ESCAPED = re.compile(r"%(?![0-9A-Fa-f]{2})")


def is_stream_address(source: str) -> bool:
    """Return whether a source is an address (``rtsp://...``) and not a path."""
    return SCHEME.match(source) is not None


def encoded(address: str) -> str:
    """Return an address whose login is percent-encoded, as those who open it need it.

    Passwords hold ``#``, ``/``, ``?`` and ``@``, which mean something else in an address. What
    stands before an ``@`` is the login where a host follows, and where the address cannot be
    read without it. What is encoded already stays as it is.
    """
    scheme = SCHEME.match(address)
    if scheme is None:
        return address
    rest = address[scheme.end() :]
    place = _end_of_login(rest)
    if place < 0:
        return address
    user, colon, password = rest[:place].partition(":")
    return f"{scheme[0]}{_quoted(user)}{colon}{_quoted(password)}{rest[place:]}"


def _end_of_login(rest: str) -> int:
    """Return where the ``@`` behind the login is, -1 where an address has no login."""
    hosts = {at: host for at, sign in enumerate(rest) if sign == "@" and (host := _host(rest, at))}
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    first = HOST.match(rest)
    for place, host in hosts.items():
        # `host:554/a@b.c` is a path; `user:554/a@b.c` and all with a fragment is a password.
        is_path = first is not None and (first["port"] is None or _is_surely_host(first, port=""))
        is_login = place < len(authority) or "#" in rest[:place] or not is_path
        if is_login and _is_surely_host(host, port=host["port"]):
            return place
    if "@" in authority:
        return authority.rindex("@")
    return max(hosts, default=-1) if first is None else -1


def _host(rest: str, place: int) -> re.Match[str] | None:
    return HOST.match(rest, place + 1)


def _is_surely_host(host: re.Match[str], *, port: str | None) -> bool:
    name = host["name"]
    return "." in name or name.startswith("[") or name == "localhost" or bool(port)


def _without_scheme(address: str) -> str:
    scheme = SCHEME.match(address)
    return address if scheme is None else address[scheme.end() :]


def _quoted(text: str) -> str:
    return quote(ESCAPED.sub("%25", text), safe="%!$&'()*+,;=-._~")


def public_part(address: str) -> str:
    """Return host, port and path of an address, without user, password and query.

    Everything up to the last ``@`` is dropped, because passwords with ``@``, ``/`` or ``?``
    in them are common and no parser of addresses gets all of them right.
    """
    rest = _without_scheme(address).rsplit("@", 1)[-1]
    return re.split(r"[?#&;=]", rest, maxsplit=1)[0].rstrip("/")


def shown_source(source: str) -> str:
    """Return a source as messages may show it: a path whole, an address without secrets."""
    return public_part(source) if is_stream_address(source) else source


def secrets_of(address: str) -> set[str]:
    """Return what of an address must not be shown: its password, and values of its query.

    As written, and with and without percent-encoding. What is shorter than four characters is
    left out, as replacing it would garble every text; ``redact`` still finds it in an address.
    Empty for a path.
    """
    if not is_stream_address(address):
        return set()
    rest = _without_scheme(address)
    login, _, place = rest.rpartition("@")
    found = {login, login.partition(":")[2]}
    query = re.split(r"[?#&;]", place)[1:]
    found |= {each.partition("=")[2] or each for each in query}
    found |= {unquote(each) for each in found} | {quote(unquote(each), safe="") for each in found}
    return {each for each in found if len(each) >= MIN_SECRET_LENGTH}


def redact(text: str, secrets: Collection[str]) -> str:
    """Return a text in which every secret is replaced by ``***``, longer ones first.

    Whatever stands like a login in an address is replaced too, known or not.
    """
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return re.sub(r"(://)\S*@", rf"\1{HIDDEN}@", text)
