"""The plane of one camera, fitted to where others see the feet: moved, turned, stretched, or made anew."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from pipeline.floor.placing import place_feet
from pipeline.floor.plane import Plane

__all__ = ["Pairs", "fitted", "is_broad", "models_of"]

Array = NDArray[np.float64]
MODELS = ("moved", "moved, turned and scaled", "stretched", "made anew")
"""Changes of a floor, the simplest first, by 2, 4, 6 and 8 numbers."""
REACH_M = 0.75
"""Feet that agree; what is further off is somebody else, or half hidden."""
MIN_ROWS = 8
MIN_SPREAD = 0.05
"""Deviation of the feet along the shorter direction, in heights of the picture."""
HELD_M = 1.0
"""Deviation by which a floor may bend where nobody walked, if it fits without bending but for as much."""
HELD_PIXEL_M = 0.1
"""The floor is held where a pixel covers less than this."""
BODY_M = 0.1
"""How far feet in two views are apart at best: two cameras see different sides of a person."""


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Feet in the picture of one camera, and where the others see them.

    Attributes:
        feet: ``(N, 2)`` pixels.
        tall: ``(N,)`` heights of the boxes, pixels.
        xy: ``(N, 2)`` metres.
        variance: ``(N,)`` of these, square metres.
        weight: ``(N,)`` how much each counts.
    """

    feet: Array
    tall: Array
    xy: Array
    variance: Array
    weight: Array


def models_of(plane: Plane | None) -> tuple[str, ...]:
    """Return the changes worth trying, the simplest first; without a plane the last alone."""
    return MODELS[-1:] if plane is None else MODELS


def is_broad(pairs: Pairs, size: tuple[int, int]) -> bool:
    """Return whether the feet fill an area of the picture, not a line."""
    if len(pairs.feet) < MIN_ROWS:
        return False
    spread = np.linalg.svd(pairs.feet - pairs.feet.mean(axis=0), compute_uv=False)
    return bool(spread[1] / np.sqrt(len(pairs.feet)) >= MIN_SPREAD * size[1])


def fitted(model: str, plane: Plane | None, pairs: Pairs, size: tuple[int, int]) -> Plane | None:
    """Return the plane that a change of this kind makes, ``None`` where it cannot be told.

    Args:
        model: One of ``MODELS``.
        plane: What the camera has, ``None`` where it is not calibrated.
        pairs: What to fit.
        size: Width and height of the picture, pixels.
    """
    start = Plane(_to_unit(size), 0.0) if plane is None else plane
    known = np.isfinite(start.places(pairs.feet)).all(axis=1)
    if known.sum() < MIN_ROWS:
        return None
    rows = Pairs(*(column[known] for column in _columns(pairs)))
    source = start.places(rows.feet)
    change, held = _first_guess(model, source, rows.xy), None
    if plane is not None and model in MODELS[2:]:
        simple = fitted(MODELS[1], plane, pairs, size)
        if simple is not None and _median_m(simple, rows) <= HELD_M:
            held = _held(plane, simple, size)
    for _ in range(2):  # how uncertain feet are depends on the plane
        if change is None or not _is_sound(change, source):
            return None
        spread = place_feet(_changed(start, change), rows.feet, rows.tall).spread
        own = np.nan_to_num((spread[:, 0] + spread[:, 2]) / 2, nan=25.0)
        deviation = np.sqrt(own + rows.variance + BODY_M**2)
        change = _polished(model, change, source, rows, deviation, held)
    if change is None or not _is_sound(change, source):
        return None
    return _changed(start, change)


def _columns(pairs: Pairs) -> tuple[Array, ...]:
    return pairs.feet, pairs.tall, pairs.xy, pairs.variance, pairs.weight


def _to_unit(size: tuple[int, int]) -> Array:
    """Return the map from pixels to the picture's own square, from the middle of its lower border."""
    width, height = size
    return np.array([[1 / width, 0, -0.5], [0, 1 / height, -1], [0, 0, 1.0]])


