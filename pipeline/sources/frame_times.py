"""When a frame was taken, from the stamps of its stream.

A stamp is a presentation time stamp: an integer number of ticks of the stream's time base.
"""

from __future__ import annotations

from fractions import Fraction

__all__ = ["FrameTimes"]

JUMP_BACK_S = 1.0
"""Stamps that fall back further than this start a new count; less is jitter."""

JITTER_SHARE = 0.01
"""Share of a frame interval by which a frame follows one whose stamp it does not exceed."""


class FrameTimes:
    """Turns the stamps of one stream into strictly increasing seconds.

    - A frame without a stamp follows the one before it after one nominal frame interval.
    - A stamp that does not advance, or falls back by up to ``JUMP_BACK_S``, puts its frame
      right behind the one before it; the stream's own time line goes on after that.
    - A greater fall back (a recorder that started again, files joined end to end) is taken
      for a continuation: that frame, and all after it, move behind the one before.
    - A jump forward is a gap in the recording and stays one.

    Attributes:
        without_stamp: Frames that had no stamp.
        restarts: Times the stamps started again.

    Args:
        origin_s: Stamp that counts as zero, seconds; none = the first frame's.
        interval_s: Nominal time from one frame to the next, seconds.
    """

    def __init__(self, *, origin_s: float | None, interval_s: float) -> None:
        self.without_stamp = 0
        self.restarts = 0
        self._origin_s = origin_s
        self._interval_s = interval_s
        self._last_s: float | None = None

    def time_s(self, stamp: int | None, time_base: Fraction) -> float:
        """Return the time of the next frame, seconds, rounded to a microsecond.

        Args:
            stamp: The frame's stamp, ``None`` where it has none.
            time_base: Seconds a tick.
        """
        stamp_s = None if stamp is None else stamp * time_base.numerator / time_base.denominator
        own_s = self._own_time_s(stamp_s)
        last_s = self._last_s
        if last_s is not None and own_s <= last_s:
            own_s = self._behind(last_s, own_s)
        self._last_s = own_s
        return own_s

    def _own_time_s(self, stamp_s: float | None) -> float:
        if stamp_s is None:
            self.without_stamp += 1
            return 0.0 if self._last_s is None else round(self._last_s + self._interval_s, 6)
        if self._origin_s is None:
            # Frames without a stamp may have come first: the line goes on from them.
            expected_s = 0.0 if self._last_s is None else self._last_s + self._interval_s
            self._origin_s = stamp_s - expected_s
        # Containers state their start in microseconds, so finer digits are rounding noise.
        return round(stamp_s - self._origin_s, 6)

    def _behind(self, last_s: float, own_s: float) -> float:
        if last_s - own_s <= JUMP_BACK_S or self._origin_s is None:
            return round(last_s + max(self._interval_s * JITTER_SHARE, 1e-6), 6)
        self.restarts += 1
        restarted_s = round(last_s + self._interval_s, 6)
        self._origin_s -= restarted_s - own_s
        return restarted_s
