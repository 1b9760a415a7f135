"""The parts of a body, and what all of them are shaped with."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from scipy.interpolate import PchipInterpolator

from .anatomy import BONES
from .mesh import Floats


class Part(IntEnum):
    """What a face belongs to; how it is painted follows from it."""

    TRUNK = 0
    ARM = 1
    LEG = 2
    SKIRT = 3
    HEAD = 4
    NECK = 5
    HAND = 6
    HAIR = 7
    SHOE = 8
    BAG = 9
    STRAP = 10
    CAP = 11
    COLLAR = 12


_INDEX = {bone: number for number, bone in enumerate(BONES)}


def bone(name: str) -> Floats:
    """Return (B,) weights of points that one bone moves alone."""
    return np.asarray(np.eye(len(BONES))[_INDEX[name]])


def blend(low: str, high: str, level: Floats, *, at: float, width: float) -> Floats:
    """Return (R, B) weights that change from one bone to another around a level."""
    share = np.clip((level - at) / width + 0.5, 0, 1)
    share = share * share * (3 - 2 * share)
    return np.asarray((1 - share)[:, None] * bone(low) + share[:, None] * bone(high))


def outline(table: Floats, levels: Floats) -> Floats:
    """Return (R, C) the columns of an outline at levels, by cubic interpolation."""
    return np.asarray(PchipInterpolator(table[:, 0], table[:, 1:], extrapolate=True)(levels))


def levels_between(low: float, high: float, count: int, *edges: float) -> Floats:
    """Return rising levels with two close together at every edge, where a hem steps."""
    inner = [edge + step for edge in edges for step in (-0.0012, 0.0012)]
    spread = [
        level
        for level in np.linspace(low, high, count)
        if all(abs(level - edge) > 0.004 for edge in edges)
    ]
    return np.array(sorted([*spread, *(level for level in inner if low < level < high)]))
