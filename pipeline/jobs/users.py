"""Changing the file of those who may sign in to the page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pipeline.layout.files import as_json, write_private
from pipeline.serve.users import UserBook

__all__ = ["change_users"]


def change_users(path: Path, change: Callable[[UserBook], UserBook]) -> None:
    """Change a file of users; pages that run read it at their next start.

    Args:
        path: The file; need not exist.
        change: Returns the book as it shall be.

    Raises:
        SettingsError: The file is damaged, or the change cannot be made.
        SinkError: It cannot be written.
    """
    book = UserBook.read(path) if path.exists() else UserBook([])
    write_private(path, as_json(change(book).as_json()))
