"""Noticing that a camera can be reached again, long before its next attempt is due."""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from urllib.parse import urlsplit

from pipeline.sources.stream_address import is_stream_address, public_part

__all__ = ["Doorbell"]

PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
RING_S = 2.0
"""Time between two tries."""
ANSWER_S = 0.5
"""Time for an answer; cameras are near."""


class Doorbell:
    """Tells when an address begins to accept connections.

    Only a connection is opened and closed, so no session of the camera is used up, and no
    password is sent. Cameras named by host name are not tried: asking for the name can hang.

    Args:
        source: Of the camera; other sources than network addresses never ring.
    """

    def __init__(self, source: str) -> None:
        self._place = _place_of(source)

    def wait(self, stopping: threading.Event, pause_s: float) -> None:
        """Wait for ``pause_s``, or until the address answers again, or until told to stop."""
        end_s = time.monotonic() + pause_s
        if self._place is None or pause_s <= RING_S:
            stopping.wait(pause_s)
            return
        answered = self._answers()
        while (left_s := end_s - time.monotonic()) > 0:
            if stopping.wait(min(RING_S, left_s)):
                return
            # A camera that answered all the time has another trouble, and is left its pause.
            if self._answers() and not answered:
                return

    def _answers(self) -> bool:
        assert self._place is not None
        try:
            socket.create_connection(self._place, timeout=ANSWER_S).close()
        except OSError:
            return False
        return True


def _place_of(source: str) -> tuple[str, int] | None:
    """Return address and port, ``None`` where there is none that can be tried."""
    if not is_stream_address(source):
        return None
    scheme = source.split("://", maxsplit=1)[0].lower()
    try:
        parts = urlsplit(f"//{public_part(source)}")
        host, port = parts.hostname or "", parts.port or PORTS.get(scheme)
        if host != "localhost":
            ipaddress.ip_address(host)
    except ValueError:
        return None
    return None if port is None else (host, port)
