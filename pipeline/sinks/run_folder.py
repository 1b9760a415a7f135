"""The folder of one run: made safely, marked incomplete until everything is in it."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pipeline.errors import OutputError
from pipeline.foreign import check_outputs, read_regular, way_out
from pipeline.layout.files import as_json, partial_of, write_atomically
from pipeline.layout.run import MOSAIC, RUN_FILES, RUN_RECORD, parse_crop_name
from pipeline.locks import Lock
from pipeline.sinks.encoder import is_annotated

__all__ = ["RunFolder", "run_lock"]

VIDEO = ".mp4"
LOCK = ".run.lock"
"""Held by whoever writes into the folder."""


def run_lock(folder: Path) -> Lock:
    """Keep others who write out of the folder of a run.

    Raises:
        OutputError: Another command works on it.
    """
    return Lock(folder / LOCK, what=f"{folder}")


class RunFolder:
    """Where one run writes, and its record `run.json`.

    Checking and starting are two steps, so that wrong input is found before anything that an
    earlier run left is touched. Only what a run wrote is ever removed or written over: files of
    these names in a folder with a record, crops, and videos that bear our mark.

    Args:
        path: The folder; made by ``start``.
        overwrite: Whether an earlier run's files may be replaced.
        videos: Names of the annotated videos that are to be written.
        inputs: Files that the run reads, none of which may be removed or written over.

    Raises:
        OutputError: The folder holds something else, could not be written, or holds an input.
    """

    def __init__(
        self,
        path: Path,
        *,
        overwrite: bool,
        videos: Collection[str] = (),
        inputs: Sequence[Path] = (),
    ) -> None:
        self.path = path
        self._overwrite = overwrite
        self._videos, self._inputs = videos, inputs
        self._lock: Lock | None = None
        self._record: dict[str, Any] = {}
        self._check()

    def start(self, record: Mapping[str, Any]) -> None:
        """Write the record with status ``incomplete``, and remove what an earlier run wrote.

        In this order, so that a record that cannot be written loses nothing. A run that is killed
        leaves that status behind. Files that no run wrote stay.

        Raises:
            OutputError: The folder cannot be written, another command works on it, or something
                was put into it since it was checked.
            SinkError: The record cannot be written.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock = run_lock(self.path)
            self._check()
            old = _files_of_run(self.path)
            # Until they are gone, so that a kill in between leaves them known as a run's.
            replaced = {"replaced": [each.name for each in old if each.suffix == VIDEO]}
            self._record = {"status": "incomplete", **record}
            self._write(self._record | replaced if replaced["replaced"] else self._record)
            for each in old:
                if each.name != RUN_RECORD:
                    _remove(each)
        except OSError as error:
            raise OutputError(
                f"output {self.path} cannot be written ({error.strerror}): {way_out(error)}"
            ) from None

    def finish(self, status: str, results: Mapping[str, Any]) -> None:
        """Add results to the record and set its status: ``complete``, ``failed``, ``interrupted``.

        Of a run that did not come to its end, files that are not whole are removed.

        Raises:
            SinkError: The record cannot be written.
        """
        self._record |= {"status": status, **results}
        if status != "complete":
            with suppress(OSError):
                for each in _files_of_run(self.path):
                    if partial_of(each) is not None:
                        _remove(each)
        self._write(self._record)

    def close(self) -> None:
        """Let other commands write into the folder."""
        if self._lock is not None:
            self._lock.release()

    def _check(self) -> None:
        path = self.path
        if path.exists() and not path.is_dir():
            raise OutputError(f"output {path} is a file: choose another --out")
        existing = next((each for each in (path, *path.parents) if each.exists()), path)
        if not os.access(existing, os.W_OK | os.X_OK):
            raise OutputError(f"output {path} is not writable: choose another --out")
        ours = {path / name for name in (*RUN_FILES, *self._videos)}
        ours |= set(_files_of_run(path) if path.is_dir() else [])
        check_outputs(sorted(ours), self._inputs)
        if not path.is_dir() or {each.name for each in path.iterdir()} <= {LOCK}:
            return
        if not self._overwrite:
            raise OutputError(
                f"output {path} exists already: choose another --out, or --overwrite to replace it"
            )
        if not (path / RUN_RECORD).is_file():
            raise OutputError(
                f"output {path} holds files but no {RUN_RECORD}, so no run made it and nothing in it "
                "is overwritten: choose another --out"
            )
        for each in (path / name for name in self._videos):
            if os.path.lexists(each) and not is_annotated(each):
                raise OutputError(
                    f"{each} was not written by a run, but this one would replace it: move it "
                    "away, or choose another --out"
                )

    def _write(self, record: Mapping[str, Any]) -> None:
        write_atomically(self.path / RUN_RECORD, as_json(record))


def _files_of_run(folder: Path) -> list[Path]:
    """Return what an earlier run wrote into a folder: fixed names, and videos of its cameras."""
    try:
        record = json.loads(read_regular(folder / RUN_RECORD))
        videos = {f"{camera['name']}{VIDEO}" for camera in record["settings"]["cameras"]}
        videos |= set(record.get("replaced", []))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        videos = set()
    found = []
    for path in folder.iterdir():
        if path.name in videos or path.name == MOSAIC:
            found += [path] if is_annotated(path) else []
        elif path.name in RUN_FILES or partial_of(path) in {*RUN_FILES, *videos}:
            found.append(path)
    return found


def _remove(path: Path) -> None:
    """Remove a file of a run; of the folder of crops, the crops, and what is empty then."""
    if path.is_symlink() or not path.is_dir():
        path.unlink()
        return
    for crop in path.glob("*/*.jpg*"):
        if parse_crop_name(partial_of(crop) or crop.name) is not None:
            crop.unlink()
    for each in (*path.iterdir(), path):
        with suppress(OSError):  # holds something else, or is a file
            each.rmdir()
