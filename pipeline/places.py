"""Places of people on the floor, of one frame and along a track."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.arrays import require_shape

__all__ = ["SLOT_S", "Path", "PathBuilder", "Places"]

Array = NDArray[np.float64]
SLOT_S = 0.5
"""A path has one place for each such time: that of the box nearest to a multiple of it."""
MAX_SLOTS = 1200
"""Places that a track remembers, the newest; ten minutes."""
WALKING_M_S = 1.3
COLUMNS = 6


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
        xx, xy, yy = self.spread.T
        result: Array = np.sqrt((xx + yy) / 2 + np.hypot((xx - yy) / 2, xy))
        return result

    def rows(self) -> list[list[float]]:
        """Return ``x, y, xx, xy, yy, height`` of each person."""
        whole = np.concatenate([self.xy, self.spread, self.height[:, None]], axis=1)
        rows: list[list[float]] = whole.tolist()
        return rows


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """Where one track was, at even times.

    Attributes:
        first: Number of the first slot: the time in units of ``SLOT_S``.
        rows: ``(T, 6)`` float32 as in ``Places.rows``, NaN where the place is not known.
    """

    first: int
    rows: NDArray[np.float32]

    @property
    def end(self) -> int:
        """Number of the slot after the last one."""
        return self.first + len(self.rows)

    def tail(self, count: int) -> Path:
        """Return the newest ``count`` slots."""
        kept = self.rows[-count:]
        return Path(self.end - len(kept), kept)


class PathBuilder:
    """Gathers the path of a track, box by box."""

    __slots__ = ("_first", "_off_s", "_rows")

    def __init__(self) -> None:
        self._first = 0
        self._rows: list[list[float]] = []
        self._off_s = 0.0

    def see(self, time_s: float, row: list[float]) -> None:
        """Take in a place, ``x, y, xx, xy, yy, height``; later ones come later."""
        if row[0] != row[0]:  # NaN
            return
        slot = round(time_s / SLOT_S)
        off_s = abs(time_s - slot * SLOT_S)
        if not self._rows:
            self._first = slot
        missing = slot - self._first - len(self._rows)
        if missing >= 0:
            self._rows += [[float("nan")] * COLUMNS] * min(missing, MAX_SLOTS)
            self._rows.append(row)
        elif off_s < self._off_s:
            self._rows[-1] = row
        else:
            return
        self._off_s = off_s
        walked = (WALKING_M_S * off_s) ** 2
        x, y, xx, xy, yy, height = row
        self._rows[-1] = [x, y, xx + walked, xy, yy + walked, height]
        if len(self._rows) > MAX_SLOTS:
            del self._rows[: len(self._rows) - MAX_SLOTS]
            self._first = slot + 1 - len(self._rows)

    def path(self) -> Path | None:
        """Return the path by now, ``None`` where no place is known."""
        if not self._rows:
            return None
        return Path(self._first, np.array(self._rows, np.float32))
