"""Places of people on the floor, of one frame and along a track."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.arrays import require_shape

__all__ = [
    "COLUMNS",
    "PATH_COLUMNS",
    "PLACE_COLUMNS",
    "SLOT_S",
    "Path",
    "PathBuilder",
    "Places",
    "cell",
]

Array = NDArray[np.float64]
SLOT_S = 0.5
"""A path has one place for each such time: that of the box nearest to a multiple of it."""
MAX_SLOTS = 1200
"""Places that a track remembers, the newest; ten minutes."""
WALKING_M_S = 1.3
COLUMNS = 6
PLACE_COLUMNS = ("x_m", "y_m", "uncertainty_m")
"""What tables of boxes say of a place: metres on the floor, and the deviation where it is known least."""
PATH_COLUMNS = (*PLACE_COLUMNS, "speed_m_s")
"""What tables of tracks say of a path: its last place, and the speed."""
SPEED_SLOTS = 2
"""Half seconds between two places that a speed is taken over: shorter ones are mostly jitter."""


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Where the people of one frame stand.

    Attributes:
        xy: ``(N, 2)`` metres on the floor, NaN where it is not known.
        spread: ``(N, 3)`` variance along ``x``, covariance, variance along ``y``; square metres.
        height: ``(N,)`` height of the box above the floor, metres; NaN where it is not known.
    """

    xy: Array
    spread: Array
    height: Array

    def __post_init__(self) -> None:
        require_shape("Places", "xy", self.xy, (None, 2))
        require_shape("Places", "spread", self.spread, (len(self.xy), 3))
        require_shape("Places", "height", self.height, (len(self.xy),))

    @property
    def uncertainty_m(self) -> Array:
        """``(N,)`` standard deviation along the direction that is known least, metres."""
        return _longest(self.spread)

    def cells(self) -> Array:
        """Return ``(N, 3)`` what ``PLACE_COLUMNS`` name."""
        return np.column_stack([self.xy, self.uncertainty_m])

    def rows(self) -> list[tuple[float, ...]]:
        """Return ``x, y, xx, xy, yy, height`` of each person."""
        whole = np.concatenate([self.xy, self.spread, self.height[:, None]], axis=1)
        return [tuple(row) for row in whole.tolist()]


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """Where one track was, at even times.

    Attributes:
        first: Number of the first slot: the time in units of ``SLOT_S``.
        rows: ``(T, 6)`` float32 as in ``Places.rows``, NaN where the place is not known.
    """

    first: int
    rows: NDArray[np.float32]

    def since(self, slot: int) -> Path:
        """Return the path from a slot on, the last place at least."""
        gone = min(max(slot - self.first, 0), len(self.rows) - 1)
        return Path(self.first + gone, self.rows[gone:])

    def cells(self) -> tuple[float, float, float, float]:
        """Return what ``PATH_COLUMNS`` name: the last place, and the median speed, NaN if unknown."""
        rows = self.rows.astype(np.float64)
        x, y = rows[-1, :2].tolist()
        ways = np.linalg.norm(rows[SPEED_SLOTS:, :2] - rows[:-SPEED_SLOTS, :2], axis=1)
        ways = ways[np.isfinite(ways)]
        speed = float(np.median(ways)) / (SPEED_SLOTS * SLOT_S) if len(ways) else math.nan
        return x, y, float(_longest(rows[-1:, 2:5])[0]), speed

    def points(self) -> NDArray[np.float32]:
        """Return ``(T, 3)`` what ``PLACE_COLUMNS`` name, of each slot."""
        return np.column_stack([self.rows[:, :2], _longest(self.rows[:, 2:5])])

    def at(self, time_s: float) -> tuple[float, ...] | None:
        """Return what ``PLACE_COLUMNS`` name at a time, ``None`` where it is not known."""
        slot = round(time_s / SLOT_S) - self.first
        if not 0 <= slot < len(self.rows) or np.isnan(self.rows[slot, 0]):
            return None
        cells: list[float] = self.points()[slot].astype(np.float64).tolist()
        return tuple(cells)

    def copy(self) -> Path:
        """Return the path as it is, whatever comes later."""
        return Path(self.first, self.rows.copy())


class PathBuilder:
    """Gathers the path of a track, box by box.

    Args:
        epoch_s: Where the times of boxes begin, on the time line of all paths.
    """

    __slots__ = ("_count", "_epoch_s", "_first", "_off_s", "_rows")

    def __init__(self, epoch_s: float = 0.0) -> None:
        self._epoch_s = epoch_s
        self._first = self._count = 0
        self._rows = np.empty((0, COLUMNS), np.float32)
        self._off_s = 0.0

    def see(self, time_s: float, row: Sequence[float]) -> None:
        """Take in a place, ``x, y, xx, xy, yy, height``; later ones come later."""
        x, y, xx, xy, yy, height = row
        if math.isnan(x):
            return
        time_s += self._epoch_s
        slot = round(time_s / SLOT_S)
        off_s = abs(time_s - slot * SLOT_S)
        if self._count and slot < self._first + self._count:
            if off_s >= self._off_s:
                return
        else:
            self._open(slot)
        self._off_s = off_s
        walked = (WALKING_M_S * off_s) ** 2
        self._rows[self._count - 1] = x, y, xx + walked, xy, yy + walked, height

    def path(self) -> Path | None:
        """Return the path by now, ``None`` where no place is known; its last place may still change."""
        return Path(self._first, self._rows[: self._count]) if self._count else None

    def _open(self, slot: int) -> None:
        """Make room for the place of a slot, and for unknown ones before it."""
        if self._count and slot - self._first >= 2 * MAX_SLOTS:
            self._count = 0
        if not self._count:
            self._first = slot
        count = slot + 1 - self._first
        if count > len(self._rows):
            surplus = max(count - MAX_SLOTS, 0)
            kept = self._rows[surplus : self._count]
            grown = np.full((min(2 * count, MAX_SLOTS + 64), COLUMNS), np.nan, np.float32)
            grown[: len(kept)] = kept
            self._rows, self._first = grown, self._first + surplus
            count -= surplus
        self._count = count


def _longest(spread: NDArray[Any]) -> NDArray[Any]:
    """Return ``(N,)`` the greatest deviation of ``(N, 3)`` covariances."""
    xx, xy, yy = spread.T
    result: NDArray[Any] = np.sqrt((xx + yy) / 2 + np.hypot((xx - yy) / 2, xy))
    return result


def cell(value: float) -> str:
    """Return a number as tables have it, to the centimetre, empty where it is none."""
    return "" if math.isnan(value) else f"{value:.2f}"
