"""Which box a ray meets first."""

from __future__ import annotations

import numpy as np

from .mesh import Floats
from .world import Box


def first_hits(origin: Floats, rays: Floats, boxes: tuple[Box, ...]) -> tuple[Floats, Floats]:
    """Return (N,) distances in units of the rays and (N,) the index of the box met, or -1.

    Args:
        origin: (3,) or (N, 3) where the rays start.
        rays: (N, 3) directions of any length.
        boxes: what may be in the way.
    """
    starts = [np.asarray(origin)[..., axis] for axis in range(3)]
    # One contiguous array per axis: several times faster than reductions over rows of three.
    inverse = [1 / np.where(np.abs(ray) < 1e-9, 1e-9, ray) for ray in rays.T.copy()]
    nearest = np.full(len(rays), np.inf)
    which = np.full(len(rays), -1)
    for index, box in enumerate(boxes):
        enter, leave = np.full(len(rays), 1e-4), nearest
        for axis in range(3):
            one = (box.low[axis] - starts[axis]) * inverse[axis]
            two = (box.high[axis] - starts[axis]) * inverse[axis]
            enter = np.maximum(enter, np.minimum(one, two))
            leave = np.minimum(leave, np.maximum(one, two))
        hit = (enter < leave) & (enter > 1e-4)
        nearest[hit], which[hit] = enter[hit], index
    return nearest, which
