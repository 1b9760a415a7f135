"""Which tracks are worth comparing: the nearest ones, without an N x N matrix."""

from __future__ import annotations

import logging

import numpy as np

from pipeline.datatypes import FloatArray, IntArray
from pipeline.match.features import unit_rows

__all__ = ["candidate_pairs", "reduced"]

log = logging.getLogger(__name__)

ALL_PAIRS_ROWS = 1500
"""Up to so many tracks every pair is a candidate: a million of them cost less than a search."""
NEIGHBOURS = 40
"""Candidates per track beyond that."""
EXACT_ROWS = 50_000
"""Beyond so many tracks the search is approximate, in an inverted file."""
BLOCK_ROWS = 1024
ROUNDING = 1e-4
"""Slack of the cut by similarity, far above what the order of sums can do."""
REDUCED_DIM = 256
"""Length that features are cut to where the search is approximate."""
TRAINING_ROWS_PER_LIST = 40
PROBED_LISTS = 12


def candidate_pairs(features: FloatArray, *, least: float = -np.inf) -> IntArray:
    """Return ``(P, 2)`` pairs of rows, the smaller first, each once, in ascending order.

    Args:
        features: ``(N, D)`` rows, about of unit length.
        least: Pairs whose product is clearly below may be left out.
    """
    count = len(features)
    if count <= ALL_PAIRS_ROWS:
        near = np.triu(features @ features.T >= least - ROUNDING, k=1)
        return np.stack(np.nonzero(near), axis=1).astype(np.int64)
    search = _exact if count <= EXACT_ROWS else _approximate
    found, cosine = search(features)
    rows = np.repeat(np.arange(count), found.shape[1])
    columns = found.ravel()
    valid = (columns >= 0) & (columns != rows) & (cosine.ravel() >= least - ROUNDING)
    rows, columns = rows[valid], columns[valid]
    # One integer per pair sorts faster than rows of two.
    code = np.unique(np.minimum(rows, columns) * count + np.maximum(rows, columns))
    return np.stack([code // count, code % count], axis=1)


def reduced(features: FloatArray) -> FloatArray:
    """Return the features on their main axes where there are so many that it pays, unit rows."""
    if len(features) <= EXACT_ROWS or features.shape[1] <= REDUCED_DIM:
        return features
    sample = features[:: max(1, len(features) // 20_000)]
    _, axes = np.linalg.eigh((sample.T @ sample).astype(np.float64))
    return unit_rows(features @ axes[:, -REDUCED_DIM:].astype(np.float32))


def _exact(features: FloatArray) -> tuple[IntArray, FloatArray]:
    found = np.empty((len(features), NEIGHBOURS + 1), np.int64)
    similarity = np.empty(found.shape, np.float32)
    for start in range(0, len(features), BLOCK_ROWS):
        cosine = features[start : start + BLOCK_ROWS] @ features.T
        nearest = np.argpartition(cosine, -NEIGHBOURS - 1, axis=1)[:, -NEIGHBOURS - 1 :]
        found[start : start + BLOCK_ROWS] = nearest
        similarity[start : start + BLOCK_ROWS] = np.take_along_axis(cosine, nearest, axis=1)
    return found, similarity


def _approximate(features: FloatArray) -> tuple[IntArray, FloatArray]:
    try:
        import faiss  # noqa: PLC0415 - optional, and slow to load
    except ImportError:
        log.warning("faiss is not installed, so %d tracks are searched exactly", len(features))
        return _exact(features)
    count, dim = features.shape
    lists = int(np.clip(4 * np.sqrt(count), 64, 4096))
    index = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(dim),
        dim,
        lists,
        faiss.ScalarQuantizer.QT_fp16,
        faiss.METRIC_INNER_PRODUCT,
    )
    training = features[:: max(1, count // (lists * TRAINING_ROWS_PER_LIST))]
    index.train(training)
    index.add(features)
    index.nprobe = PROBED_LISTS
    similarity, found = index.search(features, NEIGHBOURS + 1)
    return found, similarity
