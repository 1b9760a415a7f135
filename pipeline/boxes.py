"""Areas and overlaps of boxes, corners in pixels."""

from __future__ import annotations

import numpy as np

from pipeline.datatypes import FloatArray

__all__ = ["areas", "intersections", "ious"]


def ious(one: FloatArray, other: FloatArray) -> FloatArray:
    """Return ``(N, M)`` intersection over union of ``(N, 4)`` and ``(M, 4)`` boxes."""
    shared = intersections(one, other)
    union = areas(one)[:, None] + areas(other)[None, :] - shared
    ratio: FloatArray = shared / np.maximum(union, 1e-6)
    return ratio


def intersections(one: FloatArray, other: FloatArray) -> FloatArray:
    """Return ``(N, M)`` areas that ``(N, 4)`` and ``(M, 4)`` boxes share, in square pixels."""
    width = np.minimum(one[:, None, 2], other[:, 2]) - np.maximum(one[:, None, 0], other[:, 0])
    height = np.minimum(one[:, None, 3], other[:, 3]) - np.maximum(one[:, None, 1], other[:, 1])
    shared: FloatArray = np.clip(width, 0, None) * np.clip(height, 0, None)
    return shared


def areas(xyxy: FloatArray) -> FloatArray:
    """Return ``(N,)`` areas of ``(N, 4)`` boxes, in square pixels."""
    size: FloatArray = (xyxy[:, 2] - xyxy[:, 0]) * (xyxy[:, 3] - xyxy[:, 1])
    return size
