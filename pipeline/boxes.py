"""Areas and overlaps of boxes, corners in pixels."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.datatypes import FloatArray

__all__ = ["areas", "covered_shares", "intersections", "ious"]

Real = TypeVar("Real", np.float32, np.float64)


def ious(one: NDArray[Real], other: NDArray[Real]) -> NDArray[Real]:
    """Return ``(N, M)`` intersection over union of ``(N, 4)`` and ``(M, 4)`` boxes."""
    shared = intersections(one, other)
    union = areas(one)[:, None] + areas(other)[None, :] - shared
    ratio: NDArray[Real] = shared / np.maximum(union, 1e-6)
    return ratio


def intersections(one: NDArray[Real], other: NDArray[Real]) -> NDArray[Real]:
    """Return ``(N, M)`` areas that ``(N, 4)`` and ``(M, 4)`` boxes share, in square pixels."""
    width = np.minimum(one[:, None, 2], other[:, 2]) - np.maximum(one[:, None, 0], other[:, 0])
    height = np.minimum(one[:, None, 3], other[:, 3]) - np.maximum(one[:, None, 1], other[:, 1])
    shared: NDArray[Real] = np.clip(width, 0, None) * np.clip(height, 0, None)
    return shared


def areas(xyxy: NDArray[Real]) -> NDArray[Real]:
    """Return ``(N,)`` areas of ``(N, 4)`` boxes, in square pixels."""
    size: NDArray[Real] = (xyxy[:, 2] - xyxy[:, 0]) * (xyxy[:, 3] - xyxy[:, 1])
    return size


def covered_shares(xyxy: FloatArray) -> FloatArray:
    """Return ``(N,)``: the largest share of each box that another one overlaps."""
    if len(xyxy) < 2:
        return np.zeros(len(xyxy), np.float32)
    shared = intersections(xyxy, xyxy)
    np.fill_diagonal(shared, 0)
    shares: FloatArray = (shared / np.maximum(areas(xyxy), 1e-6)[:, None]).max(axis=1)
    return shares
