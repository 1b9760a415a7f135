"""Erasure of an identity or old days from a recording."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.errors import ResultsError
from pipeline.foreign import unreadable
from pipeline.layout.database import ORPHANS, Database, Statement, erasing, open_reader
from pipeline.layout.edits import sighting_name
from pipeline.layout.files import write_private
from pipeline.layout.recording import REGISTRY, Kind, Recorded, plain_camera, recorded_files
from pipeline.results.recording import RecordingResults
from pipeline.whole_lines import read_whole

__all__ = [
    "days_before",
    "forget_in_recording",
    "known_numbers",
    "prune_recording",
    "videos_of",
]

Track = tuple[str, int]
"""Camera and number of a track."""
MARGIN_S = 2.0
"""Videos begin a little later or earlier than what they hold."""
LATE_S = 3600.0
"""Lines may be written so long after their time, where the disk or the machine was slow."""


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
    at_rest: Callable[[], AbstractContextManager[object]] = nullcontext,
    erase: Callable[[Collection[Track]], None] | None = None,
) -> None:
    """Cover a person in videos, and remove the person from logs and the database.

    Args:
        results: The recording. Where a live run goes on with it, the person must be in none of
            the files and tracks that it is writing.
        global_id: The identity.
        sightings: The person's.
        videos: As ``videos_of`` returned them.
        cover: Covers the person in a video, see ``pipeline.results.erasure.Cover``.
        on_file: Called with every file that was rewritten.
        at_rest: Keeps a live run from writing logs meanwhile.
        erase: Erases tracks from the database; ``None`` where no live run has it open.

    Raises:
        ResultsError: A file is damaged.
        SinkError: A file cannot be written.
    """
    tracks = set(zip(sightings["camera"].tolist(), sightings["track_id"].tolist(), strict=True))
    names = set(sightings["sighting"])
    for camera in sorted({camera for camera, _ in tracks} if videos else ()):
        boxes = results.boxes(camera)
        pairs = zip(boxes["camera"], boxes["track_id"], strict=True)
        own = boxes[np.array([sighting_name(*pair) in names for pair in pairs], bool)]
        for video in videos:
            if video.parent.name == camera:
                cover(video, own)
                on_file(video)
    numbers = set(results.edits().members(global_id))
    logs = _overlapping(list(recorded_files(results.path, [Kind.TRACKS])), sightings, late_s=LATE_S)
    logs += recorded_files(results.path, [Kind.EVENTS])
    for file in logs:
        with at_rest():
            left = _lines_left(
                file, lambda line: line.track in tracks or bool(numbers & {*line.identities})
            )
            if left is not None:
                _replace(file.path, left)
                on_file(file.path)
    if erase is None:
        _write(results.path, erasing(tracks))
    else:
        erase(tracks)
    on_file(results.path / REGISTRY)


def days_before(results: RecordingResults, first_kept: date) -> list[str]:
    """Return the days (ISO, UTC) that hold what ended before a date, in their order."""
    _, ended = _outdated(results, first_kept)
    days = set(ended["first_time"].dt.strftime("%Y-%m-%d"))
    days |= {_day(file.begun_s) for file, _ in _outdated_files(results, first_kept)}
    return sorted(days)


def prune_recording(results: RecordingResults, first_kept: date) -> int:
    """Remove every sighting that ended before a date; return how many files were changed.

    What the logs of days before hold of later sightings stays; their video goes.

    Raises:
        ResultsError: A log is damaged.
        SinkError: A log or the database cannot be written.
    """
    _, ended = _outdated(results, first_kept)
    files = list(_outdated_files(results, first_kept))
    for file, left in files:
        _replace(file.path, left)
    keys = zip(ended["camera"].tolist(), ended["track_id"].tolist(), strict=True)
    gone = [("DELETE FROM sightings WHERE camera = ? AND track = ?", each) for each in keys]
    _write(results.path, [*gone, (ORPHANS, ())])
    return len(files)


def _outdated(results: RecordingResults, first_kept: date) -> tuple[set[Track], pd.DataFrame]:
    """Return the tracks that ended on a date or later, and the sightings that ended before."""
    table = results.sightings()
    is_over = table["last_time"] < pd.Timestamp(first_kept, tz="UTC")
    kept = table[~is_over]
    return set(zip(kept["camera"].tolist(), kept["track_id"].tolist(), strict=True)), table[is_over]


def _outdated_files(results: RecordingResults, first_kept: date) -> Iterator[tuple[Recorded, str]]:
    """Yield the files to change of the days before a date, with what is left of their text."""
    kept, _ = _outdated(results, first_kept)
    for file in recorded_files(results.path):
        if _day(file.begun_s) < first_kept.isoformat():
            left = None
            if file.kind is not Kind.VIDEO:
                left = _lines_left(file, lambda line: line.track not in kept)
                if left is None:
                    continue
            yield file, left or ""


def _write(folder: Path, statements: Iterable[Statement]) -> None:
    with closing(Database(folder / REGISTRY)) as database:
        database.write(statements)


def _overlapping(
    files: list[Recorded], sightings: pd.DataFrame, *, late_s: float = MARGIN_S
) -> list[Recorded]:
    """Return the files of one kind, and of one camera, that may hold some of the sightings."""
    ordered = sorted(files, key=lambda each: each.begun_s)
    ends = [each.begun_s for each in ordered[1:]] + [float("inf")]
    first, last = (
        sightings[name].astype("int64").to_numpy() / 1e6 for name in ("first_time", "last_time")
    )
    return [
        file
        for file, end_s in zip(ordered, ends, strict=False)
        if np.any((first - MARGIN_S <= end_s) & (last + late_s >= file.begun_s))
    ]


def _replace(path: Path, text: str) -> None:
    if text:
        write_private(path, text.encode())
    else:
        path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class _Line:
    """Whom a line of a log is about."""

    track: Track
    identities: tuple[int | None, ...] = ()


def _lines_left(file: Recorded, is_gone: Callable[[_Line], bool]) -> str | None:
    """Return a log without some lines, empty if none is left, ``None`` where none goes.

    Half a line at its end, which a kill left, goes with them.
    """
    try:
        lines = read_whole(file.path).decode().splitlines(keepends=True)
        header = lines[:1] if file.kind is Kind.TRACKS else []
        described = _rows(lines) if file.kind is Kind.TRACKS else map(_event, lines)
        lines = lines[len(header) :]
        kept = [line for line, about in zip(lines, described, strict=True) if not is_gone(about)]
    except (OSError, ValueError, KeyError, TypeError) as error:
        mend = "remove it, then run this again"
        raise ResultsError(unreadable(file.path, error, mend=mend)) from None
    if len(kept) == len(lines):
        return None
    return "".join([*header, *kept]) if kept else ""


def _rows(lines: Iterable[str]) -> Iterator[_Line]:
    for row in csv.DictReader(lines):
        yield _Line((plain_camera(row["camera"]), int(row["track_id"])))


def _event(line: str) -> _Line:
    event = json.loads(line)
    return _Line((event["camera"], event["track_id"]), (event["global_id"], event["other_id"]))


def _day(time_s: float) -> str:
    return datetime.fromtimestamp(time_s, UTC).date().isoformat()
