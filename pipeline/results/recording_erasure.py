"""Taking a person, or old days, out of a recording that no live run is writing."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Collection, Iterable
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.errors import ResultsError
from pipeline.layout.database import Database, Statement, open_reader
from pipeline.layout.edits import sighting_name
from pipeline.layout.files import write_private
from pipeline.layout.recording import REGISTRY, Kind, Recorded, plain_camera, recorded_files
from pipeline.results.recording import RecordingResults

__all__ = [
    "days_before",
    "forget_in_recording",
    "known_numbers",
    "prune_recording",
    "videos_of",
]

MARGIN_S = 2.0
"""Lines are written, and videos begun, a little later or earlier than what they hold."""
ORPHANS = (
    "DELETE FROM matched WHERE identity NOT IN (SELECT found FROM sightings WHERE found NOTNULL) "
    "AND identity NOT IN (SELECT owner FROM sightings WHERE owner NOTNULL)"
)


def videos_of(results: RecordingResults, sightings: pd.DataFrame) -> tuple[Path, ...]:
    """Return the files of annotated video that may show some sightings."""
    found = []
    for camera, own in sightings.groupby("camera"):
        files = [each for each in results.videos() if each.path.parent.name == camera]
        found += [each.path for each in _overlapping(files, own)]
    return tuple(found)


def known_numbers(results: RecordingResults, sightings: pd.DataFrame) -> list[int]:
    """Return the matcher's numbers in the gallery whose features come from some sightings.

    Where a person was split off by hand, that is the number of whom the person was taken for.
    """
    identities = set(results.resolved().reindex(sightings["sighting"]).astype(int))
    with open_reader(results.path / REGISTRY) as reader:
        rows = reader.execute("SELECT matcher_id, identity FROM matched").fetchall()
    return sorted(row["matcher_id"] for row in rows if row["identity"] in identities)


def forget_in_recording(
    results: RecordingResults,
    global_id: int,
    sightings: pd.DataFrame,
    *,
    videos: tuple[Path, ...],
    cover: Callable[[Path, pd.DataFrame], None],
    on_file: Callable[[Path], None],
) -> None:
    """Cover a person in videos, and remove the person from logs and the database.

    Args:
        results: The recording, which nobody else may write meanwhile.
        global_id: Number of the person.
        sightings: The person's.
        videos: As ``videos_of`` returned them.
        cover: Covers the person in a video, see ``pipeline.results.erasure.Cover``.
        on_file: Called with every file that was rewritten.

    Raises:
        ResultsError: A file is damaged.
        SinkError: A file cannot be written.
    """
    tracks = set(zip(sightings["camera"].tolist(), sightings["track_id"].tolist(), strict=True))
    names = set(sightings["sighting"])
    for camera in sorted({camera for camera, _ in tracks} if videos else ()):
        boxes = results.boxes(camera)
        pairs = zip(boxes["camera"], boxes["track_id"], strict=True)
        own = boxes[[sighting_name(*pair) in names for pair in pairs]]
        for video in videos:
            if video.parent.name == camera:
                cover(video, own)
                on_file(video)
    numbers = set(results.edits().members(global_id))
    for file in _overlapping(list(recorded_files(results.path, [Kind.TRACKS])), sightings):
        if _keep_rows(file.path, tracks):
            on_file(file.path)
    for file in recorded_files(results.path, [Kind.EVENTS]):
        if _keep_events(file.path, tracks, numbers):
            on_file(file.path)
    sql = "DELETE FROM sightings WHERE camera = ? AND track = ?"
    _erase(results.path, [(sql, each) for each in sorted(tracks)])
    on_file(results.path / REGISTRY)


def days_before(results: RecordingResults, first_kept: date) -> list[str]:
    """Return the days (ISO, UTC) on which something began before a date, in their order."""
    begun = {_day(each.begun_s) for each in recorded_files(results.path)}
    begun |= set(results.sightings()["first_time"].dt.strftime("%Y-%m-%d"))
    return sorted(day for day in begun if day < first_kept.isoformat())


def prune_recording(results: RecordingResults, days: list[str]) -> int:
    """Remove everything that began on some days; return how many files were removed.

    Raises:
        SinkError: The database cannot be written.
    """
    gone = [each.path for each in recorded_files(results.path) if _day(each.begun_s) in days]
    for path in gone:
        path.unlink(missing_ok=True)
    table = results.sightings()
    old = table[table["first_time"].dt.strftime("%Y-%m-%d").isin(days)]
    keys = zip(old["camera"].tolist(), old["track_id"].tolist(), strict=True)
    _erase(
        results.path, [("DELETE FROM sightings WHERE camera = ? AND track = ?", k) for k in keys]
    )
    return len(gone)


def _erase(folder: Path, statements: Iterable[Statement]) -> None:
    """Delete sightings, then the matcher's numbers of whoever has none left."""
    with closing(Database(folder / REGISTRY)) as database:
        database.write([*statements, (ORPHANS, ())])


def _overlapping(files: list[Recorded], sightings: pd.DataFrame) -> list[Recorded]:
    """Return the files of one kind, and of one camera, that may hold some of the sightings."""
    ordered = sorted(files, key=lambda each: each.begun_s)
    ends = [each.begun_s for each in ordered[1:]] + [float("inf")]
    first, last = (
        sightings[name].astype("int64").to_numpy() / 1e6 for name in ("first_time", "last_time")
    )
    return [
        file
        for file, end_s in zip(ordered, ends, strict=False)
        if np.any((first - MARGIN_S <= end_s) & (last + MARGIN_S >= file.begun_s))
    ]


def _keep_rows(path: Path, tracks: Collection[tuple[str, int]]) -> bool:
    """Remove the rows of some tracks; return whether there were any."""
    try:
        header, *lines = _whole_lines(path)
        kept = [
            line
            for line, row in zip(lines, csv.DictReader([header, *lines]), strict=True)
            if (plain_camera(row["camera"]), int(row["track_id"])) not in tracks
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ResultsError(f"{path} is damaged ({error}): remove it, then forget again") from None
    if len(kept) < len(lines):
        write_private(path, "".join([header, *kept]).encode())
    return len(kept) < len(lines)


def _keep_events(path: Path, tracks: Collection[tuple[str, int]], numbers: Collection[int]) -> bool:
    """Remove events of some tracks and identities; return whether there were any."""
    try:
        lines = _whole_lines(path)
        kept = [line for line in lines if not _is_about(json.loads(line), tracks, numbers)]
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise ResultsError(f"{path} is damaged ({error}): remove it, then forget again") from None
    if len(kept) < len(lines):
        write_private(path, "".join(kept).encode())
    return len(kept) < len(lines)


def _whole_lines(path: Path) -> list[str]:
    """Return the lines of a file without half a one at its end, which a kill left."""
    whole, end, _ = path.read_text(encoding="utf-8").rpartition("\n")
    return (whole + end).splitlines(keepends=True)


def _is_about(
    event: dict[str, object], tracks: Collection[object], numbers: Collection[object]
) -> bool:
    own = (event["camera"], event["track_id"]) in tracks
    return own or event["global_id"] in numbers or event["other_id"] in numbers


def _day(time_s: float) -> str:
    return datetime.fromtimestamp(time_s, UTC).date().isoformat()
