"""Hand-overs between cameras, and the number of persons at a time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.results.visits import Visit

__all__ = ["Curve", "HandOver", "hand_overs", "max_present", "presence_curve"]

SAMPLES = 240
"""Stretches of time in each of which the most people present at once are counted."""


@dataclass(frozen=True, slots=True)
class HandOver:
    """One person going from one camera to another.

    Attributes:
        global_id: The person.
        origin: The camera seen in before.
        target: The camera seen in next.
        left_s: End of the visit before.
        arrived_s: Begin of the visit next.
    """

    global_id: int
    origin: str
    target: str
    left_s: float
    arrived_s: float

    @property
    def travel_s(self) -> float:
        """Seconds between the two; negative where both cameras saw the person at once."""
        return self.arrived_s - self.left_s


def hand_overs(stays: Sequence[Visit]) -> list[HandOver]:
    """Return every change of camera, in order of arrival.

    A person's visits follow each other by their begin; where two neighbours are of different
    cameras, the person was handed over.

    Args:
        stays: As ``visits`` returns them.
    """
    before: dict[int, Visit] = {}
    found = []
    for stay in stays:
        last = before.get(stay.global_id)
        if last is not None and last.camera != stay.camera:
            found.append(
                HandOver(stay.global_id, last.camera, stay.camera, last.last_s, stay.first_s)
            )
        before[stay.global_id] = stay
    return found


def max_present(
    stays: Iterable[Visit], first_s: float, last_s: float, *, stretches: int
) -> tuple[NDArray[np.int64], float]:
    """Return how many different persons are in view at once, in any camera, and when most are.

    Args:
        stays: Visits, in any order.
        first_s: Begin of the time line.
        last_s: Its end, later.
        stretches: Equal parts of the time line.

    Returns:
        ``(stretches,)`` the most at any moment of each part, and the first moment of the most.
    """
    spans: dict[int, list[tuple[float, float]]] = {}
    for stay in stays:
        spans.setdefault(stay.global_id, []).append((stay.first_s, stay.last_s))
    whole = [span for each in spans.values() for span in _union(each)]
    begins = np.sort([first for first, _ in whole])
    ends = np.sort([last for _, last in whole])
    # More can only be in view than a moment ago where a stretch or a stay begins.
    edges = np.linspace(first_s, last_s, stretches + 1)
    moments = np.sort(np.concatenate([edges[:-1], begins]))
    begun = np.searchsorted(begins, moments, side="right")
    counts = begun - np.searchsorted(ends, moments, side="left")
    most = np.zeros(stretches, np.int64)
    place = np.searchsorted(edges, moments, side="right") - 1
    np.maximum.at(most, np.clip(place, 0, stretches - 1), counts)
    return most, float(moments[int(counts.argmax())])


@dataclass(frozen=True, slots=True)
class Curve:
    """How many people were present over time.

    Attributes:
        line: A path in a field of 1000 by 100.
        top: What its upper edge stands for.
        most: The most at any moment.
        busiest_s: The first moment of the most.
    """

    line: str
    top: int
    most: int
    busiest_s: float


def presence_curve(stays: Sequence[Visit], first_s: float, last_s: float) -> Curve:
    """Return how many different persons were present over time."""
    counts, busiest_s = max_present(stays, first_s, last_s, stretches=SAMPLES)
    most = int(counts.max())
    step = 10 ** max(0, int(math.log10(max(most, 1))))
    top = max(1, math.ceil(most / step) * step)
    points = []
    for place, count in enumerate(counts.tolist()):
        y = 100 - 100 * count / top
        left, right = 1000 * place / SAMPLES, 1000 * (place + 1) / SAMPLES
        points.append(f"L{left:.1f} {y:.1f}L{right:.1f} {y:.1f}")
    return Curve("M0 100" + "".join(points) + "L1000 100", top, most, busiest_s)


def _union(spans: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the spans with those that touch made one, so that nobody counts twice."""
    joined: list[tuple[float, float]] = []
    for first, last in sorted(spans):
        if joined and first <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], last)
        else:
            joined.append((first, last))
    return joined
