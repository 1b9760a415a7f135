"""Points, polygons and lines in a picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Floats", "crossings", "distance", "inside"]

Floats = NDArray[np.float64]


def inside(points: Floats, polygon: Floats) -> NDArray[np.bool_]:
    """Return ``(N,)`` which of the ``(N, 2)`` points are in a ``(P, 2)`` polygon.

    By the even-odd rule: edges crossed on the way to the right.
    """
    x, y = points[:, 0], points[:, 1]
    start_x, start_y = polygon[:, 0], polygon[:, 1]
    end_x, end_y = np.roll(start_x, -1), np.roll(start_y, -1)
    spans = (start_y > y[:, None]) != (end_y > y[:, None])
    rise = np.where(end_y == start_y, 1.0, end_y - start_y)
    crossing_x = start_x + (y[:, None] - start_y) * (end_x - start_x) / rise
    passed: NDArray[np.int64] = np.sum(spans & (x[:, None] < crossing_x), axis=1)
    is_inside: NDArray[np.bool_] = passed % 2 == 1
    return is_inside


def distance(points: Floats, line: Floats) -> Floats:
    """Return ``(N,)`` how far the ``(N, 2)`` points are from a line through ``(P, 2)`` corners."""
    starts, ways = line[:-1], np.diff(line, axis=0)
    length = np.maximum((ways**2).sum(axis=1), 1e-12)
    offset = points[:, None] - starts
    share = np.clip((offset * ways).sum(axis=2) / length, 0, 1)
    gap = offset - share[..., None] * ways
    nearest: Floats = np.sqrt((gap**2).sum(axis=2)).min(axis=1)
    return nearest


def crossings(start: Floats, end: Floats, line: Floats) -> int:
    """Return how a way from one point to another crosses a line, all its corners in order.

    Returns:
        1 for each time from the left to the right of the line as one looks along it in the picture,
        -1 for each the other way; 0 where it does not, or does both.
    """
    a, b = line[:-1], line[1:]
    before, after = _side(start, a, b), _side(end, a, b)
    first, last = _side(a, start, end), _side(b, start, end)
    meets = ((before > 0) != (after > 0)) & ((first > 0) != (last > 0))
    # The picture's y goes down, so what is left of the line has a negative side.
    return int(np.where(after > 0, 1, -1)[meets].sum())


def _side(point: Floats, start: Floats, end: Floats) -> Floats:
    """Return on which side of a way points are: the sign of a cross product."""
    way, offset = end - start, point - start
    side: Floats = way[..., 0] * offset[..., 1] - way[..., 1] * offset[..., 0]
    return side
