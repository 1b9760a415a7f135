"""Events as JSON lines in a file that never ends in half a line."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from pipeline.datatypes import Event
from pipeline.layout.files import as_json
from pipeline.notify.courier import NotDeliveredError
from pipeline.whole_lines import append_whole, cut_torn_line

__all__ = ["LinesFile"]


class LinesFile:
    """Appends events to a file; sets it aside when it has grown, and deletes the oldest.

    Args:
        path: The newest file. Older ones are ``path.1``, ``path.2`` and so on.
        max_bytes: Size at which a new file is begun.
        files: Files that are kept, the newest one included.
    """

    name = "file"
    batch = 1000

    def __init__(self, path: Path, *, max_bytes: int, files: int) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._files = files
        self._descriptor: int | None = None
        self._size = 0

    def deliver(self, events: Sequence[Event]) -> None:
        """Append events.

        Raises:
            NotDeliveredError: The disk is full or gone; no part of them is left in the file.
        """
        lines = b"".join(as_json(event.as_message(), indent=None) for event in events)
        try:
            if self._size + len(lines) > self._max_bytes and self._size:
                self._set_aside()
            if self._descriptor is None:
                self._open()
            self._append(lines)
        except OSError as error:
            self.close()
            reason = error.strerror or type(error).__name__
            raise NotDeliveredError(f"{self._path} could not be written ({reason})") from None

    def close(self) -> None:
        """Close the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _open(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # Where and when people were is nobody else's business.
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self._size = cut_torn_line(self._descriptor)

    def _append(self, lines: bytes) -> None:
        assert self._descriptor is not None
        append_whole(self._descriptor, lines, size=self._size)
        self._size += len(lines)

    def _set_aside(self) -> None:
        self.close()
        self._size = 0
        for number in range(self._files - 1, 0, -1):
            older = self._path if number == 1 else self._numbered(number - 1)
            if older.exists():
                older.replace(self._numbered(number))
        if self._files == 1:
            self._path.unlink(missing_ok=True)

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")
