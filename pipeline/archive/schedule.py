"""Schedule of the units of an archive, and the state of each file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pipeline.archive.footage import Recording
from pipeline.archive.journal import Journal, Unit

__all__ = ["Schedule"]


class Schedule:
    """Leads every file from its survey to its end.

    Args:
        recordings: All files.
        journal: What is done already.
    """

    def __init__(self, recordings: Sequence[Recording], journal: Journal) -> None:
        self._journal = journal
        self._recordings = recordings
        self._waiting: dict[str, int] = {}
        """Chunks of a file that are being looked at."""
        self.finished = {found["file"]: found for found in self._current()}
        self.failed: dict[str, str] = {}

    def _current(self) -> Iterator[dict[str, Any]]:
        done = self._journal.finished()
        for recording in self._recordings:
            found = done.get(self._journal.key(recording))
            if found is not None:
                self._journal.clear(recording)  # a kill may have come between the two
                yield found

    def first(self) -> Iterator[Unit]:
        """Yield a unit to begin with for every file that is not finished."""
        for recording in self._recordings:
            if recording.file not in self.finished and recording.file not in self.failed:
                yield Unit("survey", recording)

    def after(self, unit: Unit, result: dict[str, Any]) -> list[Unit]:
        """Return the units that follow from one that is done."""
        recording = unit.recording
        if "failure" in result:
            return self.fail(unit, result["failure"])
        if recording.file in self.failed:
            return []
        if unit.kind == "track":
            self.finished[recording.file] = {"file": recording.file, **result}
            return []
        if unit.kind == "detect":
            self._waiting[recording.file] -= 1
            if self._waiting[recording.file]:
                return []
        # Asked again after the last chunk: one may have shown that the file cannot be cut.
        missing = self._journal.undetected(recording)
        self._waiting[recording.file] = len(missing)
        if not missing:
            del self._waiting[recording.file]
            return [Unit("track", recording)]
        return [Unit("detect", recording, chunk) for chunk in missing]

    def fail(self, unit: Unit, reason: str) -> list[Unit]:
        """Give a file up; the next run tries it again."""
        self.failed.setdefault(unit.recording.file, reason)
        self._journal.clear(unit.recording)
        return []
