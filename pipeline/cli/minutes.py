"""When to print a line of progress where no terminal redraws a bar."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["Minutes"]

LOG_EVERY_S = 60.0


class Minutes:
    """Says once a minute that a line is due.

    Args:
        clock: Seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began_s = self._last_s = clock()

    @property
    def passed_s(self) -> float:
        """Seconds since the work began."""
        return self._clock() - self._began_s

    def due(self) -> bool:
        """Tell whether a minute has passed since this last said so."""
        now_s = self._clock()
        if now_s - self._last_s < LOG_EVERY_S:
            return False
        self._last_s = now_s
        return True

    def left(self, share: float) -> str:
        """Return how long the rest takes at the pace so far, as text; empty where unknown or none."""
        if not 0 < share < 1:
            return ""
        minutes = self.passed_s * (1 - share) / share / 60
        return f", about {minutes:.0f} min left" if minutes >= 1 else ", less than a minute left"
