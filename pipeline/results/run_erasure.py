"""Erasure of an identity from the folder of a run."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.errors import ResultsError
from pipeline.foreign import read_regular, unreadable
from pipeline.layout.files import read_table, write_atomically
from pipeline.layout.run import (
    EMBEDDINGS_PARQUET,
    EVENTS_JSONL,
    GALLERY,
    IDENTITIES_CSV,
    MOSAIC,
    TRACKS_CSV,
    TRACKS_PARQUET,
    parse_crop_name,
)
from pipeline.results.run import RunResults

__all__ = ["forget_in_run", "videos_of"]

Tracks = frozenset[tuple[str, int]]
"""``(camera, track)`` of each track of a person."""


def videos_of(results: RunResults, sightings: pd.DataFrame) -> tuple[Path, ...]:
    """Return the annotated videos that show some sightings, the mosaic last."""
    names = [*(f"{camera}.mp4" for camera in sorted(set(sightings["camera"]))), MOSAIC]
    folder = results.path.resolve()
    # A stranger's table may name cameras that lead out of the folder.
    inside = [path for name in names if (path := folder / name).resolve().parent == folder]
    return tuple(path for path in inside if path.is_file())


def forget_in_run(
    results: RunResults,
    sightings: pd.DataFrame,
    *,
    videos: tuple[Path, ...],
    cover: Callable[[Path, pd.DataFrame], None],
    on_file: Callable[[Path], None],
) -> None:
    """Cover a person in videos, and remove the person from pictures and tables.

    Args:
        results: The run.
        sightings: The person's.
        videos: As ``videos_of`` returned them.
        cover: Covers the person in a video, see ``pipeline.results.erasure.Cover``.
        on_file: Called with every file that was rewritten.

    Raises:
        ResultsError: A table is damaged.
        SinkError: A file cannot be written.
    """
    folder = results.path
    tracks = frozenset(
        zip(sightings["camera"].tolist(), sightings["track_id"].tolist(), strict=True)
    )
    # All tables first: one that cannot be read is told of before anything is changed.
    tables = {name: _csv_without(folder / name, tracks) for name in (TRACKS_CSV, IDENTITIES_CSV)}
    events = _events_without(folder / EVENTS_JSONL, tracks)
    if videos:
        boxes = _boxes(results, tracks)
        for video in videos:
            own = boxes if video.name == MOSAIC else boxes[boxes["camera"] == video.stem]
            cover(video, own)
            on_file(video)
    _remove_crops(folder / GALLERY, tracks)
    for name in (EMBEDDINGS_PARQUET, TRACKS_PARQUET):
        if (folder / name).is_file():
            _rewrite_parquet(folder / name, tracks)
            on_file(folder / name)
    if events is not None:
        write_atomically(folder / EVENTS_JSONL, events)
    for name, content in tables.items():
        _replace(folder / name, content)
        on_file(folder / name)


def _boxes(results: RunResults, tracks: Tracks) -> pd.DataFrame:
    found = pd.concat(
        [results.boxes(camera) for camera in sorted({camera for camera, _ in tracks})],
        ignore_index=True,
    )
    pairs = zip(found["camera"].tolist(), found["track_id"].tolist(), strict=True)
    return found[np.array([pair in tracks for pair in pairs], bool)]


def _remove_crops(gallery: Path, tracks: Tracks) -> None:
    for path in gallery.glob("*/*.jpg"):
        crop = parse_crop_name(path.name)
        if crop is not None and (crop.camera, crop.track_id) in tracks:
            path.unlink()
            if not any(path.parent.iterdir()):
                path.parent.rmdir()


def _rewrite_parquet(path: Path, tracks: Tracks) -> None:
    table = read_table(path, way_out="remove it, then forget again")
    gone: pa.Array | None = None
    for camera, track in tracks:
        same = pc.and_(pc.equal(table["camera"], camera), pc.equal(table["track_id"], track))
        gone = same if gone is None else pc.or_(gone, same)
    buffer = io.BytesIO()
    pq.write_table(table if gone is None else table.filter(pc.invert(gone)), buffer)
    _replace(path, buffer.getvalue())


def _csv_without(path: Path, tracks: Tracks) -> bytes:
    """Return a table without the rows of some tracks, whatever program saved it."""
    try:
        header, *lines = _lines(path)
        columns = header.removeprefix("\ufeff")
        rows = csv.DictReader([columns, *lines], delimiter=max(",;\t", key=columns.count))
        kept = [
            line
            for line, row in zip(lines, rows, strict=True)
            if (row["camera"], int(row["track_id"])) not in tracks
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ResultsError(unreadable(path, error, mend="run again")) from None
    return "".join([header, *kept]).encode()


def _events_without(path: Path, tracks: Tracks) -> bytes | None:
    """Return events but those of the person's tracks, and of identities that only those had."""
    if not os.path.lexists(path):
        return None
    try:
        lines = _lines(path)
        events = [json.loads(line) for line in lines]
        is_theirs = [(each.get("camera"), each.get("track_id")) in tracks for each in events]
        theirs, others = (
            {
                each["global_id"]
                for each, of_person in zip(events, is_theirs, strict=True)
                if of_person == wanted and each.get("camera")
            }
            for wanted in (True, False)
        )
        gone = theirs - others
        kept = [
            line
            for line, each, of_person in zip(lines, events, is_theirs, strict=True)
            if not of_person and not {each["global_id"], each.get("other_id")} & gone
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        mend = "remove it, then forget again"
        raise ResultsError(unreadable(path, error, mend=mend)) from None
    return "".join(kept).encode()


def _lines(path: Path) -> list[str]:
    return io.TextIOWrapper(io.BytesIO(read_regular(path)), "utf-8").readlines()


def _replace(path: Path, content: bytes) -> None:
    """Replace a file, for the owner alone if the old one was."""
    write_atomically(path, content, private=path.stat().st_mode & 0o077 == 0)
