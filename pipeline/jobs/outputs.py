"""Checks of output paths before work starts."""

from __future__ import annotations

import os
from pathlib import Path

from pipeline.errors import OutputError

__all__ = ["check_folder", "check_writable"]


def check_folder(path: Path) -> None:
    """Refuse a folder that can neither be made nor be written.

    Raises:
        OutputError: It, or the nearest folder above it, is a file or cannot be written.
    """
    existing = next((each for each in (path, *path.parents) if os.path.lexists(each)), path)
    if not existing.is_dir():
        raise OutputError(f"output {path} is no folder, as {existing} is a file: choose another")
    check_writable(path, existing)


def check_writable(path: Path, folder: Path) -> None:
    """Refuse what is to be written into a folder that cannot be written.

    Raises:
        OutputError: It cannot.
    """
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"output {path} cannot be written: choose another")
