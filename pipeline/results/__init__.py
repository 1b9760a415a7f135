"""Finished work on disk, read in one way: runs, archives and live recordings.

``open_results`` returns one ``Results`` for each of them; whoever reads finished work reads it
from there and knows no file of it.
"""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import ResultsError
from pipeline.layout.archive import ARCHIVE_RECORD
from pipeline.layout.recording import REGISTRY
from pipeline.layout.run import IDENTITIES_CSV, RUN_RECORD, TRACKS_CSV
from pipeline.results.archive import ArchiveResults
from pipeline.results.base import Results
from pipeline.results.pieces import BoxSequence, Part, Picture
from pipeline.results.recording import RecordingResults
from pipeline.results.run import RunResults

__all__ = ["BoxSequence", "Part", "Picture", "Results", "is_results", "open_results"]

KINDS = (
    (ArchiveResults, (ARCHIVE_RECORD,)),
    (RecordingResults, (REGISTRY,)),
    (RunResults, (RUN_RECORD, TRACKS_CSV, IDENTITIES_CSV)),
)
"""Classes, and the files by any of which a folder is known to be theirs."""


def open_results(path: str | Path) -> Results:
    """Open the ``--out`` folder of ``run``, ``batch`` or ``live``.

    Raises:
        ResultsError: It is none of them, or its record is damaged.
    """
    folder = Path(path)
    for kind, names in KINDS:
        if any((folder / name).is_file() for name in names):
            return kind(folder)
    problem = "is no run, archive or recording" if folder.is_dir() else "is no folder"
    raise ResultsError(f"{folder} {problem}: give the --out folder of `run`, `batch` or `live`")


def is_results(path: Path) -> bool:
    """Return whether a path is a folder that ``open_results`` would try to read."""
    return any((path / name).is_file() for _, names in KINDS for name in names)
