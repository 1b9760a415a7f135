"""The two tables that a score compares, checked and brought into one form.

Ground truth: ``camera,frame,identity,x,y,w,h`` and optionally ``visible`` (share of the
person that can be seen, 1 where the column is missing) and ``time_s``. Found: a run's
``camera,frame,track_id,global_id,x,y,w,h`` and optionally ``score`` and ``time_s``. Frames
count from 0, boxes are pixels with the corner at the top left.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from pipeline.errors import InputError
from pipeline.foreign_tables import numbers_in

__all__ = ["BOX", "CAMERAS", "TRUTH_COLUMNS", "check_cameras", "check_ground_truth", "check_tracks"]

BOX = ["x", "y", "w", "h"]
TRUTH_COLUMNS = ["camera", "frame", "identity", *BOX]
CAMERAS = "cameras"
"""In a ground truth's ``attrs``: all its cameras, also those that show no person."""
TRACK_COLUMNS = ["camera", "frame", "track_id", "global_id", *BOX]


def check_ground_truth(table: pd.DataFrame, *, origin: str = "ground truth") -> pd.DataFrame:
    """Return the ground truth in order of (camera, frame) with a clean index.

    Args:
        table: Columns as above; further ones are kept.
        origin: How errors name the table.

    Raises:
        InputError: A column is missing, the table is empty, a value is no number, or an
            identity is twice in one frame of one camera.
    """
    _require_columns(table, TRUTH_COLUMNS, origin)
    if table.empty:
        raise InputError(f"{origin} has no rows, so there is nothing to score against")
    optional = {"visible": 1.0}
    checked = _with_numbers(table, origin, whole=["frame"], optional=optional)
    nameless = checked["identity"].isna()
    if nameless.any():
        raise InputError(f"{origin}: row {_first(nameless)} has no identity")
    _require_unique(checked, ["camera", "frame", "identity"], origin)
    return _in_order(checked)


def check_tracks(table: pd.DataFrame, *, origin: str = "tracks") -> pd.DataFrame:
    """Return the boxes of a run in order of (camera, frame) with a clean index.

    Args:
        table: Columns as above; further ones are kept. May be empty.
        origin: How errors name the table.

    Raises:
        InputError: A column is missing, a value is no number, or a track is twice in one
            frame of its camera.
    """
    _require_columns(table, TRACK_COLUMNS, origin)
    whole = ["frame", "track_id", "global_id"]
    checked = _with_numbers(table, origin, whole=whole, optional={"score": 1.0})
    _require_unique(checked, ["camera", "frame", "track_id"], origin)
    return _in_order(checked)


def check_cameras(truth: Iterable[str], found: Iterable[str]) -> None:
    """Raise unless every camera of a run is one of the ground truth.

    Args:
        truth: Cameras of the ground truth.
        found: Cameras of the run.

    Raises:
        InputError: Names both lists.
    """
    known, ours = sorted(set(truth)), sorted(set(found))
    if set(ours) - set(known):
        raise InputError(
            f"the cameras do not correspond: the run has {', '.join(ours)}, the ground truth "
            f"has {', '.join(known)}: rename one side, or leave cameras out"
        )


def _require_columns(table: pd.DataFrame, columns: Sequence[str], origin: str) -> None:
    missing = [column for column in columns if column not in table]
    if missing:
        raise InputError(
            f"{origin} lacks the columns {', '.join(missing)}; expected {','.join(columns)}, "
            f"got {','.join(map(str, table.columns))}"
        )


def _with_numbers(
    table: pd.DataFrame, origin: str, *, whole: Sequence[str], optional: dict[str, float]
) -> pd.DataFrame:
    """Return a copy whose number columns hold finite numbers, ``whole`` ones int64."""
    checked = table.assign(camera=table["camera"].astype(str))
    checked.attrs = dict(table.attrs)
    for column, default in optional.items():
        if column not in checked:
            checked[column] = default
    for column in [*whole, *BOX, *optional]:
        values = numbers_in(checked[column], whole=column in whole)
        wrong = np.isnan(values)
        if column in ("frame", "w", "h"):
            wrong |= values < 0
        if wrong.any():
            row = _first(wrong)
            kind = "a whole number" if column in whole else "a number"
            kind += " of at least 0" if column in ("frame", "w", "h") else ""
            value = table[column].iloc[row - 1]
            shown = repr(value) if isinstance(value, str) else value
            raise InputError(f"{origin}: row {row} has {column} = {shown}, expected {kind}")
        checked[column] = values.astype(np.int64) if column in whole else values
    return checked


def _require_unique(table: pd.DataFrame, key: list[str], origin: str) -> None:
    repeated = table.duplicated(key)
    if repeated.any():
        row = _first(repeated)
        what = ", ".join(f"{name} {table[name].iloc[row - 1]}" for name in key)
        raise InputError(f"{origin}: row {row} repeats {what}; it may be there once")


def _first(wrong: np.ndarray | pd.Series) -> int:
    """Return the number of the first marked row, from 1, not counting a header."""
    return int(np.flatnonzero(np.asarray(wrong))[0]) + 1


def _in_order(table: pd.DataFrame) -> pd.DataFrame:
    ordered = table.sort_values(["camera", "frame"], kind="stable", ignore_index=True)
    ordered.attrs = dict(table.attrs)
    return ordered
