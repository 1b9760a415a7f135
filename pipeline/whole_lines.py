"""Append-only files of lines, repaired after a kill or a full disk."""

from __future__ import annotations

import os
from pathlib import Path

from pipeline.foreign import read_regular

__all__ = ["append_lines", "append_whole", "cut_torn_line", "read_whole"]

BLOCK_BYTES = 4096


def append_lines(path: Path, lines: bytes) -> None:
    """Append lines to a file that its owner alone may read, all of them or none.

    What a kill left of another line is cut first. They are on the disk when this returns.

    Raises:
        OSError: They cannot be written.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        append_whole(descriptor, lines, size=cut_torn_line(descriptor))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def append_whole(descriptor: int, lines: bytes, *, size: int) -> None:
    """Append lines to a file, all of them or none.

    Args:
        descriptor: Open for appending.
        lines: At least one, each with its end.
        size: Of the file before, in bytes; it gets back to it where it cannot be written.

    Raises:
        OSError: They cannot be written.
    """
    written = 0
    try:
        while written < len(lines):
            written += os.write(descriptor, lines[written:])
    except OSError:
        os.ftruncate(descriptor, size)
        raise


def cut_torn_line(descriptor: int) -> int:
    """Cut what follows the end of the last line of a file.

    Args:
        descriptor: Open for reading and writing.

    Returns:
        The size that is left, in bytes.

    Raises:
        OSError: The file cannot be read or cut.
    """
    size = whole = os.fstat(descriptor).st_size
    while whole:
        start = max(0, whole - BLOCK_BYTES)
        end = os.pread(descriptor, whole - start, start).rfind(b"\n")
        if end >= 0:
            whole = start + end + 1
            break
        whole = start
    if whole < size:
        os.ftruncate(descriptor, whole)
    return whole


def read_whole(path: Path) -> bytes:
    """Return the whole lines of a file; half a line at its end is left out.

    Raises:
        OSError: The file cannot be read.
    """
    whole, end, _ = read_regular(path).rpartition(b"\n")
    return whole + end
