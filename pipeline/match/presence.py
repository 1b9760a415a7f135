"""Whether a track is of somebody: a detection has to earn a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Presence"]

UNSURE_SCORE, SURE_SCORE = 0.5, 0.7
"""Mean scores below and from which the detector is unsure, and sure, of a track."""
MIN_SPREAD = 0.01
"""Deviation of the middle of the boxes, in box heights, of somebody who stands. Measured: 0.018 for a
cashier with a mean score of 0.31, 0.001 for things in still views."""
FEW_BOXES = 5
"""So many boxes say nothing about how still somebody is."""


@dataclass(slots=True)
class Presence:
    """How sure the detector was of a track, and how much the track moved.

    Things that are taken for people are seldom sure and never move; people who are hard to see,
    behind a counter or far away, are no surer, but nobody stands as still as a coat on its hook. The
    embedding does not tell: things are as near to the people of Market-1501 as people of other
    footage are.

    Attributes:
        boxes: How many were seen.
        scores: Sum of their scores.
        heights: Sum of their heights, px.
        across, down: Sums of the coordinates of their middles, px.
        squares: Sum of the squared distances of the middles from the first one, px squared.
    """

    boxes: int = 0
    scores: float = 0.0
    heights: float = 0.0
    across: float = 0.0
    down: float = 0.0
    squares: float = 0.0
    first: tuple[float, float] = (0.0, 0.0)

    def see(self, xyxy: Sequence[float], score: float) -> None:
        """Take in a box: its corners in px, and its score."""
        left, top, right, bottom = xyxy
        x, y = (left + right) / 2, (top + bottom) / 2
        if not self.boxes:
            self.first = (x, y)
        x, y = x - self.first[0], y - self.first[1]  # small numbers, whose squares stay exact
        self.boxes += 1
        self.scores += score
        self.heights += bottom - top
        self.across += x
        self.down += y
        self.squares += x * x + y * y

    @property
    def spread(self) -> float:
        """Deviation of the middles of the boxes, in box heights."""
        count = max(self.boxes, 1)
        variance = self.squares / count - (self.across / count) ** 2 - (self.down / count) ** 2
        height = self.heights / count
        return float(np.sqrt(max(variance, 0.0))) / height if height > 0 else 0.0

    @property
    def is_somebody(self) -> bool:
        """Whether the detector was sure, or the track moved as people do."""
        score = self.scores / max(self.boxes, 1)
        too_few = self.boxes < FEW_BOXES and score >= UNSURE_SCORE
        return score >= SURE_SCORE or self.spread >= MIN_SPREAD or too_few
