"""Smooth random numbers in space, for cloth, stone and leaves."""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from .mesh import Floats

_SIZE = 64
_GRAIN = 4.0
"""Voxels from one bump to the next."""


@cache
def _volume() -> Floats:
    """Return (4, 64, 64, 64): a field that repeats, and its three slopes."""
    white = np.random.default_rng(12345).standard_normal((_SIZE,) * 3)
    field = gaussian_filter(white, _GRAIN / 2.2, mode="wrap")
    field /= field.std()
    slopes = [np.roll(field, -1, k) - np.roll(field, 1, k) for k in range(3)]
    return np.stack([field, *(slope * (_GRAIN / 2) for slope in slopes)])


def noise(points: Floats, *, size: Floats | float) -> Floats:
    """Return (N,) noise of mean 0 and deviation 1.

    Args:
        points: (N, 3) metres.
        size: metres from one bump to the next, one figure or one per axis.
    """
    at = (points * (_GRAIN / np.asarray(size))).T
    return np.asarray(map_coordinates(_volume()[0], at, order=1, mode="grid-wrap"))


def slope(points: Floats, *, size: Floats | float) -> Floats:
    """Return (N, 3) the change of the noise per bump along each axis."""
    at = (points * (_GRAIN / np.asarray(size))).T
    volume = _volume()
    return np.stack(
        [map_coordinates(volume[k], at, order=1, mode="grid-wrap") for k in (1, 2, 3)], 1
    )
