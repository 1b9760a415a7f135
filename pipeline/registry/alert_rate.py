"""From a wanted rate of false alerts to a similarity, by calibration and by the operator's answers."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

__all__ = ["AlertRate", "Curve"]

Curve = Sequence[tuple[float, float]]
"""Thresholds, ascending, and the false match rate at each; see ``pipeline.match.calibration``."""

SECONDS_PER_DAY = 86_400.0
USUAL_PEOPLE, USUAL_DAYS = 50.0, 0.1
"""What is taken for seen before anything was: 500 people a day and camera, soon outweighed."""
TAIL = 10.0
"""The line that goes on beyond the curve is drawn through its last point and the last one with
so many times its rate."""
MAX_CORRECTION = 1e4


class AlertRate:
    """How similar somebody must be so that false alerts are as rare as is wanted.

    Somebody who is compared with ``E`` people gives false alerts with a chance of ``E`` times the
    false match rate, in a camera once a day: how they look does not change with every stay, and
    after a no they give none. Calibration tells that rate of its own footage; what this site makes
    of it is learned from answers: false alerts over those that were foretold, with one more of each
    so that a few answers change little.

    Args:
        curve: Error rates of the weights.
        wanted: False alerts a day and camera.
        cameras: Number of cameras.
    """

    def __init__(self, curve: Curve, *, wanted: float, cameras: int) -> None:
        points = [(t, rate) for t, rate in curve if rate > 0]
        self._thresholds = np.array([t for t, _ in points])
        self._logs = np.log([rate for _, rate in points])
        self._wanted = wanted
        self._cameras = cameras
        self._people = 0
        self._began_s: float | None = None
        self._now_s = 0.0
        self._counted: dict[tuple[int, str], float] = {}

    def note_person(self, identity: int, camera: str, time_s: float) -> bool:
        """Count somebody once a day and camera; return whether they counted now."""
        self._began_s = time_s if self._began_s is None else self._began_s
        self._now_s = max(self._now_s, time_s)
        counted = self._counted
        while counted and time_s - next(iter(counted.values())) >= SECONDS_PER_DAY:
            del counted[next(iter(counted))]
        if (identity, camera) in counted:
            return False
        counted[identity, camera] = time_s
        self._people += 1
        return True

    def threshold(self, *, people: int, correction: float) -> float:
        """Return the least similarity that is an alert, at most 1.

        Args:
            people: How many are looked for.
            correction: As ``correction_of`` returns it.
        """
        days = (self._now_s - (self._began_s or self._now_s)) / SECONDS_PER_DAY
        a_day = (self._people + USUAL_PEOPLE) / (days * self._cameras + USUAL_DAYS)
        rate = self._wanted / a_day / max(1, people) / correction
        return self._threshold_of(min(rate, 1.0))

    def false_match_rate(self, threshold: float) -> float:
        """Return the false match rate at a threshold as calibration has it, drawn on beyond it."""
        slope, last = self._tail()
        if threshold > self._thresholds[-1]:
            return math.exp(last + slope * (threshold - self._thresholds[-1]))
        return math.exp(float(np.interp(threshold, self._thresholds, self._logs)))

    def _threshold_of(self, rate: float) -> float:
        slope, last = self._tail()
        wanted = math.log(rate)
        if wanted < last:
            return min(1.0, float(self._thresholds[-1] + (wanted - last) / slope))
        return float(np.interp(-wanted, -self._logs, self._thresholds))

    def _tail(self) -> tuple[float, float]:
        """Return the slope of the logarithm of the rate, and its last value."""
        last = float(self._logs[-1])
        far = int(np.flatnonzero(self._logs >= min(last + math.log(TAIL), self._logs[0]))[-1])
        rise = last - float(self._logs[far])
        run = float(self._thresholds[-1] - self._thresholds[far])
        return (rise / run if rise < 0 else -1.0), last

    @staticmethod
    def correction_of(*, expected: float, alerts: int, answered: int, false: int) -> float:
        """Return by how much more often strangers match here than calibration foretold.

        Args:
            expected: False alerts that it foretold.
            alerts: How many there were, of whatever kind.
            answered: How many of them the operator answered.
            false: How many of those were false.
        """
        if not answered:
            return 1.0
        ratio = (false + 1) / (expected * answered / alerts + 1)
        return min(max(ratio, 1 / MAX_CORRECTION), MAX_CORRECTION)
