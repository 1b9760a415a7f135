"""The boxes of a run: ``tracks.csv`` camera by camera, checked, in bounded memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.errors import ResultsError
from pipeline.foreign_tables import numbers_in, read_csv_in_pieces
from pipeline.places import PLACE_COLUMNS

__all__ = ["read_boxes", "recorded_cameras"]

COLUMNS = ["frame", "time", "track_id", "global_id", "x", "y", "w", "h", "score"]
WHOLE = frozenset({"frame", "track_id", "global_id"})
IN_FILE = ["camera", *(name if name != "time" else "time_s" for name in COLUMNS)]
ROWS_AT_ONCE = 4_000_000
"""Boxes in memory; a camera that has more than these is read alone."""
CHUNK_ROWS = 500_000


def recorded_cameras(path: Path) -> Mapping[str, int]:
    """Return how many boxes each camera has in a ``tracks.csv``.

    Raises:
        ResultsError: It is missing or no such table.
    """
    counts: Counter[str] = Counter()
    for chunk in _chunks(path, ["camera"]):
        counts.update(chunk["camera"].tolist())
    return counts


def read_boxes(
    path: Path, cameras: Sequence[str], *, counts: Mapping[str, int]
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield each camera and its boxes, in order of (frame, track).

    Args:
        path: A ``tracks.csv``.
        cameras: Which, in this order.
        counts: As ``recorded_cameras`` returned them.

    Raises:
        ResultsError: A value is no number; names the row, from 1.
    """
    for group in _groups(cameras, counts):
        found: dict[str, list[pd.DataFrame]] = {camera: [] for camera in group}
        for chunk in _chunks(path, None):
            for camera, rows in chunk[chunk["camera"].isin(group)].groupby("camera", sort=False):
                found[str(camera)].append(_checked(rows, path))
        for camera in group:
            tables = found.pop(camera)
            boxes = pd.concat(tables) if tables else _none()
            yield camera, boxes.sort_values(["frame", "track_id"], ignore_index=True)


def _groups(cameras: Sequence[str], counts: Mapping[str, int]) -> Iterator[list[str]]:
    """Yield the cameras whose boxes fit into memory together."""
    group: list[str] = []
    rows = 0
    for camera in cameras:
        if group and rows + counts.get(camera, 0) > ROWS_AT_ONCE:
            yield group
            group, rows = [], 0
        group.append(camera)
        rows += counts.get(camera, 0)
    if group:
        yield group


def _chunks(path: Path, columns: list[str] | None) -> Iterator[pd.DataFrame]:
    if not path.exists():
        raise ResultsError(
            f"tracks {path} does not exist: either {path.parent} is no run's folder, or the run "
            "did not finish; run it again"
        )
    pieces = read_csv_in_pieces(path, what="tracks", raises=ResultsError, rows_at_once=CHUNK_ROWS)
    for chunk in pieces:
        if missing := sorted(set(IN_FILE) - set(chunk.columns)):
            raise ResultsError(f"tracks {path} lacks the columns {', '.join(missing)}")
        yield chunk if columns is None else chunk[columns]


def _checked(rows: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Return a table whose numbers are numbers, the whole ones int64."""
    rows = rows.rename(columns={"time_s": "time"})
    placed = [name for name in PLACE_COLUMNS if name in rows]
    checked = rows[[*COLUMNS, *placed]].copy()
    for column in placed:
        checked[column] = numbers_in(rows[column], whole=False)
    for column in COLUMNS:
        values = numbers_in(rows[column], whole=column in WHOLE)
        wrong = np.isnan(values)
        if column in ("w", "h"):
            wrong |= values < 0
        if wrong.any():
            place = int(wrong.argmax())
            kind = "a whole number" if column in WHOLE else "a number"
            kind += " of at least 0" if column in ("w", "h") else ""
            value = rows[column].iloc[place]
            shown = repr(value) if isinstance(value, str) else value
            raise ResultsError(
                f"tracks {path}: row {int(rows.index[place]) + 1} has {column} = {shown}, "
                f"expected {kind}"
            )
        checked[column] = values.astype(np.int64) if column in WHOLE else values
    return checked


def _none() -> pd.DataFrame:
    types = {name: np.int64 if name in WHOLE else np.float64 for name in COLUMNS}
    return pd.DataFrame(columns=COLUMNS).astype(types)
