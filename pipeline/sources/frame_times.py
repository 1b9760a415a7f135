"""When a frame was taken, from the stamps of its stream.

A stamp is a presentation time stamp: an integer number of ticks of the stream's time base.
"""

from __future__ import annotations

from collections import deque
from fractions import Fraction
from statistics import median
from typing import Generic, TypeVar

__all__ = ["FrameTimes"]

T = TypeVar("T")

MAX_HELD = 25
"""Frames that wait until stamps behind them show whether a leap lasts."""

RECENT_STEPS = 9
"""Latest steps, whose median is the usual time from one frame to the next."""

LEAP_STEPS = 2.5
"""Usual steps from which on a step is a leap, to be looked at twice; a fall back by more that
lasts is a new count."""

GAP_S = 1.0
"""Gaps from this length on are counted."""

USUAL_LEAPS = 10.0
"""A last frame may come later than the one before by the longest recent step times this."""

MAX_GAP_S = 366 * 86_400.0
"""No recording has a longer gap: such a leap is a new count, too."""

JITTER_SHARE = 0.01
"""Share of the usual step by which a frame follows one whose stamp it does not exceed."""


class FrameTimes(Generic[T]):
    """Turns the stamps of one stream into strictly increasing seconds.

    A stamp that does not follow from those before it is believed or not by those behind it, so
    frames are handed in with their stamps and come out again up to ``MAX_HELD`` frames later:

    - A frame without a stamp follows the one before it after one usual step.
    - Stamps that leave the line and come back to it are lies, however far they went: their
      frames are placed evenly between those around them.
    - A leap forward that lasts is a gap in the recording and stays one.
    - A fall back that lasts (a recorder that started again, files joined end to end, a counter
      that overflowed) is a continuation: that frame, and all after it, move behind the one
      before. After a fall by a step or two, frames follow each other closely until the
      stream's own line goes on.

    Attributes:
        without_stamp: Frames that had no stamp.
        replaced: Stamps that do not fit those around them.
        gaps: Leaps forward by at least ``GAP_S`` that lasted.
        max_gap_s: The longest of them, seconds.
        restarts: Times the stamps started again.

    Args:
        origin_s: Stamp that counts as zero, seconds; none = the first frame's.
        interval_s: Nominal time from one frame to the next, seconds.
    """

    def __init__(self, *, origin_s: float | None, interval_s: float) -> None:
        self.without_stamp = 0
        self.replaced = 0
        self.gaps = 0
        self.max_gap_s = 0.0
        self.restarts = 0
        self._origin_s = origin_s
        self._interval_s = interval_s
        self._last_s: float | None = None
        self._steps: deque[float] = deque(maxlen=RECENT_STEPS)
        self._held: list[tuple[T, float | None]] = []
        """Frames and their stamps in seconds, the first of them a leap."""

    def push(self, frame: T, stamp: int | None, time_base: Fraction) -> list[tuple[T, float]]:
        """Take in the next frame; return frames whose times are known now, in their order.

        Args:
            frame: Whatever stands for it.
            stamp: Its stamp, ``None`` where it has none.
            time_base: Seconds a tick.

        Returns:
            Frames with their times, seconds, rounded to a microsecond.
        """
        if stamp is None:
            self.without_stamp += 1
            return self._judge(frame, None)
        return self._judge(frame, stamp * time_base.numerator / time_base.denominator)

    def finish(self) -> list[tuple[T, float]]:
        """Return the frames that are still held: no stamp comes any more."""
        ready = []
        while self._held:
            ready += self._settle()
        return ready

    @property
    def step_s(self) -> float:
        """The usual time from one frame to the next, seconds."""
        return median(self._steps) if self._steps else self._interval_s

    def _judge(self, frame: T, stamp_s: float | None) -> list[tuple[T, float]]:
        if not self._held:
            if stamp_s is None:
                return [(frame, self._advance(self._base_s() + self.step_s))]
            own_s = self._own_s(stamp_s)
            if self._reaches(own_s, steps=1):
                return [(frame, self._advance(own_s))]
        elif stamp_s is not None and self._returns(self._own_s(stamp_s)):
            return self._between(frame, self._own_s(stamp_s))
        self._held.append((frame, stamp_s))
        return self._settle() if len(self._held) > MAX_HELD else []

    def _own_s(self, stamp_s: float) -> float:
        if self._origin_s is None:
            # Frames without a stamp may have come first: the line goes on from them.
            self._origin_s = stamp_s - self._base_s() - self.step_s
        # Containers state their start in microseconds, so finer digits are rounding noise.
        return round(stamp_s - self._origin_s, 6)

    def _base_s(self) -> float:
        """Return the time of the frame before, or where it would be."""
        return -self.step_s if self._last_s is None else self._last_s

    def _reaches(self, own_s: float, *, steps: int) -> bool:
        """Return whether a stamp can be that of so many frames after the last known one."""
        start_s = self._base_s() if self._last_s is not None else -GAP_S
        reach_s = (LEAP_STEPS + 2 * (steps - 1)) * self.step_s
        return start_s < own_s <= self._base_s() + reach_s

    def _returns(self, own_s: float) -> bool:
        """Return whether a stamp goes on from before the held frames and not from them."""
        steps = len(self._held) + 1
        if not self._reaches(own_s, steps=steps):
            return False
        before_s = next((each for _, each in reversed(self._held) if each is not None), None)
        if before_s is None:
            return True
        off_line_s = abs(own_s - self._base_s() - steps * self.step_s)
        return off_line_s < abs(own_s - self._own_s(before_s) - self.step_s)

    def _between(self, frame: T, own_s: float) -> list[tuple[T, float]]:
        """Place the held frames evenly before one that is on the line again."""
        base_s, held = self._base_s(), [*self._held, (frame, own_s)]
        self._held = []
        self.replaced += sum(stamp_s is not None for _, stamp_s in held) - 1
        share_s = (own_s - base_s) / len(held)
        return [
            (each, self._advance(base_s + place * share_s))
            for place, (each, _) in enumerate(held, start=1)
        ]

    def _settle(self) -> list[tuple[T, float]]:
        """Decide on the first held frame by those behind it, and judge these anew."""
        (frame, stamp_s), *rest = self._held
        self._held = []
        ready = [(frame, self._advance(self._settled_s(stamp_s, [each for _, each in rest])))]
        for each, its_stamp_s in rest:
            ready += self._judge(each, its_stamp_s)
        return ready

    def _settled_s(self, stamp_s: float | None, behind: list[float | None]) -> float:
        base_s, step_s = self._base_s(), self.step_s
        if stamp_s is None:
            return base_s + step_s
        own_s = self._own_s(stamp_s)
        following = [self._own_s(each) for each in behind if each is not None]
        if self._is_alone(own_s, following):
            self.replaced += 1
            return base_s + step_s
        leap_s = own_s - base_s
        if leap_s > MAX_GAP_S or leap_s < -LEAP_STEPS * step_s:
            self.restarts += self._last_s is not None
            self._origin_s = stamp_s - base_s - step_s
            return base_s + step_s
        if own_s <= base_s and self._last_s is not None:
            self.replaced += 1
            return base_s + max(step_s * JITTER_SHARE, 1e-6)
        if leap_s >= GAP_S and self._last_s is not None:
            self.gaps += 1
            self.max_gap_s = max(self.max_gap_s, leap_s)
        return own_s

    def _is_alone(self, own_s: float, following: list[float]) -> bool:
        """Return whether the stamps behind a leap do not go on from it."""
        base_s = self._base_s()
        if own_s > base_s:
            if not following:  # the last frame of a file: believed where such leaps are usual
                return own_s - base_s > USUAL_LEAPS * max(self._steps, default=0.0)
            return 2 * sum(base_s < each < own_s for each in following) >= len(following)
        # A stamp that comes twice is one of two, one that stands still is none at all.
        return not following or following[0] > base_s + self.step_s or following[0] == own_s

    def _advance(self, time_s: float) -> float:
        """Note the time of a frame, which always exceeds the one before."""
        time_s = round(time_s, 6) + 0.0  # no negative zero
        if self._last_s is not None:
            time_s = max(time_s, round(self._last_s + 1e-6, 6))
            if time_s - self._last_s > 2 * JITTER_SHARE * self.step_s:
                self._steps.append(time_s - self._last_s)
        self._last_s = time_s
        return time_s
