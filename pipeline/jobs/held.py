"""Locks that keep other writers out of results."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.archive.journal import Journal
from pipeline.layout.archive import ArchiveFolder
from pipeline.layout.recording import recording_lock
from pipeline.results import Results
from pipeline.sinks.run_folder import run_lock

__all__ = ["held"]


@contextmanager
def held(
    results: Results, *, way_out: str = "stop it, run this again, and start it anew"
) -> Iterator[None]:
    """Keep others who write out of finished work.

    Args:
        results: The work.
        way_out: What to do while a live run records into it, for the message.

    Raises:
        OutputError: A live run, or another command, works on it.
    """
    if results.kind == "archive":
        with Journal(ArchiveFolder(results.path)).held():
            yield
    elif results.kind == "recording":
        taken = f"a live run is recording into {results.path}: {way_out}"
        with recording_lock(results.path, taken=taken):
            yield
    else:
        with run_lock(results.path):
            yield
