"""Who walks where, and when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from .gait import Stance
from .mesh import Floats

_STEP = 0.02
"""Metres between the points of a smoothed path, and seconds between its times."""


@dataclass(frozen=True, slots=True)
class Route:
    """A walk through the world.

    Attributes:
        stops: (x, y) metres; the path rounds the corners between them.
        start: seconds at which the first stop is left; before it the person is not there, unless
            `waits` is set.
        speed: metres per second.
        pauses: (stop index, seconds) of standing still.
        carries: the hand that holds something.
        waits: whether the person stands at the first stop until `start`.
    """

    stops: tuple[tuple[float, float], ...]
    start: float
    speed: float
    pauses: tuple[tuple[int, float], ...] = ()
    carries: str = ""
    waits: bool = False


class Walk:
    """A route with the times worked out."""

    def __init__(self, route: Route, *, stride: float, phase: float = 0.0) -> None:
        self._route = route
        self._stride = stride
        self._phase = phase
        self._path, reached = _smooth(np.array(route.stops, float))
        length = _STEP * (len(self._path) - 1)
        self._distance, self._speed = _progress(route, length, reached)

    def at(self, seconds: float) -> Stance | None:
        """Return where the person is, or None while it is not in the world."""
        route = self._route
        index = round((seconds - route.start) / _STEP)
        if index < 0 and not route.waits:
            return None
        index = min(max(index, 0), len(self._distance) - 1)
        distance, speed = float(self._distance[index]), float(self._speed[index])
        if distance >= _STEP * (len(self._path) - 2) and not self._stays:
            return None
        place = int(np.clip(distance / _STEP, 0, len(self._path) - 2))
        near = self._path[max(place - 8, 0)], self._path[min(place + 8, len(self._path) - 1)]
        ahead = near[1] - near[0]
        position = self._path[place] + (distance / _STEP - place) * (
            self._path[place + 1] - self._path[place]
        )
        return Stance(
            (float(position[0]), float(position[1])),
            float(np.arctan2(ahead[1], ahead[0])),
            self._phase + distance / self._stride,
            vigour=float(np.clip(speed / (0.85 * route.speed), 0, 1)),
            carries=route.carries,
            seconds=seconds,
        )

    @property
    def _stays(self) -> bool:
        """Whether the person ends in a pause rather than by leaving."""
        return any(stop == len(self._route.stops) - 1 for stop, _ in self._route.pauses)


def _smooth(stops: Floats) -> tuple[Floats, Floats]:
    """Return the path at even steps, and how far along it each stop lies, metres."""
    legs = np.linalg.norm(np.diff(stops, axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(legs)])
    fine = np.arange(0, along[-1], _STEP)
    path = np.stack([np.interp(fine, along, stops[:, k]) for k in range(2)], 1)
    path = gaussian_filter1d(path, 0.45 / _STEP, axis=0, mode="nearest")
    done = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    even = np.arange(0, done[-1], _STEP)
    places = np.searchsorted(fine, along).clip(0, len(done) - 1)
    return np.stack([np.interp(even, done, path[:, k]) for k in range(2)], 1), done[places]


def _progress(route: Route, length: float, reached: Floats) -> tuple[Floats, Floats]:
    """Return metres walked and metres per second at every step of time."""
    rest = dict(route.pauses)
    times, distances = [0.0], [0.0]
    for stop in sorted(rest):
        times.append(times[-1] + (reached[stop] - distances[-1]) / route.speed)
        distances.append(float(reached[stop]))
        times.append(times[-1] + rest[stop])
        distances.append(distances[-1])
    times.append(times[-1] + (length - distances[-1]) / route.speed + 1e-6)
    distances.append(length)
    clock = np.arange(0, times[-1] + 1.0, _STEP)
    walked = gaussian_filter1d(np.interp(clock, times, distances), 0.25 / _STEP, mode="nearest")
    return walked, np.gradient(walked, _STEP)


ROUTES: tuple[Route, ...] = (
    Route(
        (
            *((-8.5, -3.9), (-2.0, -3.6), (2.3, -1.2), (2.6, 1.0), (3.9, 4.4), (5.4, 6.9)),
            *((7.0, 7.3), (27.2, 7.4)),
        ),
        start=-2.0,
        speed=1.38,
    ),
    Route(
        (
            *((27.2, 8.3), (12.0, 8.3), (6.6, 8.55), (3.2, 6.9), (2.4, 3.6), (3.4, 0.8)),
            *((3.7, -1.4), (12.0, -4.6)),
        ),
        start=-7.0,
        speed=1.28,
    ),
    Route(
        ((-1.9, 7.65), (1.8, 7.5), (5.0, 7.3), (7.0, 7.3), (11.0, 7.55), (27.2, 7.5)),
        start=3.2,
        speed=1.30,
        carries="right",
        waits=True,
    ),
    Route(
        ((13.0, -2.6), (6.8, -2.9), (3.6, -1.5), (3.2, 1.0), (1.4, 2.9), (-0.3, 4.2), (-0.4, 7.7)),
        start=0.5,
        speed=1.16,
        pauses=((6, 9.0),),
        carries="left",
    ),
    Route(
        (
            *((27.2, 8.3), (16.6, 8.15), (6.6, 8.4), (3.9, 6.4), (2.9, 3.6), (3.0, 0.6)),
            *((2.2, -1.4), (-1.0, -3.7), (-3.0, -9.0)),
        ),
        start=1.0,
        speed=1.42,
    ),
    Route(
        ((-4.8, 6.6), (-3.9, 3.6), (0.2, 2.6), (2.3, 0.6), (2.1, -1.6), (-2.2, -2.0), (-9.0, -2.4)),
        start=0.6,
        speed=1.18,
        waits=True,
    ),
    Route(
        (
            *((2.0, -9.5), (2.2, -5.0), (3.3, -1.2), (3.4, 0.8), (4.2, 3.6), (5.5, 6.7)),
            *((6.9, 7.1), (27.2, 7.15)),
        ),
        start=6.0,
        speed=1.36,
    ),
    Route(
        (
            *((3.4, 9.7), (2.6, 8.3), (1.8, 6.0), (1.6, 3.4), (2.1, 0.8), (2.3, -1.6)),
            *((6.0, -4.4), (10.5, -6.4)),
        ),
        start=8.5,
        speed=1.08,
        waits=True,
    ),
)
"""One route for each of `wardrobe.PEOPLE`, in the same order."""
