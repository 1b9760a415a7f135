"""The folder of one run: made safely, marked incomplete until everything is in it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from pipeline.errors import OutputError
from pipeline.layout.files import partial_of, write_atomically
from pipeline.layout.run import RUN_FILES, RUN_RECORD
from pipeline.locks import Lock

__all__ = ["RunFolder", "run_lock"]

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
    earlier run left is touched.

    Args:
        path: The folder; made by ``start``.
        overwrite: Whether an earlier run's files may be replaced.

    Raises:
        OutputError: The folder holds something, or could not be written.
    """

    def __init__(self, path: Path, *, overwrite: bool) -> None:
        self.path = path
        self._overwrite = overwrite
        self._lock: Lock | None = None
        self._record: dict[str, Any] = {}
        self._check(overwrite=overwrite)

    def start(self, record: Mapping[str, Any]) -> None:
        """Remove what an earlier run wrote and write the record with status ``incomplete``.

        A run that is killed leaves that status behind. Files that no run wrote stay.

        Raises:
            OutputError: The folder cannot be written, another command works on it, or a run
                was made in it since it was checked.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock = run_lock(self.path)
            self._check(overwrite=self._overwrite)
            for old in _files_of_run(self.path):
                _remove(old)
        except OSError as error:
            raise OutputError(
                f"output {self.path} cannot be written ({error.strerror}): choose another --out"
            ) from None
        self._record = {"status": "incomplete", **record}
        self._write()

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
        self._write()

    def close(self) -> None:
        """Let other commands write into the folder."""
        if self._lock is not None:
            self._lock.release()

    def _check(self, *, overwrite: bool) -> None:
        path = self.path
        if path.exists() and not path.is_dir():
            raise OutputError(f"output {path} is a file: choose another --out")
        existing = next((each for each in (path, *path.parents) if each.exists()), path)
        if not os.access(existing, os.W_OK | os.X_OK):
            raise OutputError(f"output {path} is not writable: choose another --out")
        if not path.is_dir() or {each.name for each in path.iterdir()} <= {LOCK}:
            return
        if not overwrite:
            raise OutputError(
                f"output {path} exists already: choose another --out, or --overwrite to replace it"
            )
        if not (path / RUN_RECORD).is_file():
            raise OutputError(
                f"output {path} holds files but no {RUN_RECORD}, so no run made it and nothing in it "
                "is overwritten: choose another --out"
            )

    def _write(self) -> None:
        text = json.dumps(self._record, indent=2, ensure_ascii=False) + "\n"
        write_atomically(self.path / RUN_RECORD, text.encode())


def _files_of_run(folder: Path) -> list[Path]:
    """Return what an earlier run wrote into a folder: fixed names, and videos of its cameras."""
    try:
        record = json.loads((folder / RUN_RECORD).read_text(encoding="utf-8"))
        cameras = [str(camera["name"]) for camera in record["settings"]["cameras"]]
    except (OSError, ValueError, KeyError, TypeError):
        cameras = []
    names = {*RUN_FILES, *(f"{camera}.mp4" for camera in cameras)}
    return [path for path in folder.iterdir() if path.name in names or partial_of(path) in names]


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
