"""How long to wait before a camera is tried again."""

from __future__ import annotations

import random

__all__ = ["Backoff"]


class Backoff:
    """Pauses that double from one second on, each shortened by up to half at random.

    At random, because cameras behind one switch are lost, and would be tried, all at once.

    Args:
        longest_s: Pauses grow up to this.
        rng: Source of the randomness.
    """

    def __init__(self, *, longest_s: float, rng: random.Random) -> None:
        self._longest_s = longest_s
        self._rng = rng
        self._failures = 0

    def next_s(self, *, least_s: float = 0.0) -> float:
        """Return the next pause, seconds, and at least ``least_s``."""
        # 2**20 s are 12 days; more doublings would overflow in a camera that is gone for good.
        longest_s = min(self._longest_s, 2.0 ** min(self._failures, 20))
        self._failures += 1
        return max(least_s, longest_s * self._rng.uniform(0.5, 1.0))

    def reset(self) -> None:
        """Begin small again."""
        self._failures = 0
