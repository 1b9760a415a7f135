"""Lines appended to files that never end in half a line, a new file each hour or so."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from pipeline.layout.recording import Kind, Recorded, create, recorded_files
from pipeline.whole_lines import append_whole, cut_torn_line

__all__ = ["LinesLog"]

log = logging.getLogger(__name__)


class LinesLog:
    """Appends lines; from one thread.

    What an earlier run left is mended first: half a line at the end of a file is cut. The
    newest file is continued if it is not time for another one.

    Args:
        folder: The recorder's folder.
        kind: ``TRACKS`` or ``EVENTS``.
        suffix: Ends the names of the files.
        header: First line of every file, without the line's end; empty = none.
        max_bytes: Size at which a new file is begun.
        rotate_s: A new file is begun at multiples of it, in wall time; 3600 is every full hour.
    """

    def __init__(
        self,
        folder: Path,
        kind: Kind,
        suffix: str,
        *,
        header: str,
        max_bytes: int,
        rotate_s: float,
    ) -> None:
        self.folder = folder / kind
        self._root = folder
        self._kind = kind
        self._suffix = suffix
        self._header = f"{header}\n".encode() if header else b""
        self._max_bytes = max_bytes
        self._rotate_s = rotate_s
        self._descriptor: int | None = None
        self._path: Path | None = None
        self._size = 0
        self._begun_s = 0.0
        for file in self._files():
            self._mend(file)

    @property
    def path(self) -> Path | None:
        """The file that is written, if one is open."""
        return self._path

    def append(self, lines: bytes, now_s: float) -> None:
        """Append whole lines, all of them or none.

        Args:
            lines: At least one, each with its end.
            now_s: Wall time, seconds since the epoch.

        Raises:
            OSError: They cannot be written.
        """
        if self._descriptor is not None and self._is_over(len(lines), now_s):
            self.close()
        if self._descriptor is None:
            self._open(len(lines), now_s)
        self._write(lines if self._size else self._header + lines)

    def sync(self) -> None:
        """Bring what was appended to the disk.

        Raises:
            OSError: That failed.
        """
        if self._descriptor is not None:
            os.fsync(self._descriptor)

    def close(self) -> None:
        """Close the file; the next lines open one again.

        Raises:
            OSError: What was written did not reach the disk.
        """
        descriptor, self._descriptor, self._path = self._descriptor, None, None
        if descriptor is None:
            return
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _is_over(self, more_bytes: int, now_s: float) -> bool:
        assert self._descriptor is not None
        if os.fstat(self._descriptor).st_nlink == 0:
            # Deleted or replaced by somebody: nobody could read what goes in there.
            return True
        return not self._has_room(self._begun_s, self._size, more_bytes, now_s)

    def _has_room(self, begun_s: float, size: int, more_bytes: int, now_s: float) -> bool:
        same_slot = begun_s // self._rotate_s == now_s // self._rotate_s
        return same_slot and (size == 0 or size + more_bytes <= self._max_bytes)

    def _open(self, more_bytes: int, now_s: float) -> None:
        for file in sorted(self._files(), key=lambda each: each.begun_s)[-1:]:
            if self._has_room(file.begun_s, file.size, more_bytes, now_s) and self._continue(file):
                return
        self._path, self._descriptor = create(self.folder, self._kind, self._suffix, now_s)
        self._size, self._begun_s = 0, now_s

    def _continue(self, file: Recorded) -> bool:
        """Open a file for appending, unless its columns are others than ours."""
        descriptor = os.open(file.path, os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW)
        size = cut_torn_line(descriptor)
        if size and os.pread(descriptor, len(self._header), 0) != self._header:
            os.close(descriptor)
            return False
        self._descriptor, self._path = descriptor, file.path
        self._size, self._begun_s = size, file.begun_s
        return True

    def _write(self, lines: bytes) -> None:
        assert self._descriptor is not None
        append_whole(self._descriptor, lines, size=self._size)
        self._size += len(lines)

    def _files(self) -> list[Recorded]:
        return list(recorded_files(self._root, [self._kind]))

    def _mend(self, file: Recorded) -> None:
        """Cut half a line at the end of a file; delete the file if nothing else is in it."""
        try:
            descriptor = os.open(file.path, os.O_RDWR | os.O_NOFOLLOW)
            try:
                size = cut_torn_line(descriptor)
                empty = os.pread(descriptor, len(self._header) + 1, 0) in {b"", self._header}
            finally:
                os.close(descriptor)
            if empty:
                file.path.unlink()
        except OSError as error:
            log.warning("%s could not be repaired (%s)", file.path, error.strerror)
            return
        if size < file.size:
            log.info("%s: %d bytes of an unfinished line were cut", file.path, file.size - size)
