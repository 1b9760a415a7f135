"""The journal of an archive: one small file for each unit of work that is done, written atomically.

A file of video goes through three kinds of units: its ``survey`` finds where it can be cut,
``detect`` finds the persons of one chunk, ``track`` tracks and embeds them from beginning to
end. Which units there are depends on the file alone, so any number of workers, killed at any
moment, come to the same result.
"""

from __future__ import annotations

import io
import json
import logging
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from zipfile import BadZipFile

import numpy as np

from pipeline.archive.footage import Recording
from pipeline.datatypes import Detections
from pipeline.errors import OutputError
from pipeline.foreign import read_regular, unreadable
from pipeline.layout.archive import TABLES, ArchiveFolder
from pipeline.layout.files import as_json, write_private
from pipeline.locks import Lock

__all__ = ["LOCK", "Cut", "Journal", "Unit"]

log = logging.getLogger(__name__)

LOCK = "lock"
KEY = re.compile(r"[0-9a-f]{32}")
"""Names what was made of a file, see ``Recording.key``; nothing else is removed."""
Cut = tuple[int, int | None, int, int | None]
"""First frame, frames, first stamp, end stamp: the fields of a chunk."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One piece of work.

    Attributes:
        kind: What to do.
        recording: With which file.
        chunk: With which chunk of it, for ``detect``.
    """

    kind: Literal["survey", "detect", "track"]
    recording: Recording
    chunk: int = 0


