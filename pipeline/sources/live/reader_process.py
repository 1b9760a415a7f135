"""The process that reads a camera, as the one that watches it sees it."""

from __future__ import annotations

import contextlib
import multiprocessing
from multiprocessing.connection import Connection
from multiprocessing.reduction import send_handle
from typing import Any

from pipeline.sources.live.messages import UseSlot
from pipeline.sources.live.reader import read_camera
from pipeline.sources.live.slot import FrameSlot
from pipeline.spawning import out_of_reach_of_the_terminal

__all__ = ["ReaderProcess"]


class ReaderProcess:
    """Starts a reader, talks to it, and gets rid of it whatever it is stuck in.

    A thread that hangs in native code cannot be stopped, a process can: hence one for each
    camera. It is started afresh, not forked, as other threads of this process may hold locks.
    It ends by itself when this process does, because its pipe is closed then.

    Args:
        camera: Name of the camera; the process is named after it.
    """

    def __init__(self, camera: str) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe: Connection
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=read_camera, args=(theirs,), name=f"camera-{camera}", daemon=True
        )
        with out_of_reach_of_the_terminal():
            self._process.start()
        # Only the reader has this end now, so its death can be heard.
        theirs.close()

    def send(self, order: object) -> None:
        """Give an order. Raises ``OSError`` if the reader is dead."""
        self._pipe.send(order)

    def send_slot(self, slot: FrameSlot) -> None:
        """Have it write into a slot. Raises ``OSError`` if the reader is dead."""
        self._pipe.send(UseSlot(slot.size))
        send_handle(self._pipe, slot.file, self._process.pid)

    def receive(self, *, timeout_s: float) -> Any:
        """Return the next report, ``None`` if none comes in time.

        Raises:
            EOFError: The reader is dead.
        """
        try:
            return self._pipe.recv() if self._pipe.poll(timeout_s) else None
        except OSError:
            raise EOFError from None

    def end(self, *, timeout_s: float) -> None:
        """End it: by closing its pipe, then by a signal that it cannot refuse.

        Args:
            timeout_s: Time for the first.
        """
        self._pipe.close()
        self._process.join(timeout_s)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        with contextlib.suppress(ValueError):
            self._process.close()
