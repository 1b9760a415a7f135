"""Whether there is room to write, and going on when there is room again."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

__all__ = ["MEGABYTE", "Gate", "free_bytes"]

log = logging.getLogger(__name__)

MEGABYTE = 1_000_000
RESUME = 1.25
"""Writing goes on when so many times the least free space is free, lest it flutter."""
RETRY_S = 30.0
"""Pause after a fault before it is tried again."""


def free_bytes(folder: Path) -> int:
    """Return the bytes that an ordinary user may still write where a folder lies.

    Raises:
        OSError: The folder is gone.
    """
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize


class Gate:
    """Says whether one kind of file may be written now, and if not, why. From any thread.

    Args:
        what: What it is about, for the log.
        folder: Where the files go.
        min_bytes: Free space below which nothing is written.
        clock: Seconds of a clock that never jumps.
    """

    def __init__(
        self,
        what: str,
        folder: Path,
        *,
        min_bytes: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._what = what
        self._folder = folder
        self._min_bytes = min_bytes
        self._clock = clock
        self._low = self._fault = self._logged = ""
        self._retry_s = float("-inf")
        self._lock = threading.Lock()

    @property
    def reason(self) -> str:
        """Why nothing is written; empty where it is."""
        return self._low or self._fault

    def is_open(self) -> bool:
        """Return whether to write: there is room, and no fault, or it is time to try again."""
        return not self._low and (not self._fault or self._clock() >= self._retry_s)

    def look(self, free: int) -> None:
        """Take in how many bytes are free."""
        enough = self._min_bytes * RESUME
        shown = f"{free // MEGABYTE} MB free under {self._folder}, needs {enough / MEGABYTE:g}"
        with self._lock:
            was_low = bool(self._low)
            least = enough if was_low else self._min_bytes
            self._low = f"disk full: {shown}" if free < least else ""
            if was_low and not self._low:
                # Whatever failed for lack of room need not wait any longer.
                self._fault = ""
            self._tell()

    def failed(self, path: Path, error: OSError) -> None:
        """Take in that a file could not be written."""
        reason = error.strerror or type(error).__name__
        with self._lock:
            self._fault = f"{path} could not be written ({reason})"
            self._retry_s = self._clock() + RETRY_S
            self._tell()

    def worked(self) -> None:
        """Take in that something was written."""
        if self._fault:
            with self._lock:
                self._fault = ""
                self._tell()

    def _tell(self) -> None:
        # Figures change all the time; what matters is that it stopped, and that it goes on.
        state = "low" if self._low else self._fault
        if state == self._logged:
            return
        self._logged = state
        if state:
            log.warning("%s paused: %s", self._what, self.reason)
        else:
            log.info("%s goes on", self._what)
