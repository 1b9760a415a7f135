"""How long to wait before a camera is tried again."""

from __future__ import annotations

import random
from collections.abc import Callable

__all__ = ["Backoff"]

MIN_S = 1.0
SHARE = 0.1
"""Part of the outage so far that the next pause may take."""


class Backoff:
    """Pauses that grow with the outage: a tenth of it, each shortened by up to half at random.

    So a camera that was away for a minute is noticed within seconds, and one that has been away
    for hours is not bothered. At random, because cameras behind one switch are lost, and would
    be tried, all at once.

    Args:
        max_s: Pauses grow up to this.
        rng: Source of the randomness.
        clock: Seconds of a clock that never jumps.
    """

    def __init__(self, *, max_s: float, rng: random.Random, clock: Callable[[], float]) -> None:
        self._max_s = max_s
        self._rng = rng
        self._clock = clock
        self._out_since_s: float | None = None

    def next_s(self, *, min_s: float = 0.0) -> float:
        """Return the next pause, seconds, and at least ``min_s``."""
        now_s = self._clock()
        if self._out_since_s is None:
            self._out_since_s = now_s
        grown_s = max(MIN_S, SHARE * (now_s - self._out_since_s))
        return max(min_s, min(self._max_s, grown_s) * self._rng.uniform(0.5, 1.0))

    def reset(self) -> None:
        """Begin small again: the camera is back."""
        self._out_since_s = None
