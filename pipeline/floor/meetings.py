"""Meetings: tracks of two cameras that show one person at the same time, with their feet in both views."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from pipeline.datatypes import UNASSIGNED, FloatArray
from pipeline.floor.placing import feet_covered, seen_feet

__all__ = ["FeetTrack", "Meeting", "feet_tracks", "meetings_of"]

Array = NDArray[np.float64]
STEP_S = 0.5
"""Feet are compared so often; a person hardly moves on in less."""
MAX_GAP_S = 0.75
"""Between two boxes further apart nothing is filled in."""
MIN_STEPS = 2
"""A meeting lasts for so many moments at least."""
MAX_STEPS = 40
"""Moments of a meeting that count, spread over it."""
MAX_TRACKS = 400
"""The newest tracks of a camera that are compared by their looks."""


@dataclass(frozen=True, slots=True, eq=False)
class FeetTrack:
    """Where the feet of one track are in the picture.

    Attributes:
        camera: Name of the camera.
        owner: Its identity, ``UNASSIGNED`` where it has none.
        vector: ``(D,)`` unit embedding, zeros where there is none.
        moment: ``(T,)`` time in units of ``STEP_S``, ascending.
        feet: ``(T, 2)`` pixels.
        tall: ``(T,)`` heights of the boxes, pixels.
    """

    camera: str
    owner: int
    vector: FloatArray
    moment: NDArray[np.int64]
    feet: Array
    tall: Array


@dataclass(frozen=True, slots=True, eq=False)
class Meeting:
    """One person in two views at once.

    Attributes:
        cameras: Names of the two.
        feet: ``(T, 2)`` pixels in the first, and the same in the second.
        tall: ``(T,)`` heights of the boxes in each.
        person: Number that all meetings of the same tracks share.
    """

    cameras: tuple[str, str]
    feet: tuple[Array, Array]
    tall: tuple[Array, Array]
    person: int

    def side(self, camera: str) -> int:
        """Return whether a camera is the first or the second, as a position."""
        return self.cameras.index(camera)


def feet_tracks(  # noqa: PLR0917
    camera: str,
    height_px: int,
    frame: NDArray[np.int64],
    time_s: Array,
    track: NDArray[np.int64],
    boxes: Array,
    known: Mapping[int, tuple[int, FloatArray]],
) -> list[FeetTrack]:
    """Return the tracks of one camera at even times.

    Args:
        camera: Its name.
        height_px: Height of its picture.
        frame: ``(N,)`` number of each box's frame.
        time_s: ``(N,)`` its time, seconds, on a time line that all cameras share.
        track: ``(N,)`` its track.
        boxes: ``(N, 4)`` corners, pixels.
        known: Identity and embedding of each track.
    """
    feet, usable = seen_feet(boxes, height_px)
    order = np.argsort(frame, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(frame[order])) + 1):
        usable[rows] &= ~feet_covered(boxes[rows])
    found = []
    for number in np.unique(track).tolist():
        own = np.flatnonzero((track == number) & usable)
        own = own[np.argsort(time_s[own], kind="stable")]
        if number not in known or not len(own):
            continue
        values = np.column_stack([feet[own], boxes[own, 3] - boxes[own, 1]])
        moment, filled = _at_even_times(time_s[own], values)
        if len(moment):
            owner, vector = known[number]
            found.append(FeetTrack(camera, owner, vector, moment, filled[:, :2], filled[:, 2]))
    return found


def _at_even_times(time_s: Array, values: Array) -> tuple[NDArray[np.int64], Array]:
    """Return moments and the values there, between boxes along straight lines."""
    moment = np.arange(np.ceil(time_s[0] / STEP_S), np.floor(time_s[-1] / STEP_S) + 1)
    at_s = moment * STEP_S
    after = np.clip(np.searchsorted(time_s, at_s), 0, len(time_s) - 1)
    before = np.maximum(after - 1, 0)
    near = (time_s[after] - time_s[before] <= MAX_GAP_S) | (time_s[after] == at_s)
    filled = np.column_stack([np.interp(at_s, time_s, column) for column in values.T])
    return moment[near].astype(np.int64), filled[near]


def meetings_of(tracks: Sequence[FeetTrack]) -> list[Meeting]:
    """Return who was in two views at once: tracks of one identity, and those that look as much alike.

    Tracks that look alike are each other's most similar ones of those seen at the same time, and at least
    as similar as half of those of one identity are.
    """
    by_camera: dict[str, list[int]] = {}
    for row, track in enumerate(tracks):
        by_camera.setdefault(track.camera, []).append(row)
    cameras = sorted(by_camera)
    same: list[tuple[int, int]] = []
    alike: list[tuple[float, int, int]] = []
    for position, one in enumerate(cameras):
        for other in cameras[position + 1 :]:
            met = _met(tracks, by_camera[one], by_camera[other])
            same += [(a, b) for a, b in met if tracks[a].owner == tracks[b].owner != UNASSIGNED]
            alike += _most_alike(tracks, met)
    cosines = [float(tracks[a].vector @ tracks[b].vector) for a, b in same]
    least = float(np.median(cosines)) if cosines else np.inf
    pairs = sorted({*same, *((a, b) for cosine, a, b in alike if cosine >= least > 0)})
    if not pairs:
        return []
    rows, columns = np.array(pairs).T
    linked = np.zeros((len(tracks), len(tracks)), bool)
    linked[rows, columns] = True
    person = connected_components(linked, directed=False)[1]
    return [_meeting(tracks[a], tracks[b], int(person[a])) for a, b in pairs]


def _met(
    tracks: Sequence[FeetTrack], one: Sequence[int], other: Sequence[int]
) -> list[tuple[int, int]]:
    """Return the pairs of tracks of two cameras that are seen at the same time for long enough."""
    found = []
    ends = np.array([tracks[b].moment[[0, -1]] for b in other])
    for a in one:
        first, last = tracks[a].moment[[0, -1]]
        for row in np.flatnonzero((ends[:, 0] <= last) & (ends[:, 1] >= first)).tolist():
            shared = np.intersect1d(tracks[a].moment, tracks[other[row]].moment)
            if len(shared) >= MIN_STEPS:
                found.append((a, other[row]))
    return found


def _most_alike(
    tracks: Sequence[FeetTrack], met: Sequence[tuple[int, int]]
) -> list[tuple[float, int, int]]:
    best: dict[int, tuple[float, int]] = {}
    for a, b in met[-(MAX_TRACKS**2) :]:
        cosine = float(tracks[a].vector @ tracks[b].vector)
        for here, there in ((a, b), (b, a)):
            best[here] = max(best.get(here, (-1.0, -1)), (cosine, there))
    return [(best[a][0], a, b) for a, b in met if best[a][1] == b and best[b][1] == a]


def _meeting(one: FeetTrack, other: FeetTrack, person: int) -> Meeting:
    _, here, there = np.intersect1d(one.moment, other.moment, return_indices=True)
    some = np.unique(np.linspace(0, len(here) - 1, min(len(here), MAX_STEPS)).round().astype(int))
    here, there = here[some], there[some]
    return Meeting(
        (one.camera, other.camera),
        (one.feet[here], other.feet[there]),
        (one.tall[here], other.tall[there]),
        person,
    )
