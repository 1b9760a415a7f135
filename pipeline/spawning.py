"""Starting processes that belong to this one."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["out_of_reach_of_the_terminal"]


@contextmanager
def out_of_reach_of_the_terminal() -> Iterator[None]:
    """Start processes in here that Ctrl-C does not reach, from their first moment on.

    A terminal sends it to every process that was started from it. Only the first of them
    decides what ends when; the others would end in the middle of an import, each with a
    traceback. Signals that come meanwhile are delivered afterwards.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
