"""What tracks look like, made comparable over cameras."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.datatypes import FloatArray, IntArray, Tracklet

__all__ = ["CameraCentres", "main_axes", "tracklet_features", "unit_rows"]

_TINY = 1e-9
BLOCK_ROWS = 1 << 14
AXES_ROWS = 20_000
"""Rows that the main axes are taken from."""
REDUCED_DIM = 256
"""Length that features are cut to where there are very many."""


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
        totals: ``(C, D)`` the sum over the mean embeddings of each camera's tracks.
        counts: ``(C,)`` how many tracks that are.
        prior: Tracks at which half of the difference is taken out; 0 leaves all as it is.
    """

    def __init__(
        self, totals: NDArray[np.float64], counts: NDArray[np.integer], *, prior: float
    ) -> None:
        self._shift: FloatArray = np.zeros(totals.shape, np.float32)
        if prior <= 0 or not counts.any():
            return
        overall = totals.sum(axis=0) / counts.sum()
        seen = counts > 0
        share = (counts / (counts + prior))[seen, None]
        own = totals[seen] / counts[seen, None]
        self._shift[seen] = (share * (own - overall)).astype(np.float32)

    @classmethod
    def of(
        cls, means: FloatArray, camera: IntArray, *, cameras: int, prior: float
    ) -> CameraCentres:
        """Return the centres of ``(N, D)`` mean embeddings of tracks.

        Args:
            means: One row per track.
            camera: ``(N,)`` camera number of each.
            cameras: Number of cameras.
            prior: As above.
        """
        totals = _totals(np.zeros((cameras, means.shape[1])), means, camera)
        return cls(totals, np.bincount(camera, minlength=cameras), prior=prior)

    def apply(self, means: FloatArray, camera: IntArray | NDArray[np.integer]) -> FloatArray:
        """Return ``(N, D)`` unit rows with the camera's share taken out."""
        return unit_rows(means - self._shift[camera])


def _totals(
    totals: NDArray[np.float64], means: FloatArray, camera: IntArray
) -> NDArray[np.float64]:
    """Add ``(N, D)`` rows to the totals of their cameras."""
    for number in np.unique(camera):
        totals[number] += means[camera == number].sum(axis=0, dtype=np.float64)
    return totals


def main_axes(sample: FloatArray, dim: int) -> FloatArray:
    """Return ``(D, dim)``: the directions along which ``(N, D)`` rows differ most."""
    _, axes = np.linalg.eigh((sample.T @ sample).astype(np.float64))
    result: FloatArray = axes[:, -dim:].astype(np.float32)
    return result


def tracklet_features(
    tracklets: Sequence[Tracklet], camera: IntArray, *, cameras: int, prior: float, reduce: bool
) -> tuple[FloatArray, FloatArray]:
    """Return ``(N, D)`` unit rows without their camera's colouring, and the axes they are on.

    A million tracklets fit into memory once, not thrice: all is done block by block.

    Args:
        tracklets: Each with at least one embedding.
        camera: ``(N,)`` camera number of each.
        cameras: Number of cameras.
        prior: As for ``CameraCentres``.
        reduce: Whether to keep only the ``REDUCED_DIM`` main axes.
    """
    dim = len(tracklets[0].embedding_sum)
    blocks = [slice(start, start + BLOCK_ROWS) for start in range(0, len(tracklets), BLOCK_ROWS)]
    totals = np.zeros((cameras, dim))
    for block in blocks:
        _totals(totals, _means(tracklets[block]), camera[block])
    centres = CameraCentres(totals, np.bincount(camera, minlength=cameras), prior=prior)
    axes: FloatArray = np.eye(dim, dtype=np.float32)
    if reduce and dim > REDUCED_DIM:
        some = slice(None, None, max(1, len(tracklets) // AXES_ROWS))
        axes = main_axes(centres.apply(_means(tracklets[some]), camera[some]), REDUCED_DIM)
    features = np.empty((len(tracklets), axes.shape[1]), np.float32)
    for block in blocks:
        whole = centres.apply(_means(tracklets[block]), camera[block])
        features[block] = whole if axes.shape[1] == dim else unit_rows(whole @ axes)
    return features, axes


def _means(tracklets: Sequence[Tracklet]) -> FloatArray:
    means: FloatArray = np.stack([t.embedding_sum / np.float32(t.weight) for t in tracklets])
    return means
