"""Triangles to pixels, in numpy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .mesh import Floats, Ints


@dataclass(frozen=True, slots=True)
class Fragments:
    """The pixels that a mesh covers, each with the nearest of its faces there.

    Attributes:
        column: (N,) pixel columns.
        row: (N,) pixel rows.
        face: (N,) index of the face seen.
        mix: (N, 3) shares of the face's corners, right in perspective, summing to one.
        depth: (N,) metres along the optical axis.
    """

    column: Ints
    row: Ints
    face: Ints
    mix: Floats
    depth: Floats

    def __len__(self) -> int:
        return len(self.face)

    def take(self, which: NDArray[np.bool_]) -> Fragments:
        """Return some of the pixels.

        Args:
            which: (N,) true where a pixel stays.
        """
        return Fragments(
            self.column[which],
            self.row[which],
            self.face[which],
            self.mix[which],
            self.depth[which],
        )

    def at(self, values: Floats, faces: Ints) -> Floats:
        """Return (N, C) the values (V, C) of the points, interpolated at the pixels."""
        corner = faces[self.face]
        total = self.mix[:, :1] * values[corner[:, 0]]
        total += self.mix[:, 1:2] * values[corner[:, 1]]
        return np.asarray(total + self.mix[:, 2:] * values[corner[:, 2]])


def rasterize(
    pixels: Floats,
    depth: Floats,
    faces: Ints,
    *,
    bounds: tuple[int, int, int, int],
    opaque: Callable[[Ints, Floats], NDArray[np.bool_]] | None = None,
) -> Fragments:
    """Find the nearest front face at every pixel of a region.

    Args:
        pixels: (V, 2) where the points fall, column and row; pixel centres are at .5.
        depth: (V,) metres along the optical axis; faces nearer than 0.1 m are left out.
        faces: (F, 3) counter-clockwise seen from outside.
        bounds: left, top, right, bottom of the region, right and bottom excluded.
        opaque: says of faces (N,) with corner shares (N, 3) which are there; the others do not
            cover what is behind them. Without it, all are.

    Returns:
        The covered pixels in row-major order.
    """
    left, top, right, bottom = bounds
    a, b, c = (pixels[faces[:, k]] for k in range(3))
    double_area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (
        c[:, 0] - a[:, 0]
    )
    # Rows grow downwards, so faces towards the camera have a negative area.
    index = np.flatnonzero((double_area < -1e-9) & (depth[faces] > 0.1).all(1))
    a, b, c = a[index], b[index], c[index]
    low = np.minimum(np.minimum(a, b), c)
    high = np.maximum(np.maximum(a, b), c)
    low = np.maximum(np.ceil(low - 0.5), [left, top]).astype(np.int64)
    high = np.minimum(np.floor(high - 0.5), [right - 1, bottom - 1]).astype(np.int64)
    size = high - low + 1
    some = np.flatnonzero((size > 0).all(1))
    index, low, size = index[some], low[some], size[some]
    corner, double_area = (a[some], b[some], c[some]), double_area[index]
    count = size[:, 0] * size[:, 1]
    which = np.repeat(np.arange(len(index)), count)
    within = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
    across = np.repeat(size[:, 0], count)
    column = np.repeat(low[:, 0], count) + within % across
    row = np.repeat(low[:, 1], count) + within // across

    share = np.empty((len(which), 3))
    for k in range(3):
        one, two = corner[(k + 1) % 3], corner[(k + 2) % 3]
        slope_x = (one[:, 1] - two[:, 1]) / double_area
        slope_y = (two[:, 0] - one[:, 0]) / double_area
        start = (one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]) / double_area
        share[:, k] = np.repeat(slope_x, count) * (column + 0.5)
        share[:, k] += np.repeat(slope_y, count) * (row + 0.5)
        share[:, k] += np.repeat(start, count)
    inside = (share[:, 0] >= 0) & (share[:, 1] >= 0) & (share[:, 2] >= 0)
    which, column, row, share = which[inside], column[inside], row[inside], share[inside]

    share /= depth[faces[index]][which]
    nearness = share.sum(1)
    if opaque is not None:
        there = opaque(index[which], share / nearness[:, None])
        which, column, row = which[there], column[there], row[there]
        share, nearness = share[there], nearness[there]
    place = (row - top) * (right - left) + (column - left)
    nearest = np.zeros((right - left) * (bottom - top))
    np.maximum.at(nearest, place, nearness)
    best = np.flatnonzero(nearness == nearest[place])
    # Of faces equally near the first is seen.
    first = np.full(len(nearest), -1)
    first[place[best[::-1]]] = best[::-1]
    best = first[first >= 0]
    return Fragments(
        column[best],
        row[best],
        index[which[best]],
        share[best] / nearness[best, None],
        1 / nearness[best],
    )
