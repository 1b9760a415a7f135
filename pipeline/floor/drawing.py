"""The grid of the floor drawn into a camera's view, and the part of the floor that it sees."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.datatypes import Image
from pipeline.floor.fit import Fit
from pipeline.floor.plane import Plane

__all__ = ["draw_grid", "seen_floor"]

Array = NDArray[np.float64]
SEEN_PIXEL_M = 0.25
"""Where a pixel covers more than this, nothing can be told any more."""
SEEN_M = 60.0
"""Nothing further away than this is drawn."""
STEPS_M = (0.5, 1, 2, 5, 10, 20)
MAX_LINES = 30
BORDER = 24
"""Points along the upper side of a picture whose places are looked up."""
LINE, LABEL, POINT, WORST = (90, 220, 90), (255, 255, 255), (255, 160, 0), (0, 0, 255)


def seen_floor(plane: Plane, size: tuple[int, int]) -> Array:
    """Return ``(N, 2)`` corners in metres of the floor that a camera sees well, in order.

    Args:
        plane: The floor.
        size: Width and height of the picture, pixels.
    """
    width, height = size
    columns, rows = np.linspace(0, width, BORDER), np.linspace(0, height, 4 * BORDER)
    pixels = np.stack(np.meshgrid(columns, rows), axis=2)
    flat = pixels.reshape(-1, 2)
    with np.errstate(invalid="ignore"):
        places = plane.places(flat)
        near = plane.pixel_m(flat) < SEEN_PIXEL_M
    places[~near] = np.nan
    grid = places.reshape(len(rows), BORDER, 2)
    far, close = [], []
    for column in range(BORDER):
        known = np.flatnonzero(np.isfinite(grid[:, column, 0]))
        if len(known):
            far.append(grid[known[0], column])
            close.append(grid[known[-1], column])
    return np.array([*far, *close[::-1]]).reshape(-1, 2)


def draw_grid(image: Image, plane: Plane, fit: Fit | None) -> Image:
    """Return a copy of a picture with the grid of the floor, its metres, and the given points."""
    drawn = image.copy()
    height, width = image.shape[:2]
    thick = max(1, round(height / 700))
    corners = seen_floor(plane, (width, height))
    if len(corners):
        middle = np.nanmedian(corners, axis=0)
        low = np.maximum(corners.min(axis=0), middle - SEEN_M)
        high = np.minimum(corners.max(axis=0), middle + SEEN_M)
        step = next((s for s in STEPS_M if (high - low).max() / s <= MAX_LINES), STEPS_M[-1])
        _draw_lines(drawn, plane, (np.floor(low / step) * step, high), step, thick)
    if fit is not None:
        _draw_points(drawn, plane, fit, thick)
    return drawn


def _draw_lines(
    drawn: Image, plane: Plane, area: tuple[Array, Array], step: float, thick: int
) -> None:
    low, high = area
    for axis in (0, 1):
        along = np.arange(low[1 - axis], high[1 - axis] + step, step / 8)
        for value in np.arange(low[axis], high[axis] + step / 2, step):
            places = np.full((len(along), 2), value)
            places[:, 1 - axis] = along
            _polyline(drawn, plane, places, 2 * thick if value == 0 else thick)
    for x in np.arange(low[0], high[0] + step / 2, 2 * step):
        for y in np.arange(low[1], high[1] + step / 2, 2 * step):
            _label(drawn, plane, np.array([[x, y]]), thick)


def _polyline(drawn: Image, plane: Plane, places: Array, thick: int) -> None:
    with np.errstate(invalid="ignore"):
        pixels = plane.pixels(places)
        near = plane.pixel_m(pixels) < SEEN_PIXEL_M
    height, width = drawn.shape[:2]
    for one, other, clear in zip(pixels[:-1], pixels[1:], near[:-1] & near[1:], strict=True):
        inside = ((one > -width) & (one < 2 * width)).all() and (abs(other - one) < height).all()
        if clear and inside:
            cv2.line(drawn, _whole(one), _whole(other), LINE, thick, cv2.LINE_AA)


def _label(drawn: Image, plane: Plane, place: Array, thick: int) -> None:
    with np.errstate(invalid="ignore"):
        [pixel] = plane.pixels(place)
        slope = plane.pixel_m(pixel[None])[0]
    height, width = drawn.shape[:2]
    if slope < SEEN_PIXEL_M / 3 and 0 <= pixel[0] < width and 0 <= pixel[1] < height:
        text = f"{place[0, 0]:g}, {place[0, 1]:g}"
        _write(drawn, text, pixel + np.array([3, -3]), thick)


def _draw_points(drawn: Image, plane: Plane, fit: Fit, thick: int) -> None:
    for row, (point, error) in enumerate(zip(fit.points, fit.errors_m, strict=True)):
        colour = WORST if row == fit.worst and error > 0.005 else POINT
        given, [found] = point[:2], plane.pixels(point[None, 2:])
        cv2.line(drawn, _whole(given), _whole(found), colour, 2 * thick, cv2.LINE_AA)
        cv2.circle(drawn, _whole(given), 5 * thick, colour, 2 * thick, cv2.LINE_AA)
        _write(drawn, f"{row + 1}: {100 * error:.0f} cm", given + np.array([8, 12]), thick)


def _write(drawn: Image, text: str, at: Array, thick: int) -> None:
    scale = 0.42 * thick
    for colour, width in (((0, 0, 0), 3 * thick), (LABEL, thick)):
        cv2.putText(
            drawn, text, _whole(at), cv2.FONT_HERSHEY_SIMPLEX, scale, colour, width, cv2.LINE_AA
        )


def _whole(pixel: Array) -> tuple[int, int]:
    x, y = np.clip(np.rint(pixel), -(1 << 14), 1 << 14).astype(int).tolist()
    return x, y