class Journal:
    """The records of finished units.

    Args:
        folder: The archive.
        digest: Of the settings that the work depends on; what is only held needs none.
    """

    def __init__(self, folder: ArchiveFolder, *, digest: str = "") -> None:
        self._folder = folder
        self._digest = digest

    def key(self, recording: Recording) -> str:
        """Return the name of everything that is made of a file with these settings."""
        return recording.key(self._digest)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep others who write out of the archive; who is killed lets go.

        Raises:
            OutputError: Another command works on it.
        """
        try:
            self._folder.work_path.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise OutputError(
                f"output {self._folder.path} cannot be written ({error.strerror}): choose another"
            ) from None
        with Lock(self._folder.work_path / LOCK, what=f"{self._folder.path}"):
            yield

    def finished(self) -> dict[str, dict[str, Any]]:
        """Return what was found in every finished file, by its key; damaged notes do not count."""
        found = {}
        for path in sorted(self._folder.work_path.glob("*.json")):
            try:
                note = json.loads(read_regular(path))
            except (OSError, ValueError, RecursionError):
                note = None
            if isinstance(note, dict) and {"file", "frames", "tracklets"} <= note.keys():
                found[path.stem] = note
            else:
                log.warning("%s is damaged: its file is processed again", path)
        return found

    def finish(self, recording: Recording, found: Mapping[str, Any]) -> None:
        """Note that all parts of a file are written, and let go of what led to them."""
        content = as_json({"file": recording.file, **found}, indent=None)
        write_private(self._folder.work_path / f"{self.key(recording)}.json", content)
        self.clear(recording)

    def clear(self, recording: Recording) -> None:
        """Remove what units left that lead to a finished file."""
        shutil.rmtree(self._unit_folder(recording), ignore_errors=True)

    def cuts(self, recording: Recording) -> list[Cut] | None:
        """Return the chunks of a file, ``None`` before its survey.

        Raises:
            OutputError: The journal is damaged.
        """
        path = self._unit_folder(recording) / "chunks.json"
        if not path.is_file():
            return None
        try:
            first, *others = (tuple(cut) for cut in json.loads(read_regular(path)))
        except (OSError, ValueError, TypeError, RecursionError) as error:
            raise OutputError(unreadable(path, error, mend="run again")) from None
        return [first, *others]

    def write_cuts(self, recording: Recording, cuts: Sequence[Cut]) -> None:
        """Note the chunks of a file."""
        content = json.dumps(cuts).encode()
        write_private(self._unit_folder(recording) / "chunks.json", content)

    def undetected(self, recording: Recording) -> list[int]:
        """Return the chunks of a surveyed file that nobody has looked at."""
        cuts = self.cuts(recording) or []
        return [n for n in range(len(cuts)) if not self._boxes(recording, n, len(cuts)).is_file()]

    def write_detections(
        self,
        recording: Recording,
        part: tuple[int, int],
        indices: Sequence[int],
        found: Sequence[Detections | None],
    ) -> None:
        """Keep the boxes of a chunk, by the numbers of its frames.

        Args:
            recording: The file.
            part: Which chunk of how many; as they were when its work began.
            indices: Numbers of the frames.
            found: Persons in each of them, ``None`` where the detector did not look.
        """
        seen = [each for each in found if each is not None]
        numbers = [n for n, each in zip(indices, found, strict=True) if each is not None]
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            frame=np.repeat(np.array(numbers, np.int64), [len(each) for each in seen]),
            xyxy=np.concatenate([np.zeros((0, 4), np.float32), *[each.xyxy for each in seen]]),
            score=np.concatenate([np.zeros(0, np.float32), *[each.score for each in seen]]),
            passed_over=np.setdiff1d(np.array(indices, np.int64), numbers),
        )
        write_private(self._boxes(recording, *part), buffer.getvalue())

    def detections(self, recording: Recording) -> dict[int, Detections | None]:
        """Return the boxes of a whole file by frame number, without frames that have none.

        ``None`` stands for frames that the detector did not look at.

        Raises:
            OutputError: The journal is damaged.
        """
        boxes: dict[int, Detections | None] = {}
        total = len(self.cuts(recording) or [])
        for chunk in range(total):
            path = self._boxes(recording, chunk, total)
            try:
                with np.load(path) as saved:
                    frame, xyxy, score = saved["frame"], saved["xyxy"], saved["score"]
                    boxes.update(dict.fromkeys(saved["passed_over"].tolist()))
            except (OSError, BadZipFile, KeyError, ValueError, RecursionError) as error:
                mend = "remove it and run again"
                raise OutputError(unreadable(path, error, mend=mend)) from None
            numbers, starts = np.unique(frame, return_index=True)
            for number, rows in zip(
                numbers.tolist(), np.split(np.arange(len(frame)), starts[1:]), strict=False
            ):
                boxes[number] = Detections(xyxy[rows], score[rows])
        return boxes

    def drop_outdated(self, recordings: Sequence[Recording]) -> None:
        """Remove what was made of files that have changed since, and what was never finished.

        Files that are not there any more keep their sightings.
        """
        current = {each.file: self.key(each) for each in recordings}
        finished = self.finished()
        valid = {key for key, found in finished.items() if current.get(found["file"], key) == key}
        for table in TABLES:
            for _, _, part in self._folder.parts(table):
                if KEY.fullmatch(part.stem) and part.stem not in valid:
                    part.unlink()
            for leftover in (self._folder.path / table).rglob(".*.partial"):
                leftover.unlink()  # of a write that was killed
        work = self._folder.work_path
        for note in work.glob("*.json"):
            if KEY.fullmatch(note.stem) and note.stem not in valid:
                note.unlink()
        for leftover in work.rglob(".*.partial"):
            leftover.unlink()
        for begun in work.glob("*/"):
            if KEY.fullmatch(begun.name) and begun.name not in current.values():
                shutil.rmtree(begun, ignore_errors=True)

    def _unit_folder(self, recording: Recording) -> Path:
        return self._folder.work_path / self.key(recording)

    def _boxes(self, recording: Recording, chunk: int, total: int) -> Path:
        # With the number of chunks: a file that turned out to be uncuttable starts afresh.
        return self._unit_folder(recording) / f"boxes-{chunk + 1:05d}-of-{total:05d}.npz"
