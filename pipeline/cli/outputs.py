"""Files that a command shall write, looked at before its work starts."""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import OutputError
from pipeline.jobs.outputs import check_writable

__all__ = ["check_file"]


def check_file(path: Path) -> None:
    """Refuse a file that cannot be written.

    Raises:
        OutputError: It is a folder, or there is no folder for it, or that cannot be written.
    """
    if path.is_dir():
        raise OutputError(f"output {path} is a folder: name a file")
    if not path.parent.is_dir():
        raise OutputError(f"output {path}: there is no folder {path.parent}; make it first")
    check_writable(path, path.parent)
