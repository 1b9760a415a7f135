"""How a command starts and how it ends, whatever happens on the way.

Both commands, `reid-model` and `reid-pipeline`, start here, before their slow imports: a signal
ends them with one line and no traceback from their first moment on, caches have a place where
there is no home folder, and a system library that is missing is named. Needs the standard
library alone, and little of it.
"""

from __future__ import annotations

import io
import os
import select
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import NoReturn

__all__ = ["EXIT_CODES", "missing_library", "run_program"]

BAD_INPUT = 2
EXIT_CODES = (
    "Exit codes: 0 done, 1 failed, 2 bad input (flags, files, settings, a missing package), "
    "128 + N ended by signal N (130 Ctrl-C, 143 SIGTERM)."
)
"""What ``--help`` ends with; docs/reliability.md says more."""
STOP_S = 8.0
"""Time to close files after a signal; containers are killed after 10 s."""
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
AGAIN = 0
"""Written where signals are watched, for an interruption that went nowhere."""
AGAIN_S = 0.05
NO_LIBRARY = ": cannot open shared object file"
NO_ROOM = ": failed to map segment from shared object"
OF_OPENCV = {"libGL.so.1", "libgthread-2.0.so.0", "libglib-2.0.so.0", "libxcb.so.1"}
"""What OpenCV's wheel takes from the system; slim images of containers lack it."""


def run_program(load: Callable[[], Callable[[], int]]) -> int:
    """Import a command line, run it, and return its exit code.

    SIGINT, SIGTERM and SIGHUP raise ``KeyboardInterrupt`` in it, once, so that files are closed
    on the way out. The process then ends with 128 and the number of the signal: after
    ``STOP_S`` in any case, and at once at a second signal or while it still imports.

    Args:
        load: Imports the command line and returns its ``main``.
    """
    signals = _Signals()
    code = 0
    try:
        from reid_model.home import ensure_home  # noqa: PLC0415 - after the signals

        ensure_home()
        main = load()
        # Names of files may hold bytes that no terminal shows; they must not end a command.
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        signals.working = True
        code = main()
    except BaseException as error:
        # Where a signal came, whatever was raised is what a library made of it.
        if signals.received is None:
            from reid_model.installation import missing_package  # noqa: PLC0415 - seldom needed

            problem = missing_library(error) or missing_package(error)
            if problem is None:
                raise
            _say(problem)
            code = BAD_INPUT
    if signals.received is not None:
        _end(signals.received)
    return code


def missing_library(error: BaseException) -> str | None:
    """Return what to tell of an import that lacks a library, or room for one, else ``None``."""
    if isinstance(error, ImportError) and NO_ROOM in str(error):
        return (
            f"{str(error).split(NO_ROOM, maxsplit=1)[0]} cannot be loaded: allow more memory "
            "(`ulimit -v`), or mount the disk of Python's packages without noexec"
        )
    if not isinstance(error, ImportError) or NO_LIBRARY not in str(error):
        return None
    library = str(error).split(NO_LIBRARY, maxsplit=1)[0].split()[-1]
    if library in OF_OPENCV:
        return (
            f"the system library {library}, which OpenCV needs, is not installed: on Debian and "
            "Ubuntu `apt-get install libgl1 libglib2.0-0 libxcb1`"
        )
    return f"the system library {library} is not installed: install the package that holds it"


class _Signals:
    """Takes the signals that end a command, from here on.

    Python runs handlers between two of its own steps; a thread sees to the end where native
    code keeps the main thread for longer. Where nothing can be raised further (a finaliser, a
    module of Cython that is being imported) the interruption is lost, and raised once more.

    Attributes:
        received: The first signal, if one came.
        working: Whether there may be files to close.
        lost: Whether what it raised was lost.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self.working = False
        self.lost = False
        for number in SIGNALS:
            # Who starts a command with a signal ignored (nohup) wants it ignored.
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._handle)
        woken, self._wake = os.pipe()
        os.set_blocking(self._wake, False)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        sys.unraisablehook = self._cannot_raise
        threading.Thread(target=self._watch, args=(woken,), name="signals", daemon=True).start()
        os.register_at_fork(after_in_child=self._leave_to_parent)

    def _handle(self, number: int, _: FrameType | None) -> None:
        if not self.lost and (self.received is not None or not self.working):
            _end(number)
        self.lost = False
        self.received = self.received or number
        raise KeyboardInterrupt

    def _cannot_raise(self, failed: sys.UnraisableHookArgs) -> None:
        if self.received is None or failed.exc_type is not KeyboardInterrupt:
            sys.__unraisablehook__(failed)
            return
        warnings.simplefilter("ignore")  # what the module makes of it is no news
        self.lost = True
        os.write(self._wake, bytes([AGAIN]))

    def _watch(self, woken: int) -> None:
        first: int | None = None
        end_s = 0.0
        while True:
            left_s = None if first is None else max(0.0, end_s - time.monotonic())
            if not select.select([woken], [], [], left_s)[0]:
                _end(first or 0, f"interrupted, and ended as it did not end within {STOP_S:g} s")
            number = os.read(woken, 1)[0]
            if number == AGAIN and first is not None:
                time.sleep(AGAIN_S)
                signal.pthread_kill(threading.main_thread().ident or 0, first)
            elif number in SIGNALS and signal.getsignal(number) == self._handle and first is None:
                first, end_s = number, time.monotonic() + STOP_S

    def _leave_to_parent(self) -> None:
        """In a forked process, such as one that loads images, do what any process does."""
        signal.set_wakeup_fd(-1)
        for number in SIGNALS:
            if signal.getsignal(number) == self._handle:
                # Ctrl-C reaches every process of a terminal; the parent ends its children.
                ignored = number == signal.SIGINT
                signal.signal(number, signal.SIG_IGN if ignored else signal.SIG_DFL)


def _end(number: int, message: str = "interrupted") -> NoReturn:
    """End the process: taking down the libraries' threads could take seconds, or for ever."""
    _say(message)
    os._exit(128 + number)


def _say(message: str) -> None:
    """Print one line on stderr, also out of a handler that came while something was printed."""
    with suppress(OSError, RuntimeError, ValueError):  # a closed pipe; a stream that is in use
        sys.stdout.flush()
        sys.stderr.flush()
    with suppress(OSError):
        os.write(2, f"error: {message}\n".encode())
