"""When a picture was taken: by the camera's own clock where that can be believed."""

from __future__ import annotations

from collections import deque
from statistics import median
from typing import Any

__all__ = ["MAX_SKEW_S", "CameraClock", "time_after"]

MAX_SKEW_S = 2.0
"""A camera's time that is further off than this is not used."""
SET_BACK_S = 2 * MAX_SKEW_S
"""Times that go back further do so because the clock of this machine was set."""
MIN_STEP_S = 0.001
"""From one picture to the next."""
SAMPLES = 25
"""Packets whose median is the skew: one that was held up does not move it."""
MAX_PENDING = 64
"""Packets remembered until their pictures come out; decoders hold back at most 16."""


class CameraClock:
    """Ties the stamps of one connection to the wall clock.

    RTSP cameras send reports that tie their stamps to their own clock; FFmpeg hands that on as
    ``prft`` with each packet after the first report. Other streams have no such clock, and
    their pictures count as taken when they came.
    """

    def __init__(self) -> None:
        self._moments: dict[int, tuple[float, float | None]] = {}
        self._skews: deque[float] = deque(maxlen=SAMPLES)
        self._last_s = 0.0

    @property
    def skew_s(self) -> float | None:
        """The camera's clock less ours; ``None`` where it tells no time."""
        return median(self._skews) if self._skews else None

    def note(self, packet: Any, *, arrived_s: float) -> None:
        """Take in a packet before it is decoded.

        Args:
            packet: A PyAV packet.
            arrived_s: When it came, seconds since the epoch.
        """
        own_s = _producer_time_s(packet)
        if own_s is not None:
            self._skews.append(own_s - arrived_s)
        self._last_s = arrived_s
        if packet.pts is not None:
            if len(self._moments) >= MAX_PENDING:
                self._moments.pop(next(iter(self._moments)))
            self._moments[packet.pts] = (arrived_s, own_s)

    def time_s(self, picture: Any) -> float:
        """Return when a picture was taken, seconds since the epoch."""
        arrived_s, own_s = self._moments.pop(picture.pts, (self._last_s, None))
        if own_s is None or abs(own_s - arrived_s) > MAX_SKEW_S:
            return arrived_s
        return own_s


def time_after(before_s: float, time_s: float) -> float:
    """Return the time of a picture, later than that of the one before it.

    A camera's clock that takes over from ours may be behind; it is waited for. A clock of ours
    that was set back is not, which could take hours: times go on from there.
    """
    if time_s < before_s - SET_BACK_S:
        return time_s
    return max(time_s, before_s + MIN_STEP_S)


def _producer_time_s(packet: Any) -> float | None:
    """Return when the camera says it took a packet's picture.

    Source: ``AVProducerReferenceTime`` of libavcodec's ``defs.h``: microseconds since the
    epoch, a native 64-bit integer, comes first.
    """
    if not packet.has_sidedata("prft"):
        return None
    microseconds = int.from_bytes(bytes(packet.get_sidedata("prft"))[:8], "little", signed=True)
    return microseconds / 1e6
