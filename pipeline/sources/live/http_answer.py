"""What an HTTP camera answers where FFmpeg finds no stream in it."""

from __future__ import annotations

import re
import ssl
import time
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import unquote, urlsplit, urlunsplit

__all__ = ["HttpAnswer", "what_answers"]

MAX_BYTES = 4_000_000
JPEG_START, JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"
NEXT_JPEG = re.compile(JPEG_END + rb".{0,1000}?" + JPEG_START, re.DOTALL)
BUSY = 503


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What came.

    Attributes:
        is_pictures: Whether JPEG pictures follow each other in it.
        fault: What is wrong with it, ``None`` where nothing is known.
    """

    is_pictures: bool = False
    fault: str | None = None


def what_answers(address: str, *, timeout_s: float) -> HttpAnswer:
    """Ask once more, and look at what comes: at most 4 MB, for about ``timeout_s``.

    Args:
        address: ``http://`` or ``https://``, its login percent-encoded; redirects to these are
            followed, and no proxy is used.
        timeout_s: Time to wait.
    """
    try:
        with _request(address, timeout_s) as response:
            kind = response.headers.get_content_type()
            start, has_ended = _read(response, timeout_s)
    except HTTPError as error:
        with error:
            if error.code == BUSY:
                return HttpAnswer(fault="the camera is busy (503): does another program watch it?")
            return HttpAnswer(fault=f"the camera answers with an error ({error.code})")
    except (OSError, HTTPException, ValueError):
        return HttpAnswer()
    return _judged(kind, start, has_ended=has_ended)


def _judged(kind: str, start: bytes, *, has_ended: bool) -> HttpAnswer:
    if JPEG_START in start:
        if has_ended and NEXT_JPEG.search(start) is None:
            text = "it sends one picture, not a stream: give the address of the stream"
            return HttpAnswer(fault=text)
        return HttpAnswer(is_pictures=True)
    if kind in {"text/html", "application/xhtml+xml"} or start.lstrip()[:1] == b"<":
        text = f"it answers with a web page ({kind}): log in, or check the path of the address"
    elif start:
        text = f"it answers with something that is no video ({kind})"
    else:
        text = "it answers, but sends nothing"
    return HttpAnswer(fault=text)


def _request(address: str, timeout_s: float) -> Any:
    parts = urlsplit(address)
    place = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    logins = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    logins.add_password(None, place, unquote(parts.username or ""), unquote(parts.password or ""))
    # Cameras sign their certificates themselves.
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}),
        urllib.request.HTTPSHandler(context=trusting),
        urllib.request.HTTPBasicAuthHandler(logins),
        urllib.request.HTTPDigestAuthHandler(logins),
    )
    return opener.open(place, timeout=timeout_s)


def _read(response: Any, timeout_s: float) -> tuple[bytes, bool]:
    """Return what comes up to the second picture, and whether it ended there."""
    content = b""
    until_s = time.monotonic() + timeout_s
    while len(content) < MAX_BYTES and time.monotonic() < until_s:
        try:
            part = response.read1(65_536)
        except TimeoutError:
            break
        if not part:
            return content, True
        content += part
        if NEXT_JPEG.search(content) is not None:
            break
    return content, False
