"""Who was where for how long, and who went from where to where."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.datatypes import UNDECIDED
from pipeline.report.reading import Sighting

__all__ = ["HandOver", "Visit", "hand_overs", "most_present", "visits", "within_reach"]

VISIT_GAP_S = 10.0
"""Who comes back into the same camera within so long had not left: tracks break behind others."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One stay of one person in one camera, over short gaps.

    Attributes:
        global_id: The person.
        camera: Where.
        first_s: When it began, seconds on the run's time line.
        last_s: When it ended.
        tracks: How many tracks it is made of.
    """

    global_id: int
    camera: str
    first_s: float
    last_s: float
    tracks: int = 1

    @property
    def dwell_s(self) -> float:
        """How long it lasted, seconds."""
        return self.last_s - self.first_s


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


def visits(sightings: Iterable[Sighting]) -> list[Visit]:
    """Join each person's tracks in one camera to visits, in order of (begin, camera, person).

    Tracks without an identity are nobody's visit.
    """
    joined: list[Visit] = []
    current: dict[tuple[int, str], int] = {}
    for each in sorted(sightings, key=lambda s: (s.first_s, s.camera, s.global_id)):
        if each.global_id == UNDECIDED:
            continue
        key = each.global_id, each.camera
        place = current.get(key)
        if place is not None and within_reach(joined[place], each):
            before = joined[place]
            last_s = max(before.last_s, each.last_s)
            joined[place] = replace(before, last_s=last_s, tracks=before.tracks + 1)
            continue
        current[key] = len(joined)
        joined.append(Visit(each.global_id, each.camera, each.first_s, each.last_s))
    return joined


def within_reach(visit: Visit, sighting: Sighting) -> bool:
    """Whether a later sighting of the same person and camera belongs to the visit."""
    return sighting.first_s - visit.last_s <= VISIT_GAP_S


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


def most_present(
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


def _union(spans: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the spans with those that touch made one, so that nobody counts twice."""
    joined: list[tuple[float, float]] = []
    for first, last in sorted(spans):
        if joined and first <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], last)
        else:
            joined.append((first, last))
    return joined
