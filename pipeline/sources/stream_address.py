"""Addresses of network streams, which carry passwords that must not be shown."""

from __future__ import annotations

import re

__all__ = ["is_stream_address", "public_part", "shown_source"]

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
