"""The audit log: who did what, when and from where."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from pipeline.foreign import write_whole
from pipeline.whole_lines import append_lines, read_whole

__all__ = ["AuditLog"]

logger = logging.getLogger(__name__)

MAX_LINES = 100_000
"""Lines that are kept, and read again."""
SECONDS_PER_DAY = 86_400.0


class AuditLog:
    """Lines of JSON that their owner alone may read; from any thread.

    Args:
        path: The file; ``None`` keeps lines in memory alone.
        keep_days: How long lines are kept; ``None`` is forever.
        clock: Seconds since the epoch.
    """

    def __init__(
        self,
        path: Path | None,
        *,
        keep_days: float | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._lines: deque[dict[str, Any]] = deque(maxlen=MAX_LINES)
        oldest_s = float("-inf") if keep_days is None else clock() - keep_days * SECONDS_PER_DAY
        if path is not None and path.is_file():
            self._lines += [line for line in _read(path) if line["time"] >= oldest_s]
            self._rewrite(path)

    def note(self, *, user: str, address: str, action: str, status: int) -> None:
        """Write one line; where that fails it is logged, and the line is kept in memory.

        Args:
            user: Who, empty where that is not known.
            address: From where.
            action: What: method and path.
            status: What came of it: the HTTP status.
        """
        line = {
            "time": round(self._clock(), 3),
            "user": user,
            "address": address,
            "action": action,
            "status": status,
        }
        with self._lock:
            self._lines.append(line)
            if self._path is not None:
                try:
                    append_lines(self._path, json.dumps(line).encode() + b"\n")
                except OSError as error:
                    logger.warning("audit log %s could not be written: %s", self._path, error)

    def newest(self, count: int) -> list[dict[str, Any]]:
        """Return the newest lines, newest first."""
        with self._lock:
            return list(self._lines)[-count:][::-1]

    def _rewrite(self, path: Path) -> None:
        """Leave out what is too old."""
        lines = b"".join(json.dumps(line).encode() + b"\n" for line in self._lines)
        with suppress(OSError):
            write_whole(path, lines, private=True)


def _read(path: Path) -> list[dict[str, Any]]:
    lines = []
    with suppress(OSError):
        for text in read_whole(path).splitlines():
            # A damaged line is one that somebody changed: the others still tell.
            with suppress(ValueError, TypeError, KeyError):
                line = json.loads(text)
                lines.append({**line, "time": float(line["time"])})
    return lines
