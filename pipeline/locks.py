"""Keeping other commands out of what is read, worked on for long, and written back.

Without a lock whoever writes last would undo what others wrote in between.
"""

from __future__ import annotations

import fcntl
import logging
import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from pipeline.errors import OutputError

__all__ = ["Lock", "is_locked"]

log = logging.getLogger(__name__)


class Lock:
    """A file that one command at a time can hold.

    Who is killed lets go, too: the lock is the system's, the file alone means nothing.

    Args:
        path: The file, which is made.
        what: What it keeps others out of, for messages.
        taken: Message for when another command holds it; ``None`` takes the usual one.
        stays: Whether the file is left when it is let go.

    Raises:
        OutputError: Another command holds it, or the file cannot be made.
    """

    def __init__(
        self, path: Path, *, what: str, taken: str | None = None, stays: bool = False
    ) -> None:
        self._path = path
        self._stays = stays
        self._handle: int | None = None
        taken = taken or f"another command works on {what}: wait until it has ended"
        handle = _open_locked(path, what, taken)
        while not _is_at(path, handle):
            os.close(handle)  # its holder has just removed it
            handle = _open_locked(path, what, taken)
        self._handle = handle

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()

    def release(self) -> None:
        """Let others in."""
        handle, self._handle = self._handle, None
        if handle is not None:
            if not self._stays:
                with suppress(OSError):
                    self._path.unlink()
            os.close(handle)

    def __del__(self) -> None:
        self.release()


def is_locked(path: Path) -> bool:
    """Return whether a command holds a lock."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # on a disk without locks
        return False
    finally:
        os.close(handle)
    return False


def _open_locked(path: Path, what: str, taken: str) -> int:
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise OutputError(f"{what} cannot be written ({error.strerror}): choose another") from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise OutputError(taken) from None
    except OSError as error:
        log.warning(
            "%s is on a disk without locks (%s): let one command at a time work on it",
            what,
            error.strerror,
        )
    return handle


def _is_at(path: Path, handle: int) -> bool:
    """Tell whether the open file is the one that others would find under its path."""
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except FileNotFoundError:
        return False
