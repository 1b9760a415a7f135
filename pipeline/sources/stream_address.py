"""Addresses of network streams, which carry passwords that must not be shown."""

from __future__ import annotations

import re
from collections.abc import Collection
from urllib.parse import quote, unquote

__all__ = ["is_stream_address", "public_part", "redact", "secrets_of", "shown_source"]

HIDDEN = "***"
MIN_SECRET_LENGTH = 4
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def is_stream_address(source: str) -> bool:
    """Return whether a source is an address (``rtsp://...``) and not a path."""
    return SCHEME.match(source) is not None


def public_part(address: str) -> str:
    """Return host, port and path of an address, without user, password and query.

    Everything up to the last ``@`` is dropped, because passwords with ``@``, ``/`` or ``?``
    in them are common and no parser of addresses gets all of them right.
    """
    rest = SCHEME.sub("", address, count=1).rsplit("@", 1)[-1]
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
    rest = SCHEME.sub("", address, count=1)
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
