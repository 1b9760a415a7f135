"""Whether a track is of somebody: a detection has to earn a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import dist, sqrt

import numpy as np

__all__ = ["Presence"]

UNSURE_SCORE, SURE_SCORE = 0.5, 0.7
"""Mean scores below and from which the detector is unsure, and sure, of a track."""
MIN_SPREAD = 0.01
"""Deviation of the middle of the boxes, in box heights, of somebody who stands. Measured: 0.018 for a
cashier with a mean score of 0.31, 0.001 for things in still views."""
SHIFT_ERROR = 0.35
"""Share of the camera's own motion that may be left in boxes after it was taken out: of a coat that the
border of the picture cuts, 0.3 was left."""
FEW_BOXES = 5
"""So many boxes say nothing about how still somebody is."""


@dataclass(slots=True)
class _Spread:
    """Deviation of points, from running sums: in small numbers, whose squares stay exact."""

    count: int = 0
    across: float = 0.0
    down: float = 0.0
    squares: float = 0.0
    first: tuple[float, float] = (0.0, 0.0)

    def add(self, x: float, y: float) -> None:
        """Take in a point."""
        if not self.count:
            self.first = (x, y)
        x, y = x - self.first[0], y - self.first[1]
        self.count += 1
        self.across += x
        self.down += y
        self.squares += x * x + y * y

    @property
    def deviation(self) -> float:
        """Root of the mean squared distance from the mean; 0 where there is no point."""
        count = max(self.count, 1)
        variance = self.squares / count - (self.across / count) ** 2 - (self.down / count) ** 2
        return float(np.sqrt(max(variance, 0.0)))


@dataclass(slots=True)
class Presence:
    """How sure the detector was of a track, and how much the track moved.

    Things that are taken for people are seldom sure and never move, or only as the whole picture does
    when the camera turns; people who are hard to see, behind a counter or far away, are no surer, but
    nobody stands as still as a coat on its hook. The embedding does not tell: things are as near to the
    people of Market-1501 as people of other footage are.

    Attributes:
        boxes: How many were seen.
        scores: Sum of their scores.
        heights: Sum of their heights, px.
    """

    boxes: int = 0
    scores: float = 0.0
    heights: float = 0.0
    _widths: float = 0.0
    _last: tuple[float, float] | None = None
    _leap: float = 0.0
    _before_leap: int = 0
    _in_picture: _Spread = field(default_factory=_Spread)
    _in_place: _Spread = field(default_factory=_Spread)
    _of_camera: _Spread = field(default_factory=_Spread)

    def see(
        self, xyxy: Sequence[float], score: float, camera_shift: tuple[float, float] = (0.0, 0.0)
    ) -> None:
        """Take in a box.

        Args:
            xyxy: Its corners, px.
            score: Its score.
            camera_shift: How far the camera's turning has moved the picture, px.
        """
        left, top, right, bottom = xyxy
        x, y = (left + right) / 2, (top + bottom) / 2
        place = x - camera_shift[0], y - camera_shift[1]
        if self._last is not None and (step := dist(place, self._last)) > self._leap:
            self._leap, self._before_leap = step, self.boxes
        self._last = place
        self.boxes += 1
        self._widths += right - left
        self.scores += score
        self.heights += bottom - top
        self._in_picture.add(x, y)
        self._in_place.add(*place)
        self._of_camera.add(*camera_shift)

    @property
    def spread(self) -> float:
        """Deviation of the middles of the boxes, in box heights, without the camera's own motion.

        Nor does the widest step count if it is wider than the boxes: there the track may have gone
        over from one thing to another. Somebody who walks takes more than one.
        """
        place = self._in_place.deviation
        if self.boxes >= FEW_BOXES and self._leap * self.boxes > self._widths:
            share = self._before_leap / self.boxes
            place = sqrt(max(place**2 - share * (1 - share) * self._leap**2, 0.0))
        own = place - SHIFT_ERROR * self._of_camera.deviation
        moved = max(min(own, self._in_picture.deviation), 0.0)
        return moved * self.boxes / self.heights if self.heights > 0 else 0.0

    @property
    def is_somebody(self) -> bool:
        """Whether the detector was sure, or the track moved as people do."""
        score = self.scores / max(self.boxes, 1)
        too_few = self.boxes < FEW_BOXES and score >= UNSURE_SCORE
        return score >= SURE_SCORE or self.spread >= MIN_SPREAD or too_few
