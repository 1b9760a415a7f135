"""Where a job shall write, looked at before its work starts."""

from __future__ import annotations

import os
from pathlib import Path

from pipeline.errors import OutputError

__all__ = ["check_file", "check_folder"]


def check_file(path: Path) -> None:
    """Refuse a file that cannot be written.

    Raises:
        OutputError: It is a folder, or there is no folder for it, or that cannot be written.
    """
    if path.is_dir():
        raise OutputError(f"output {path} is a folder: name a file")
    if not path.parent.is_dir():
        raise OutputError(f"output {path}: there is no folder {path.parent}; make it first")
    _check_writable(path, path.parent)


def check_folder(path: Path) -> None:
    """Refuse a folder that can neither be made nor be written.

    Raises:
        OutputError: It, or the nearest folder above it, is a file or cannot be written.
    """
    existing = next((each for each in (path, *path.parents) if os.path.lexists(each)), path)
    if not existing.is_dir():
        raise OutputError(f"output {path} is no folder, as {existing} is a file: choose another")
    _check_writable(path, existing)


def _check_writable(path: Path, folder: Path) -> None:
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"output {path} cannot be written: choose another")
