"""Calibrations made better, or made at all, from people who are in two views at once.

One camera at a time is moved towards what the others see, that camera first whose change leaves all
meetings closest together. How far apart a meeting is counts only where its tracks had no part in the fit: the
tracks are dealt to folds, and each fold is judged by planes fitted on the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.floor.meetings import Meeting
from pipeline.floor.placing import place_feet
from pipeline.floor.plane import Plane
from pipeline.floor.warping import Pairs, fitted, is_broad, models_of

__all__ = ["MIN_PEOPLE", "Refinement", "refine"]

Array = NDArray[np.float64]
Planes = Mapping[str, Plane]
FOLDS = 5
MIN_PEOPLE = 5
"""People in two views at once, by which a camera that is calibrated may be changed."""
MIN_PEOPLE_NEW = 8
"""The same for a camera that is not calibrated: the whole view is to be told from them."""
MIN_GAIN = 0.1
"""The error must fall by this share at least, else it fell by chance."""
GOOD_M = 0.2
"""Feet in two views are so far apart where calibrations are true: cameras see different sides of a person."""
SIMPLER = 1.05
"""The simplest change is taken whose error is at most so many times the smallest."""
MAX_ERROR_M = 0.5
"""Nothing is accepted that leaves held-out tracks further off in the median."""


@dataclass(frozen=True, slots=True)
class Refinement:
    """What came of one camera.

    Attributes:
        camera: Its name.
        people: People seen in it and in another calibrated camera at once, whose tracks were held out by
            turns.
        before_m: Median over held-out meetings of the distance between where the two cameras see the
            feet; NaN where the camera was not calibrated.
        after_m: The same with the refined plane, NaN without one.
        plane: The refined plane, ``None`` where it is not accepted.
        reason: Why it is not accepted, else empty.
        change: What kind of change was fitted.
    """

    camera: str
    people: int
    before_m: float
    after_m: float
    plane: Plane | None
    reason: str = ""
    change: str = ""


def refine(
    planes: Planes,
    meetings: Sequence[Meeting],
    cameras: Sequence[str],
    sizes: Mapping[str, tuple[int, int]],
) -> list[Refinement]:
    """Return what came of each camera, in the order in which they were judged.

    Args:
        planes: Floors of the cameras that are calibrated.
        meetings: People in two views at once.
        cameras: Those that may be changed, or are to be calibrated.
        sizes: Width and height of each camera's picture.
    """
    people = sorted({each.person for each in meetings})
    fold = {person: row % FOLDS for row, person in enumerate(people)}
    # The last state is fitted on all tracks: that is what is kept.
    states = [dict(planes) for _ in range(FOLDS + 1)]
    done: dict[str, Refinement] = {}
    waiting = [name for name in cameras if name in planes]
    missing = [name for name in cameras if name not in planes]
    while waiting or missing:
        # Those without a calibration come last: the others should be as good as they can be.
        tried = [
            (name, *_tried(states, meetings, name, fold, sizes[name]))
            for name in waiting or missing
        ]
        name, found, changed = min(tried, key=lambda each: _left(each[2], meetings, fold))
        # Cameras that are not accepted once may be after another one was.
        if found.plane is None:
            for each, result, _ in tried:
                done.setdefault(each, result)
            if waiting:
                waiting = []
            else:
                missing = []
            continue
        done[name] = found
        states = changed
        waiting = [each for each in waiting if each != name]
        missing = [each for each in missing if each != name]
    return list(done.values())


def _left(states: Sequence[Planes], meetings: Sequence[Meeting], fold: Mapping[int, int]) -> float:
    """Return how far held-out meetings of all cameras are apart in the mean, without a state infinite."""
    if not states:
        return np.inf
    apart = [_apart(states[number], _held_out(meetings, fold, number)) for number in range(FOLDS)]
    return float(np.minimum(np.concatenate(apart), MAX_ERROR_M).mean())


def _tried(
    states: Sequence[Planes],
    meetings: Sequence[Meeting],
    name: str,
    fold: Mapping[int, int],
    size: tuple[int, int],
) -> tuple[Refinement, list[dict[str, Plane]]]:
    """Fit one camera to all others, fold by fold, and judge each fold by tracks it was not fitted on."""
    calibrated = name in states[-1]
    own = [
        each
        for each in meetings
        if name in each.cameras and each.cameras[1 - each.side(name)] in states[-1]
    ]
    people = len({each.person for each in own})
    before = np.concatenate(
        [_apart(states[number], _held_out(own, fold, number)) for number in range(FOLDS)]
    )
    before_m = float(np.median(before)) if calibrated and len(before) else np.nan
    rejected = Refinement(name, people, before_m, np.nan, None)
    least = MIN_PEOPLE if calibrated else MIN_PEOPLE_NEW
    if people < least:
        who = f"only {people} people are" if people != 1 else "only 1 person is"
        text = f"{who} seen in it and in another calibrated camera at once, at least {least} are needed"
        return replace(rejected, reason=text), []
    pairs = _pairs(states[-1], own, name)
    if not calibrated and not is_broad(pairs, size):
        text = "the people seen in it and in another calibrated camera at once walk along one line"
        return replace(rejected, reason=text), []
    fits = [
        (model, *fit)
        for model in models_of(states[-1].get(name))
        if (fit := _fit(model, states, own, name, fold, size)) is not None
    ]
    if not fits:
        return replace(rejected, reason="no view of a floor explains where people stand in it"), []
    smallest = min(float(np.median(after)) for *_, after in fits)
    model, changed, after = next(
        each for each in fits if float(np.median(each[2])) <= SIMPLER * smallest
    )
    found = replace(rejected, after_m=float(np.median(after)), change=model)
    if reason := _no_gain(found, before, after):
        return replace(found, reason=reason), []
    return replace(found, plane=changed[-1][name]), changed


def _fit(  # noqa: PLR0917
    model: str,
    states: Sequence[Planes],
    own: Sequence[Meeting],
    name: str,
    fold: Mapping[int, int],
    size: tuple[int, int],
) -> tuple[list[dict[str, Plane]], Array] | None:
    """Return each state with the camera changed, and how far held-out meetings are apart then."""
    changed, apart = [], []
    for number, state in enumerate(states):
        learned = [each for each in own if fold[each.person] != number]
        plane = fitted(model, state.get(name), _pairs(state, learned, name), size)
        if plane is None:
            return None
        changed.append({**state, name: plane})
        apart.append(_apart(changed[-1], _held_out(own, fold, number)))
    return changed, np.concatenate(apart)


def _no_gain(found: Refinement, before: Array, after: Array) -> str:
    """Return why a change is not accepted, empty where it is."""
    text = f"held-out tracks are {100 * found.before_m:.0f} cm off"
    if found.after_m > MAX_ERROR_M:
        most = f"more than {100 * MAX_ERROR_M:.0f}"
        return f"held-out tracks would be {100 * found.after_m:.0f} cm off, {most}"
    if np.isnan(found.before_m):
        return ""
    if found.before_m < GOOD_M:
        return f"{text}, which is as near as feet can be told"
    if found.after_m > (1 - MIN_GAIN) * found.before_m or (after < before).mean() <= 0.5:
        return f"{text}, and {100 * found.after_m:.0f} with the change"
    return ""


def _held_out(own: Sequence[Meeting], fold: Mapping[int, int], number: int) -> list[Meeting]:
    return [each for each in own if fold[each.person] == number]


def _apart(planes: Planes, meetings: Sequence[Meeting]) -> Array:
    """Return ``(M,)`` the mean distance of each meeting; where it is not known, far."""
    found = []
    for each in meetings:
        one, other = (
            planes[camera].places(feet) if camera in planes else np.full((len(feet), 2), np.nan)
            for camera, feet in zip(each.cameras, each.feet, strict=True)
        )
        apart = np.linalg.norm(one - other, axis=1)
        known = apart[np.isfinite(apart)]
        found.append(float(np.mean(known)) if len(known) else np.inf)
    return np.array(found)


def _pairs(planes: Planes, meetings: Sequence[Meeting], name: str) -> Pairs:
    """Return the feet in one camera, and where the other cameras see them."""
    feet, tall, xy, spread, weight = [], [], [], [], []
    for each in meetings:
        own = each.side(name)
        other = planes[each.cameras[1 - own]]
        places = place_feet(other, each.feet[1 - own], each.tall[1 - own])
        known = np.isfinite(places.xy[:, 0])
        feet.append(each.feet[own][known])
        tall.append(each.tall[own][known])
        xy.append(places.xy[known])
        spread.append(places.uncertainty_m[known] ** 2)
        # Moments of a meeting share their errors, so its weight grows with the root of their number.
        weight.append(np.full(known.sum(), 1 / np.sqrt(max(known.sum(), 1))))
    return Pairs(
        np.concatenate([np.zeros((0, 2)), *feet]),
        np.concatenate([np.zeros(0), *tall]),
        np.concatenate([np.zeros((0, 2)), *xy]),
        np.concatenate([np.zeros(0), *spread]),
        np.concatenate([np.zeros(0), *weight]),
    )
