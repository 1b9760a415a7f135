"""Writes the logs in its own thread, so that a slow disk does not block the run."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pipeline.errors import SinkError
from pipeline.sinks.live.disk import Gate
from pipeline.sinks.live.lines_log import LinesLog

__all__ = ["LogWriter"]

log = logging.getLogger(__name__)

WRITE_EVERY_S = 0.5
"""Lines wait no longer, so a kill or a power cut costs less than a second of them."""
MAX_WAITING_BYTES = 8_000_000
"""Lines kept in memory while they cannot be written: some 70 000 boxes."""


@dataclass(slots=True)
class _Waiting:
    lines: deque[tuple[bytes, int]] = field(default_factory=deque)
    size: int = 0


class LogWriter:
    """Appends lines to logs and brings them to the disk, at least every second.

    What cannot be written waits in memory, and is written when there is room again; beyond 8 MB
    the oldest lines are dropped and counted.

    Args:
        logs: By name.
        gate: Whether there is room for them.
        upkeep: What else is due, done before each writing in the same thread.
        wall: Seconds since the epoch.
    """

    def __init__(
        self,
        logs: dict[str, LinesLog],
        gate: Gate,
        upkeep: Callable[[], None],
        *,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._logs = logs
        self._gate = gate
        self._upkeep = upkeep
        self._wall = wall
        self._waiting = {name: _Waiting() for name in logs}
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._bytes = self._dropped = 0
        self._wake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._work, name="recording-logs", daemon=True)
        self._thread.start()

    def add(self, name: str, lines: bytes, count: int) -> None:
        """Take whole lines of a log; never waits. From any thread."""
        with self._lock:
            waiting = self._waiting[name]
            waiting.lines.append((lines, count))
            waiting.size += len(lines)
            while waiting.size > MAX_WAITING_BYTES:
                oldest, lost = waiting.lines.popleft()
                waiting.size -= len(oldest)
                self._dropped += lost

    @contextmanager
    def at_rest(self) -> Iterator[None]:
        """Write what waits, and no more while others change the files. From any thread.

        Raises:
            SinkError: Not all of it can be written now.
        """
        with self._writing:
            # Lines that come in the meantime are not its concern, so what waits says nothing.
            if not self._write_all(closing=True):
                raise SinkError("the logs cannot be written now: make room on their disk")
            yield

    def wake(self) -> None:
        """Write what waits now."""
        self._wake.set()

    def figures(self) -> dict[str, float]:
        """Return how it is going, by name."""
        with self._lock:
            return {
                "recorded_log_bytes_total": float(self._bytes),
                "unrecorded_lines_total": float(self._dropped),
                "recording_waiting_bytes": float(sum(e.size for e in self._waiting.values())),
            }

    def stop(self) -> None:
        """Ask for the end: write what waits and close the files."""
        self._stopping = True
        self._wake.set()

    def join(self, timeout_s: float) -> bool:
        """Wait for the end; return whether it came."""
        self._thread.join(max(0.0, timeout_s))
        return not self._thread.is_alive()

    # In the thread

    def _work(self) -> None:
        while True:
            self._wake.wait(WRITE_EVERY_S)
            self._wake.clear()
            stopping = self._stopping
            with self._writing:
                try:
                    self._upkeep()
                except Exception:
                    log.exception("deleting old recordings failed")
                self._write_all(closing=stopping)
            if stopping:
                self._give_up()
                return

    def _write_all(self, *, closing: bool) -> bool:
        """Write what waits for every log; whatever goes wrong closes the gate for a while.

        Returns:
            Whether nothing went wrong.
        """
        wrote = failed = False
        for name, lines_log in self._logs.items():
            try:
                if closing or self._gate.is_open():
                    wrote |= self._write(name)
                if closing:
                    lines_log.close()
            except OSError as error:
                self._gate.failed(lines_log.path or lines_log.folder, error)
                failed = True
            except Exception as error:
                log.exception("%s could not be written", lines_log.folder)
                self._gate.failed(lines_log.folder, OSError(0, str(error)))
                failed = True
        if wrote and not failed:
            self._gate.worked()
        return not failed

    def _write(self, name: str) -> bool:
        """Write what waits for a log; return whether there was something."""
        with self._lock:
            waiting, self._waiting[name] = self._waiting[name], _Waiting()
        if not waiting.lines:
            return False
        try:
            lines = b"".join(each for each, _ in waiting.lines)
            self._logs[name].append(lines, self._wall())
        except BaseException:
            self._put_back(name, waiting)
            raise
        with self._lock:
            self._bytes += waiting.size
        self._logs[name].sync()
        return True

    def _give_up(self) -> None:
        with self._lock:
            lost = sum(count for each in self._waiting.values() for _, count in each.lines)
            self._dropped += lost
        if lost:
            log.warning("%d lines of the logs could not be written before the end", lost)

    def _put_back(self, name: str, earlier: _Waiting) -> None:
        with self._lock:
            later = self._waiting[name]
            earlier.lines.extend(later.lines)
            earlier.size += later.size
            self._waiting[name] = earlier
