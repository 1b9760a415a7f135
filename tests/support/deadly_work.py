"""Work that ends its own process, for tests of engines. Light, as every worker imports it."""

from __future__ import annotations

import os
from pathlib import Path

from pipeline.errors import ModelError


class Work:
    """Doubles a number. Dies at 3 the first time that any worker gets it, at 13 always."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, job: int) -> int:
        if job == 13:
            os._exit(1)
        if job == 3 and not (self._folder / "died").exists():
            (self._folder / "died").touch()
            os._exit(1)
        return 2 * job


class DyingArchiveWorker:
    """An archive's worker that dies once, in the middle of the second chunk of a file."""

    def __init__(self, job, file: str, mark: Path) -> None:
        from pipeline.jobs.archive_worker import ArchiveWorker

        self._worker = ArchiveWorker(job)
        self._file, self._mark = file, mark

    def __call__(self, unit):
        is_fatal = (unit.kind, unit.recording.file, unit.chunk) == ("detect", self._file, 1)
        if is_fatal and not self._mark.exists():
            self._mark.touch()
            os._exit(1)
        return self._worker(unit)


def broken():
    raise ModelError("no such weights")