def _changed(plane: Plane, change: Array) -> Plane:
    return replace(plane, to_floor=change @ plane.to_floor, pose=None)


def _first_guess(model: str, source: Array, target: Array) -> Array | None:
    """Return a ``(3, 3)`` change that most rows agree with."""
    cv2.setRNGSeed(0)
    change = np.eye(3)
    if model == MODELS[0]:
        change[:2, 2] = np.median(target - source, axis=0)
        return change
    if model == MODELS[3]:
        found, _ = cv2.findHomography(source, target, cv2.RANSAC, REACH_M, maxIters=5000)
        return None if found is None else np.asarray(found, np.float64)
    estimate = cv2.estimateAffinePartial2D if model == MODELS[1] else cv2.estimateAffine2D
    found, _ = estimate(source, target, ransacReprojThreshold=REACH_M, maxIters=5000)
    if found is None:
        return None
    change[:2] = found
    return change


def _is_sound(change: Array, source: Array) -> bool:
    """Return whether a change keeps all rows before the camera, and the floor a floor."""
    depth = np.c_[source, np.ones(len(source))] @ change[2]
    return bool(
        np.isfinite(change).all() and (depth > 0).all() and abs(np.linalg.det(change)) > 1e-9
    )


def _median_m(plane: Plane, pairs: Pairs) -> float:
    return float(np.nanmedian(np.linalg.norm(plane.places(pairs.feet) - pairs.xy, axis=1)))


def _held(plane: Plane, simple: Plane, size: tuple[int, int]) -> tuple[Array, Array]:
    """Return places all over the view, and where the floor as a whole went: it bends only for people."""
    columns, lines = np.meshgrid(np.linspace(0, size[0], 6), np.linspace(0, size[1], 12))
    pixels = np.column_stack([columns.ravel(), lines.ravel()])
    with np.errstate(invalid="ignore"):
        pixels = pixels[simple.pixel_m(pixels) < HELD_PIXEL_M]
    return plane.places(pixels), simple.places(pixels)


def _polished(  # noqa: PLR0917
    model: str,
    start: Array,
    source: Array,
    rows: Pairs,
    deviation: Array,
    held: tuple[Array, Array] | None,
) -> Array:
    """Return the change that brings feet closest together, in deviations; far ones count little."""
    target, factor = rows.xy, np.sqrt(rows.weight) / deviation
    if held is not None and len(held[0]):
        source, target = np.concatenate([source, held[0]]), np.concatenate([target, held[1]])
        share = np.full(len(held[0]), 1 / (HELD_M * np.sqrt(len(held[0]))))
        factor = np.concatenate([factor, share])
    own = np.c_[source, np.ones(len(source))]

    def residuals(numbers: Array) -> Array:
        mapped = own @ _matrix(model, numbers).T
        apart = mapped[:, :2] / np.maximum(mapped[:, 2:], 1e-9) - target
        weighted: Array = apart * factor[:, None]
        return weighted.ravel()

    numbers = _numbers(model, start)
    return _matrix(model, least_squares(residuals, numbers, loss="soft_l1", x_scale="jac").x)


def _numbers(model: str, change: Array) -> Array:
    flat = (change / change[2, 2]).ravel()
    chosen = {MODELS[0]: [2, 5], MODELS[1]: [0, 3, 2, 5], MODELS[2]: [0, 1, 2, 3, 4, 5]}
    result: Array = flat[chosen.get(model, list(range(8)))]
    return result


def _matrix(model: str, numbers: Array) -> Array:
    if model == MODELS[0]:
        return np.array([[1, 0, numbers[0]], [0, 1, numbers[1]], [0, 0, 1.0]])
    if model == MODELS[1]:
        a, b, x, y = numbers
        return np.array([[a, -b, x], [b, a, y], [0, 0, 1.0]])
    rest = numbers[6:] if model == MODELS[3] else np.zeros(2)
    return np.array([*numbers[:6], *rest, 1.0]).reshape(3, 3)
