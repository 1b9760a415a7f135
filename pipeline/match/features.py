"""Embeddings of tracks, made comparable between cameras."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.datatypes import FloatArray, IntArray, Tracklet

__all__ = ["CameraCentres", "CameraTotals", "main_axes", "tracklet_features", "unit_rows"]

_TINY = 1e-9
SAME_LOOKS = 0.8
"""Cosine from which on two tracks of one camera may well be one person."""
MAX_DISTINCT = 33
"""Distinct-looking tracks of a camera that are counted; more hardly change a share."""
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


class CameraTotals:
    """What the tracks of each camera add up to, gathered block by block.

    Args:
        cameras: Number of cameras.
        dim: Length of an embedding.

    Attributes:
        sums: ``(C, D)`` the sum over the mean embeddings of each camera's tracks.
        counts: ``(C,)`` how many tracks that are.
    """

    def __init__(self, cameras: int, dim: int) -> None:
        self.sums = np.zeros((cameras, dim))
        self.counts = np.zeros(cameras, np.int64)
        self._looks: list[FloatArray] = [np.zeros((0, dim), np.float32)] * cameras

    def add(self, means: FloatArray, camera: IntArray) -> None:
        """Add ``(N, D)`` mean embeddings of tracks of the ``(N,)`` cameras."""
        for number in np.unique(camera):
            own = means[camera == number]
            self.sums[number] += own.sum(axis=0, dtype=np.float64)
            self.counts[number] += len(own)
            self._looks[number] = _distinct(unit_rows(own), self._looks[number])

    def distinct(self) -> IntArray:
        """Return ``(C,)``: how many tracks of each camera look unlike all before, up to a cap."""
        return np.array([len(each) for each in self._looks], np.int64)


def _distinct(rows: FloatArray, known: FloatArray) -> FloatArray:
    """Return the known unit rows, and after them those that are like none before."""
    rows = rows[np.all(rows @ known.T < SAME_LOOKS, axis=1)]
    while len(rows) and len(known) < MAX_DISTINCT:
        known = np.concatenate([known, rows[:1]])
        rows = rows[rows @ rows[0] < SAME_LOOKS]
    return known


class CameraCentres:
    """Takes out of an embedding what it owes to the camera: light, colours, height of view.

    Each camera's mean embedding is moved towards the mean over all cameras. The mean of a few
    persons tells who they are, the mean of many tells where they are, so the share that is
    moved, ``k^2 / (k^2 + prior^2)``, grows with the number of persons. That number is not
    known; ``k + 1`` tracks that look unlike each other stand for it, as one person in a
    crowded place can leave any number of tracks.

    Args:
        totals: What the cameras' tracks add up to.
        prior: ``k`` at which half of the difference is taken out; 0 leaves all as it is.
    """

    def __init__(self, totals: CameraTotals, *, prior: float) -> None:
        self._shift: FloatArray = np.zeros(totals.sums.shape, np.float32)
        seen = totals.counts > 0
        if prior <= 0 or not seen.any():
            return
        overall = totals.sums.sum(axis=0) / totals.counts.sum()
        others = (totals.distinct()[seen, None] - 1.0) ** 2
        own = totals.sums[seen] / totals.counts[seen, None]
        self._shift[seen] = others / (others + prior**2) * (own - overall)

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
        totals = CameraTotals(cameras, means.shape[1])
        totals.add(means, camera)
        return cls(totals, prior=prior)

    def apply(self, means: FloatArray, camera: IntArray | NDArray[np.integer]) -> FloatArray:
        """Return ``(N, D)`` unit rows with the camera's share taken out."""
        return unit_rows(means - self._shift[camera])


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
    totals = CameraTotals(cameras, dim)
    for block in blocks:
        totals.add(_means(tracklets[block]), camera[block])
    centres = CameraCentres(totals, prior=prior)
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
