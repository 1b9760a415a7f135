"""Scheduling of a live run: which frames are processed next, batch size, rates."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Meter", "Pace", "Rates"]

WINDOW_S = 10.0
"""Rates and latencies are those of so many seconds."""
RECENT_STEPS = 16
"""Steps of which the slowest says what a frame costs: on a busy machine, the mean is exceeded
by every other step."""
STEP_SHARE = 0.5
"""Part of the latency limit that one step may take; the rest is for the frame's way here."""


class Pace:
    """Keeps the detector fair and the latency bounded when the machine is too slow.

    Cameras are asked in the order in which they were last served, so all lose frames at the
    same rate; and a step takes no more frames than it can finish in time.

    Args:
        cameras: All cameras.
        max_latency_s: Age that no frame may have when its result is ready, seconds.
        batch_size: Maximum number of frames of one step.
    """

    def __init__(self, cameras: Sequence[str], *, max_latency_s: float, batch_size: int) -> None:
        self._turns = dict.fromkeys(cameras, 0)
        self._turn = 0
        self._max_latency_s = max_latency_s
        self._batch_size = batch_size
        self._costs_s: deque[float] = deque([0.0], maxlen=RECENT_STEPS)

    @property
    def max_frames(self) -> int:
        """Frames that the next step may take, at least 1."""
        cost_s = max(self._costs_s)
        if cost_s <= 0:
            return self._batch_size
        in_time = int(STEP_SHARE * self._max_latency_s / cost_s)
        return max(1, min(self._batch_size, in_time))

    def order(self) -> list[str]:
        """Return all cameras, those that were not served for longest first."""
        return sorted(self._turns, key=lambda camera: self._turns[camera])

    def is_in_time(self, age_s: float) -> bool:
        """Return whether a frame of this age can still be processed within the limit."""
        step_s = self.max_frames * max(self._costs_s)
        # A machine that needs longer than that for one frame still gets some.
        max_s = STEP_SHARE * self._max_latency_s
        return age_s + min(step_s, max_s) <= self._max_latency_s

    def note(self, cameras: Iterable[str], seconds: float) -> None:
        """Take in that a step served these cameras in so many seconds."""
        served = list(cameras)
        for camera in served:
            # One turn each: a camera that is served last in one step comes last in the next one.
            self._turn += 1
            self._turns[camera] = self._turn
        if served:
            self._costs_s.append(seconds / len(served))


@dataclass(frozen=True, slots=True)
class Rates:
    """What a ``Meter`` counted: frames per second, seconds, and a total."""

    processed_fps: float
    late_fps: float
    latency_p50_s: float
    latency_p95_s: float
    late: int


class Meter:
    """Counts the frames of a camera, or of all, over the last ten seconds. From any thread.

    Args:
        began_s: The moment it starts to count, seconds of a clock that never jumps.
    """

    def __init__(self, began_s: float) -> None:
        self._began_s = began_s
        self._done: deque[tuple[float, float]] = deque()
        self._late: deque[float] = deque()
        self._late_total = 0
        self._lock = threading.Lock()

    def done(self, now_s: float, latency_s: float) -> None:
        """Count a processed frame and its age."""
        with self._lock:
            self._done.append((now_s, latency_s))
            self._forget(now_s)

    def late(self, now_s: float) -> None:
        """Count a frame that was too old to be processed."""
        with self._lock:
            self._late.append(now_s)
            self._late_total += 1
            self._forget(now_s)

    def rates(self, now_s: float) -> Rates:
        """Return the counts up to now."""
        with self._lock:
            self._forget(now_s)
            latencies = [latency for _, latency in self._done]
            late, total = len(self._late), self._late_total
        span_s = min(WINDOW_S, max(1.0, now_s - self._began_s))
        p50, p95 = np.percentile(latencies, [50, 95]).tolist() if latencies else (0.0, 0.0)
        return Rates(len(latencies) / span_s, late / span_s, p50, p95, total)

    def _forget(self, now_s: float) -> None:
        oldest_s = now_s - WINDOW_S
        while self._done and self._done[0][0] < oldest_s:
            self._done.popleft()
        while self._late and self._late[0] < oldest_s:
            self._late.popleft()
