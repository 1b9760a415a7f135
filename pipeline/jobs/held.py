"""Locks that keep other writers out of results."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from pipeline.archive.journal import Journal
from pipeline.layout.archive import ArchiveFolder
from pipeline.layout.files import remove_halves
from pipeline.layout.recording import recording_lock
from pipeline.results import Results
from pipeline.sinks.run_folder import run_lock

__all__ = ["held"]


@contextmanager
def held(
    results: Results, *, way_out: str = "stop it, run this again, and start it anew"
) -> Iterator[None]:
    """Keep others who write out of finished work, and remove what a kill left half written.

    Args:
        results: The work.
        way_out: What to do while a live run records into it, for the message.

    Raises:
        OutputError: A live run, or another command, works on it.
    """
    with _lock(results, way_out):
        remove_halves(results.path)
        yield


def _lock(results: Results, way_out: str) -> AbstractContextManager[object]:
    if results.kind == "archive":
        return Journal(ArchiveFolder(results.path)).held()
    if results.kind == "recording":
        taken = f"a live run is recording into {results.path}: {way_out}"
        return recording_lock(results.path, taken=taken)
    return run_lock(results.path)
