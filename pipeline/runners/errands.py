"""What other threads have a run's own thread do."""

from __future__ import annotations

import queue
from collections.abc import Callable
from concurrent.futures import Future

__all__ = ["Errands"]


class Errands:
    """Work that waits until a thread has time for it."""

    def __init__(self) -> None:
        self._asked: queue.SimpleQueue[tuple[Callable[[], None], Future[None]]] = (
            queue.SimpleQueue()
        )

    def ask(self, work: Callable[[], None], *, timeout_s: float) -> None:
        """Have something done and wait for it; raises what it raises. From any other thread.

        Raises:
            TimeoutError: Nobody came to it.
        """
        done: Future[None] = Future()
        self._asked.put((work, done))
        try:
            done.result(timeout_s)
        finally:
            done.cancel()  # not to be done when nobody waits for it any more

    def run(self) -> None:
        """Do what waits."""
        while not self._asked.empty():
            work, done = self._asked.get()
            if not done.set_running_or_notify_cancel():
                continue
            try:
                work()
            except BaseException as error:
                done.set_exception(error)
            else:
                done.set_result(None)
