"""Erasure of identities and old days from results of every kind.

What was derived goes first (report, search index), then pictures, then tables, and last the
table by which the person is known: a kill in between leaves the person known, so that the same
command does the rest. Every file is replaced whole.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from pipeline.datatypes import UNASSIGNED
from pipeline.errors import ResultsError
from pipeline.layout.edit_log import EditLog
from pipeline.layout.run import REPORT
from pipeline.results import open_results
from pipeline.results.archive import ArchiveResults
from pipeline.results.archive_erasure import days_before, forget_in_archive, prune_archive
from pipeline.results.base import Results
from pipeline.results.recording import RecordingResults
from pipeline.results.recording_erasure import days_before as recorded_days_before
from pipeline.results.recording_erasure import forget_in_recording, prune_recording
from pipeline.results.recording_erasure import videos_of as recorded_videos_of
from pipeline.results.run import RunResults
from pipeline.results.run_erasure import forget_in_run, videos_of

__all__ = ["Cover", "Person", "days_before_in", "find_person", "forget_person", "prune_before"]

Cover = Callable[[Path, pd.DataFrame], None]
"""Covers a person in a video: the file, and the person's rows of ``Results.boxes``, those of all
cameras for a video of all cameras."""


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """Where a person is in finished work.

    Attributes:
        results: The work.
        global_id: The identity.
        sightings: The person's rows of ``Results.sightings``.
        videos: Annotated videos that show the person, the mosaic last.
    """

    results: Results
    global_id: int
    sightings: pd.DataFrame
    videos: tuple[Path, ...] = ()


def find_person(results: Results, global_id: int) -> Person:
    """Return where a person is.

    Raises:
        ResultsError: The work is not finished, or nobody has that number.
    """
    if isinstance(results, RunResults) and results.summary().status != "complete":
        raise ResultsError(
            f"the run in {results.path} is {results.summary().status or 'without a record'}: let "
            "it end, or run it again"
        )
    table, global_id = results.sightings(), results.edits().shown(global_id)
    own = table[table["global_id"] == global_id]
    # Of an archive whose erasure was killed at its end, the identities alone may be left.
    known_still = not own.empty or bool((results.owners() == global_id).any())
    if global_id == UNASSIGNED or not known_still:
        known = sorted(set(table["global_id"]) - {UNASSIGNED})
        described = f"from {known[0]} to {known[-1]}" if known else "none"
        raise ResultsError(
            f"{results.path} has no identity {global_id}: its identities are {described}"
        )
    videos: tuple[Path, ...] = ()
    if isinstance(results, RunResults):
        videos = videos_of(results, own)
    elif isinstance(results, RecordingResults):
        videos = recorded_videos_of(results, own)
    return Person(results, global_id, own, videos)


def forget_person(
    person: Person, *, cover: Cover, on_file: Callable[[Path], None] = lambda _path: None
) -> None:
    """Cover a person in videos, and remove the person from pictures, vectors and tables.

    The report is removed; write it anew afterwards.

    Args:
        person: As ``find_person`` returned it.
        cover: Covers the person in a video.
        on_file: Called with every file that was rewritten.

    Raises:
        ResultsError: A table or a video is damaged.
        SinkError: A file cannot be written.
    """
    results, own = person.results, person.sightings
    (results.path / REPORT).unlink(missing_ok=True)
    if isinstance(results, RunResults):
        forget_in_run(results, own, videos=person.videos, cover=cover, on_file=on_file)
    elif isinstance(results, RecordingResults):
        forget_in_recording(
            results, person.global_id, own, videos=person.videos, cover=cover, on_file=on_file
        )
    elif isinstance(results, ArchiveResults):
        forget_in_archive(results.folder, set(own["sighting"]), on_file=on_file)
    _drop_edits(results)


def days_before_in(results: Results, first_kept: date) -> list[str]:
    """Return the days (ISO, UTC) that hold what ended before a date, in their order.

    Raises:
        ResultsError: The work has no days, or is not finished.
    """
    if isinstance(results, RecordingResults):
        return recorded_days_before(results, first_kept)
    return days_before(_of_days(results).folder, first_kept)


def prune_before(results: Results, first_kept: date) -> int:
    """Remove every sighting that ended before a date; return how many files were changed.

    The report is removed; write it anew afterwards.

    Raises:
        ResultsError: The work has no days, or a part of it is damaged.
        SinkError: A table cannot be written.
    """
    (results.path / REPORT).unlink(missing_ok=True)
    if isinstance(results, RecordingResults):
        changed = prune_recording(results, first_kept)
    else:
        changed = prune_archive(_of_days(results).folder, first_kept)
    _drop_edits(results)
    return changed


def _drop_edits(results: Results) -> None:
    """Remove the edits, names among them, of whoever has no sighting left."""
    log = EditLog(results.path)
    if log.edits.by_number:
        left = open_results(results.path).resolved()
        people = {*left.tolist(), *(log.edits.given.get(name, -1) for name in left.index)}
        names = set(left.index)
        log.keep(log.edits.needed(exists=people.__contains__, has_sighting=names.__contains__))


def _of_days(results: Results) -> ArchiveResults:
    if not isinstance(results, ArchiveResults):
        raise ResultsError(
            f"{results.path} has no days: give the --out of `reid-pipeline batch` or `live`; a "
            "run is removed with its folder"
        )
    return results
