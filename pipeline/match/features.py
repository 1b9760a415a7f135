"""What tracks look like, made comparable over cameras."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.datatypes import FloatArray, IntArray

__all__ = ["CameraCentres", "unit_rows"]

_TINY = 1e-9
BLOCK_ROWS = 1 << 14


def unit_rows(rows: FloatArray) -> FloatArray:
    """Return ``(N, D)`` rows scaled to length 1; rows of zeros stay zeros."""
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: FloatArray = (rows / np.maximum(length, _TINY)).astype(np.float32, copy=False)
    return scaled


class CameraCentres:
    """Takes out of an embedding what it owes to the camera: light, colours, height of view.

    Each camera's mean embedding is moved towards the mean over all cameras, by a share
    ``n / (n + prior)`` that grows with the number ``n`` of its tracks: the mean of a few
    tracks tells who they are, the mean of many tells where they are.

    Args:
        means: ``(N, D)`` mean embeddings of tracks.
        camera: ``(N,)`` camera number of each.
        cameras: Number of cameras.
        prior: Tracks at which half of the difference is taken out; 0 leaves all as it is.
    """

    def __init__(self, means: FloatArray, camera: IntArray, *, cameras: int, prior: float) -> None:
        dim = means.shape[1]
        self._shift: FloatArray = np.zeros((cameras, dim), np.float32)
        if prior <= 0 or len(means) == 0:
            return
        overall = means.mean(axis=0)
        for number in np.unique(camera):
            own = means[camera == number]
            share = len(own) / (len(own) + prior)
            self._shift[number] = share * (own.mean(axis=0) - overall)

    def apply(self, means: FloatArray, camera: IntArray | NDArray[np.integer]) -> FloatArray:
        """Return ``(N, D)`` unit rows with the camera's share taken out."""
        features = np.empty_like(means)
        for start in range(0, len(means), BLOCK_ROWS):  # a million rows fit once, not thrice
            block = slice(start, start + BLOCK_ROWS)
            features[block] = unit_rows(means[block] - self._shift[camera[block]])
        return features
