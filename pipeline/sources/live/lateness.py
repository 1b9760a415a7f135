"""How late a stream is read, and whether to leave pictures out to catch up."""

from __future__ import annotations

from collections import deque

__all__ = ["Lateness"]

WINDOW_S = 30.0
"""Time over which the earliest packet says what is on time."""
AHEAD_S, BACK_S = 10.0, 1.0
"""Stamps that go so much further than time does, or so far back, were set anew."""
LATE_S, ENOUGH_S = 1.0, 0.5
"""Lateness from which on a stream is behind, and below which it has caught up."""
PATIENCE_S = 2.0
"""A stream that is behind for less than this, such as after a hiccup of the network, catches up
by itself."""


class Lateness:
    """Compares when packets come with their own stamps, one connection long.

    Where a machine cannot decode all that comes, packets wait in buffers of the system, seconds
    long, and pictures would be old without anybody knowing: the camera's clock may be wrong.
    But its stamps count seconds like ours, so a packet is late by as much as it comes later,
    by its stamp, than the earliest of the last half minute.
    """

    def __init__(self) -> None:
        # Times and offsets of packets, each later and greater than the one before it.
        self._earliest: deque[tuple[float, float]] = deque()
        self._last: tuple[float, float] | None = None
        self._behind_since_s: float | None = None
        self._is_skipping = False
        self.late_s = 0.0
        """How late the packet noted last came, seconds."""

    def note(self, stamp_s: float | None, *, came_s: float) -> None:
        """Take in a packet.

        Args:
            stamp_s: Its own time, seconds from any moment; ``None`` where it has none.
            came_s: When it came, by a clock that never jumps.
        """
        if stamp_s is None:
            return
        if self._last is not None:
            gap_s = (stamp_s - self._last[0]) - (came_s - self._last[1])
            if gap_s > AHEAD_S or stamp_s < self._last[0] - BACK_S:
                self._earliest.clear()
        self._last = stamp_s, came_s
        offset_s = came_s - stamp_s
        while self._earliest and self._earliest[-1][1] >= offset_s:
            self._earliest.pop()
        self._earliest.append((came_s, offset_s))
        while came_s - self._earliest[0][0] > WINDOW_S:
            self._earliest.popleft()
        self.late_s = offset_s - self._earliest[0][1]
        if self.late_s < LATE_S:
            self._behind_since_s = None
        elif self._behind_since_s is None:
            self._behind_since_s = came_s

    def skips(self, *, is_key: bool) -> bool:
        """Return whether not to decode the packet noted last, for lack of time.

        Nothing after a picture that was left out can be decoded until the next key frame.
        """
        if self._is_skipping:
            self._is_skipping = not (is_key and self.late_s < ENOUGH_S)
        elif self._behind_since_s is not None and self._last is not None:
            self._is_skipping = self._last[1] - self._behind_since_s >= PATIENCE_S
        return self._is_skipping
