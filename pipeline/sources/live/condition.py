"""The state a camera is in, why, since when, and its rates."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from pipeline.health import CameraHealth, CameraState
from pipeline.sources.live.camera_clock import MAX_SKEW_S
from pipeline.sources.live.messages import Progress

__all__ = ["PROOF", "Condition"]

PROOF = 3
"""Pictures that prove a camera is back; the first may be one that waited somewhere."""
WINDOW_S = 10.0
"""Rates are over this much time."""
MIN_WINDOW_S = 5.0
"""A connection younger than this is not judged by its rate."""
FEW, ENOUGH = 0.6, 0.7
"""Share of the camera's own rate below which it is degraded, and from which it no longer is."""
MANY_CORRUPT, FEW_CORRUPT = 0.05, 0.03

log = logging.getLogger(__name__)


class Condition:
    """Keeps a camera's health; a change of state is logged once, with its reason.

    Written by the thread that watches the camera, read by any.

    Args:
        camera: Its name.
        address: Where it is, without credentials.
        clock: Seconds of a clock that never jumps.
        wall: Seconds since the epoch.
    """

    def __init__(
        self,
        camera: str,
        address: str,
        *,
        clock: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        self._clock, self._wall = clock, wall
        self._lock = threading.Lock()
        self._health = CameraHealth(camera, address, CameraState.CONNECTING, "", wall())
        self._before = Progress(0, 0, None, None, None)  # of all connections before this one
        self._now = self._before
        self._samples: deque[tuple[float, int, int, int]] = deque()
        self._is_proved = self._was_proved = False
        self._lasting: CameraState | None = None
        self._taken = 0
        self._logged: tuple[CameraState, str] | None = None
        self._has_bad_clock = False

    @property
    def state(self) -> CameraState:
        """What the camera is in."""
        return self._health.state

    def become(self, state: CameraState, reason: str = "", *, wait_s: float | None = None) -> None:
        """Note the state, why, and how long it will be until the next attempt."""
        until = "" if wait_s is None else f"; next attempt in {max(1, round(wait_s))} s"
        with self._lock:
            # An attempt does not end an outage: how long a camera is down is what people ask.
            if state not in {CameraState.CONNECTING, self._lasting}:
                self._lasting = state
                self._health = replace(self._health, since_s=self._wall())
            self._health = replace(self._health, state=state, reason=reason + until)
            # A camera that is down for days would write a line for each attempt.
            # Nor is it news that a degraded camera now has 6 instead of 5 frames a second.
            news = (state, "" if state is CameraState.DEGRADED else reason)
            is_news = state is not CameraState.CONNECTING and news != self._logged
            if is_news:
                self._logged = news
        if is_news:
            is_fine = state in {CameraState.LIVE, CameraState.STOPPED}
            level = logging.INFO if is_fine else logging.WARNING
            why = f": {reason}{until}" if reason else ""
            log.log(level, "camera %s is %s%s", self._health.camera, state.value, why)

    def begin_connection(self) -> None:
        """Count from nothing: the next ``note`` is about a new connection."""
        with self._lock:
            self._before = self._total()
            self._now = Progress(0, 0, None, None, None)
            self._samples.clear()
            self._is_proved = False

    def note(self, progress: Progress) -> None:
        """Take in what came, and judge the camera by it."""
        with self._lock:
            if progress.good > self._now.good:
                self._health = replace(self._health, last_frame_s=self._wall())
            self._now = progress
            self._sample()
        if progress.good < PROOF:  # the first packet of a slow camera comes with the next one
            return
        self._judge_clock(progress.skew_s)
        self._prove()
        fault = self._fault(progress)
        self.become(CameraState.DEGRADED if fault else CameraState.LIVE, fault)

    def note_size(self, size: tuple[int, int]) -> None:
        """Note the size of its pictures."""
        with self._lock:
            self._health = replace(self._health, size=size)

    def note_stall(self) -> None:
        """Count that it stopped sending."""
        with self._lock:
            self._health = replace(self._health, stalls=self._health.stalls + 1)

    def note_taken(self) -> None:
        """Count a picture that was handed out."""
        with self._lock:
            self._taken += 1

    def health(self) -> CameraHealth:
        """Return how the camera is doing now."""
        with self._lock:
            self._sample()
            seconds, received, _, dropped = self._window()
            total = self._total()
            return replace(
                self._health,
                received_fps=received / seconds if seconds else 0.0,
                dropped_fps=dropped / seconds if seconds else 0.0,
                dropped=self._dropped(),
                corrupt=total.corrupt,
                skew_s=self._now.skew_s,
            )

    def _prove(self) -> None:
        with self._lock:
            if self._is_proved:
                return
            if self._was_proved:
                self._health = replace(self._health, reconnects=self._health.reconnects + 1)
            self._is_proved = self._was_proved = True
            # The time it took to connect says nothing of the rate.
            self._samples.clear()
            self._sample()

    def _total(self) -> Progress:
        return replace(
            self._now,
            good=self._before.good + self._now.good,
            corrupt=self._before.corrupt + self._now.corrupt,
        )

    def _dropped(self) -> int:
        # The newest one may still be taken.
        return max(0, self._total().good - self._taken - 1)

    def _sample(self) -> None:
        now_s = self._clock()
        self._samples.append((now_s, self._now.good, self._now.corrupt, self._dropped()))
        while now_s - self._samples[0][0] > WINDOW_S:
            self._samples.popleft()

    def _window(self) -> tuple[float, int, int, int]:
        """Return how long the window is, and what was received, corrupt and dropped in it."""
        first, last = self._samples[0], self._samples[-1]
        good, corrupt = last[1] - first[1], last[2] - first[2]
        return last[0] - first[0], good + corrupt, corrupt, max(0, last[3] - first[3])

    def _fault(self, progress: Progress) -> str:
        """Return what is wrong with a camera that sends; empty if nothing is."""
        with self._lock:
            seconds, received, corrupt, _ = self._window()
            is_degraded = self._health.state is CameraState.DEGRADED
            fault_before = self._health.reason
        if seconds < MIN_WINDOW_S:
            return fault_before if is_degraded else ""
        rate = received / seconds
        if progress.rate and rate < (ENOUGH if is_degraded else FEW) * progress.rate:
            return f"only {rate:.0f} of {progress.rate:.0f} frames a second come"
        share = corrupt / received if received else 0.0
        if share > (FEW_CORRUPT if is_degraded else MANY_CORRUPT):
            return f"{share:.0%} of its frames are corrupt: is the network too slow?"
        return ""

    def _judge_clock(self, skew_s: float | None) -> None:
        is_bad = skew_s is not None and abs(skew_s) > MAX_SKEW_S
        if is_bad and not self._has_bad_clock:
            log.warning(
                "camera %s: its clock is %+.1f s off, so its frames count as taken when they come; "
                "set it by a time server (NTP)",
                self._health.camera,
                skew_s,
            )
        self._has_bad_clock = is_bad
