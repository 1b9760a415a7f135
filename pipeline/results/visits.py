"""Visits and time in view: the one definition, for tables and reports."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.datatypes import UNASSIGNED
from pipeline.passages import VISIT_GAP_S

__all__ = ["Visit", "join_visits", "seconds", "seconds_in_view", "visits"]


@dataclass(frozen=True, slots=True)
class Visit:
    """One stay of one person in one camera, over short gaps.

    Attributes:
        global_id: The person.
        camera: Where.
        first_s: When it began: seconds of a run, or since 1970 (UTC).
        last_s: When it ended.
        tracks: How many tracks it is made of.
    """

    global_id: int
    camera: str
    first_s: float
    last_s: float
    tracks: int = 1

    @property
    def dwell_s(self) -> float:
        """How long it lasted, seconds."""
        return self.last_s - self.first_s


def seconds(times: pd.Series[float] | pd.Series[pd.Timestamp]) -> NDArray[np.float64]:
    """Return the times of a results table as numbers: as they are, or since 1970 (UTC)."""
    if isinstance(times.dtype, pd.DatetimeTZDtype):
        return np.asarray(times.astype("int64").to_numpy() / 1e6, np.float64)
    return np.asarray(times.to_numpy(), np.float64)


def visits(sightings: pd.DataFrame) -> list[Visit]:
    """Join each person's tracks in one camera to visits, in order of (begin, camera, person).

    Args:
        sightings: As ``Results.sightings`` returns them. Those without an identity are nobody's
            visit.
    """
    columns = [
        sightings["global_id"].tolist(),
        sightings["camera"].tolist(),
        seconds(sightings["first_time"]).tolist(),
        seconds(sightings["last_time"]).tolist(),
    ]
    return join_visits(Visit(*row) for row in zip(*columns, strict=True))


def join_visits(tracks: Iterable[Visit]) -> list[Visit]:
    """Return visits of single tracks joined over gaps of up to ``VISIT_GAP_S``."""
    joined: list[Visit] = []
    current: dict[tuple[int, str], int] = {}
    for each in sorted(tracks, key=lambda s: (s.first_s, s.camera, s.global_id)):
        if each.global_id == UNASSIGNED:
            continue
        key = each.global_id, each.camera
        place = current.get(key)
        if place is not None and each.first_s - joined[place].last_s <= VISIT_GAP_S:
            before = joined[place]
            last_s = max(before.last_s, each.last_s)
            joined[place] = replace(before, last_s=last_s, tracks=before.tracks + 1)
            continue
        current[key] = len(joined)
        joined.append(each)
    return joined


def seconds_in_view(stays: Iterable[Visit]) -> dict[int, float]:
    """Return how long each person was in view: all their visits together, camera by camera.

    A visit lasts over gaps of up to ``VISIT_GAP_S``; who is in view of two cameras at once is
    counted in both.
    """
    total: dict[int, float] = {}
    for stay in stays:
        total[stay.global_id] = total.get(stay.global_id, 0.0) + stay.dwell_s
    return total
