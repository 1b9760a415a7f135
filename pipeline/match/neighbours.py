"""Which tracks are worth comparing: the nearest ones, without an N x N matrix."""

from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np

from pipeline.datatypes import FloatArray, IntArray

__all__ = ["EXACT_ROWS", "candidate_pairs"]

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
TRAINING_ROWS_PER_LIST = 40
TRAINING_ROUNDS = 8
PROBED_LISTS = 12

Search = Callable[[FloatArray], tuple[FloatArray, IntArray]]
"""From rows to the similarities and the positions of their nearest neighbours, -1 for none."""


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
    search = _exact(features) if count <= EXACT_ROWS else _approximate(features)
    # One integer per pair takes half the memory and sorts faster than rows of two.
    codes = []
    for start in range(0, count, BLOCK_ROWS):
        cosine, found = search(features[start : start + BLOCK_ROWS])
        rows = np.repeat(np.arange(start, start + len(found)), found.shape[1])
        columns = found.ravel()
        valid = (columns >= 0) & (columns != rows) & (cosine.ravel() >= least - ROUNDING)
        rows, columns = rows[valid], columns[valid]
        codes.append(np.minimum(rows, columns) * count + np.maximum(rows, columns))
    del search  # and its index
    code = np.concatenate(codes)
    codes.clear()
    code.sort()
    first = np.ones(len(code), bool)
    first[1:] = code[1:] != code[:-1]
    code = code[first]
    pairs = np.empty((len(code), 2), np.int64)
    np.divmod(code, count, out=(pairs[:, 0], pairs[:, 1]))
    return pairs


def _exact(features: FloatArray) -> Search:
    def search(rows: FloatArray) -> tuple[FloatArray, IntArray]:
        cosine = rows @ features.T
        nearest = np.argpartition(cosine, -NEIGHBOURS - 1, axis=1)[:, -NEIGHBOURS - 1 :]
        return np.take_along_axis(cosine, nearest, axis=1), nearest

    return search


def _approximate(features: FloatArray) -> Search:
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
    index.cp.niter = TRAINING_ROUNDS
    index.train(features[:: max(1, count // (lists * TRAINING_ROWS_PER_LIST))])
    index.add(features)
    index.nprobe = PROBED_LISTS

    def search(rows: FloatArray) -> tuple[FloatArray, IntArray]:
        similarity, found = index.search(rows, NEIGHBOURS + 1)
        return similarity, found

    return search
