"""One reader thread per file, with a bounded queue: decoding overlaps with inference."""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass
from typing import Self

from pipeline.datatypes import Frame
from pipeline.protocols import Source

__all__ = ["Feed"]

POLL_S = 0.1
"""How often a blocked thread looks whether it should stop."""


@dataclass(frozen=True, slots=True)
class _End:
    """What a reader puts last: the error that ended it, or nothing at the end of the file."""

    error: BaseException | None


class Feed:
    """Reads one source in a thread and hands its frames out in order.

    Use it as a context manager: leaving it stops the thread, also in the middle of a file.

    Args:
        source: The camera to read; opened and closed by the thread.
        capacity: Frames that may wait.
    """

    def __init__(self, source: Source, *, capacity: int) -> None:
        self.source = source
        self._queue: queue.Queue[Frame | _End] = queue.Queue(maxsize=capacity)
        self._stop = threading.Event()
        self._head: Frame | None = None
        self._ended = False
        self._thread = threading.Thread(
            target=self._read, name=f"read-{source.camera}", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def peek(self) -> Frame | None:
        """Return the next frame without taking it, ``None`` at the end; waits for the reader.

        Raises:
            BaseException: Whatever the source raised, once.
        """
        if self._head is None and not self._ended:
            item = self._queue.get()
            if isinstance(item, _End):
                self._ended = True
                if item.error is not None:
                    raise item.error
            else:
                self._head = item
        return self._head

    def take(self) -> Frame:
        """Return the next frame and move on; only after ``peek`` returned one."""
        frame = self._head
        if frame is None:
            raise RuntimeError("take() needs a frame that peek() returned")
        self._head = None
        return frame

    def _read(self) -> None:
        error: BaseException | None = None
        try:
            with self.source as source:
                for frame in source:
                    if not self._put(frame):
                        return
        # Whatever happens in this thread must reach the consumer, or it would wait for ever.
        except BaseException as problem:
            error = problem
        self._put(_End(error))

    def _put(self, item: Frame | _End) -> bool:
        """Queue an item; return ``False`` if the feed was stopped before there was room."""
        while not self._stop.is_set():
            try:
                self._queue.put(item, timeout=POLL_S)
            except queue.Full:
                continue
            return True
        return False
