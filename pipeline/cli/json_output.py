"""`--json`: what a table shows, for programs."""

from __future__ import annotations

import sys
from pathlib import Path

from pipeline.cli.terminal import STDOUT, JsonOption
from pipeline.layout.files import as_json, write_atomically

__all__ = ["STDOUT", "JsonOption", "file_of", "write_json"]


def file_of(path: Path | None) -> Path | None:
    """Return the file that is written, ``None`` where the JSON is printed or not wanted."""
    return None if path == STDOUT else path


def write_json(path: Path | None, content: object, *, private: bool = False) -> bool:
    """Write or print what ``--json`` asks for.

    Args:
        path: What was given.
        content: Anything that JSON can hold.
        private: Let the owner of the file alone read it.

    Returns:
        Whether a table is wanted still: printed JSON stands alone.

    Raises:
        SinkError: It cannot be written.
    """
    if path is None:
        return True
    if path == STDOUT:
        sys.stdout.write(as_json(content).decode("utf-8", "backslashreplace"))
        return False
    write_atomically(path, as_json(content), private=private)
    return True
