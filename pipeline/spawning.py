"""Starting processes that belong to this one."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker

__all__ = ["out_of_reach_of_the_terminal"]


@contextmanager
def out_of_reach_of_the_terminal() -> Iterator[None]:
    """Start processes in here that Ctrl-C does not reach, from their first moment on.

    A terminal sends it to every process that was started from it. Only the first of them
    decides what ends when; the others would end in the middle of an import, each with a
    traceback. Signals that come meanwhile, SIGTERM included, are handled afterwards: a process
    that was started and not told what to do would end with a traceback, too.
    """
    resource_tracker.ensure_running()  # its start would unblock the signals
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
    try:
        with _handled_afterwards():
            yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _handled_afterwards() -> Iterator[None]:
    """Keep what a signal does for the end of this block.

    A mask does not: it holds for one thread, and the system gives the signal to another.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # handlers run in the main thread alone
        return
    received: list[int] = []
    handlers = {
        number: handler
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        if callable(handler := signal.getsignal(number))
    }
    for number in handlers:
        signal.signal(number, lambda came, _frame: received.append(came))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for came in received[:1]:
            signal.raise_signal(came)
