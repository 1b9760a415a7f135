"""Where people were on the floor: half second by half second, and how long in which square."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from pipeline.datatypes import UNASSIGNED
from pipeline.layout.database import open_reader
from pipeline.layout.recording import REGISTRY
from pipeline.places import SLOT_S
from pipeline.results.base import Results
from pipeline.results.visits import seconds

__all__ = ["occupied", "placed_boxes", "placed_paths"]

MAX_UNCERTAINTY_M = 2.0
"""Places that are known less well say nothing on a map."""
MIN_UNCERTAINTY_M = 0.05
MAX_SIDE_M = 500.0
"""Nothing further from the middle of all places counts."""
MAX_CELLS = 70
SIDES_M = (0.5, 1, 2, 5, 10, 20, 50, 100)


def placed_boxes(results: Results) -> pd.DataFrame:
    """Return where each person was in each half second, of finished work.

    Returns:
        ``global_id``, ``slot`` (half seconds), ``x`` and ``y`` (metres): the mean over cameras, places
        that are known well first.
    """
    tables = []
    for boxes in results.iter_boxes():
        rows = boxes[boxes["global_id"] != UNASSIGNED]
        slots = np.round(seconds(rows["time"]) / SLOT_S)
        place = (rows[name] for name in ("x_m", "y_m", "uncertainty_m"))
        tables.append(_weighted(rows["global_id"], slots, *place))
    return _fused(tables)


def placed_paths(folder: Path, since_s: float, until_s: float) -> pd.DataFrame:
    """Return the same of a live run's stored paths, within a span of time, seconds since the epoch."""
    with open_reader(folder / REGISTRY) as reader:
        found = reader.execute(
            "SELECT shown, first_slot, path FROM places JOIN sightings USING (sighting) "
            "WHERE shown IS NOT NULL AND last_s >= ? AND first_s <= ?",
            (since_s, until_s),
        ).fetchall()
    tables = []
    for row in found:
        points = np.frombuffer(row["path"], np.float32).reshape(-1, 3).astype(np.float64)
        slots = row["first_slot"] + np.arange(len(points))
        within = (slots * SLOT_S >= since_s) & (slots * SLOT_S <= until_s)
        own = np.full(int(within.sum()), row["shown"])
        tables.append(_weighted(own, slots[within], *points[within].T))
    return _fused(tables)


def occupied(xy: NDArray[np.float64]) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """Return the side of squares in metres, ``(K, 2)`` their low corners, and seconds in each.

    Args:
        xy: ``(N, 2)`` places of half a second each, at least one.
    """
    extent = float(np.ptp(xy, axis=0).max())
    side_m = next((s for s in SIDES_M if extent / s <= MAX_CELLS), SIDES_M[-1])
    cells, counts = np.unique(np.floor(xy / side_m), axis=0, return_counts=True)
    return side_m, cells * side_m, np.asarray(counts * SLOT_S, np.float64)


def _weighted(
    people: ArrayLike, slots: ArrayLike, x: ArrayLike, y: ArrayLike, uncertainty_m: ArrayLike
) -> pd.DataFrame:
    table = pd.DataFrame(
        {"global_id": np.asarray(people), "slot": slots, "x": x, "y": y, "m": uncertainty_m}
    )
    table = table[table["m"] <= MAX_UNCERTAINTY_M]
    weight = 1 / table["m"].clip(lower=MIN_UNCERTAINTY_M) ** 2
    table = table.assign(x=table["x"] * weight, y=table["y"] * weight, weight=weight)
    return table.drop(columns="m").groupby(["global_id", "slot"], as_index=False).sum()


def _fused(tables: list[pd.DataFrame]) -> pd.DataFrame:
    tables = [each for each in tables if len(each)]
    if not tables:
        return pd.DataFrame(columns=["global_id", "slot", "x", "y"])
    summed = pd.concat(tables).groupby(["global_id", "slot"], as_index=False).sum()
    placed = summed.assign(x=summed["x"] / summed["weight"], y=summed["y"] / summed["weight"])
    middle = placed[["x", "y"]].median()
    apart = (placed[["x", "y"]] - middle).abs().max(axis=1)
    kept = placed[apart <= MAX_SIDE_M].drop(columns="weight")
    return kept.astype({"global_id": np.int64, "slot": np.int64})
