"""Average linkage on a sparse graph, with constraints that groups inherit.

Pairs of groups that are each other's best are joined, all of them at once, round by round:
with average linkage no join makes a pair of others more similar than the better of the two
was, so the result is that of joining one pair at a time, in a few dozen vectorised rounds
instead of millions of steps. Groups carry the sum of their members' features, which gives
the mean cosine over all pairs of members of two groups by one product.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.datatypes import FloatArray, IntArray
from pipeline.match.constraints import Spans, SpatialRules

__all__ = ["COST_STEPS", "link"]

COST_STEPS = 1 << 20
"""Similarities are compared as integers, so that rounding cannot change a decision."""
BLOCK_PAIRS = 1 << 15
"""Pairs whose features are gathered at a time."""


def link(
    features: FloatArray,
    weight: FloatArray,
    spans: list[Spans],
    pairs: IntArray,
    *,
    rules: SpatialRules,
    threshold: float,
) -> IntArray:
    """Return ``(N,)`` the number of each row's group: the smallest row in it.

    Args:
        features: ``(N, D)`` unit rows.
        weight: ``(N,)`` how much each row counts in the mean of its group.
        spans: When and where the tracks behind each row were.
        pairs: ``(P, 2)`` rows that are candidates, the smaller first, in ascending order
            without repetition.
        rules: Which groups cannot be one person.
        threshold: Least weighted mean cosine of two groups that are joined.
    """
    sums = features * weight[:, None]
    total = weight.astype(np.float32)
    group = np.arange(len(features))
    times = dict(enumerate(spans))
    limit = round(threshold * COST_STEPS)
    # A pair below the threshold may go for good: the mean over a joined group is at most the
    # better of its parts', and while one of these is above, the pair comes back through it.
    a, b = pairs[:, 0].copy(), pairs[:, 1].copy()
    score = _similarities(sums, total, a, b)
    keep = score >= limit
    a, b, score = a[keep], b[keep], score[keep]
    while len(a):
        chosen = _reciprocal(a, b, score, len(features))
        clash = np.array(
            [rules.clash(times[i], times[j]) for i, j in zip(a[chosen], b[chosen], strict=True)]
        )
        joined = chosen[~clash]
        target = np.arange(len(features))
        target[b[joined]] = a[joined]
        for i, j in zip(a[joined].tolist(), b[joined].tolist(), strict=True):
            times[i] = times[i].joined(times.pop(j))
        sums[a[joined]] += sums[b[joined]]
        total[a[joined]] += total[b[joined]]
        group = target[group]
        alive = np.ones(len(a), bool)
        alive[chosen] = False
        changed = np.zeros(len(features), bool)
        changed[a[joined]] = True
        a, b, score = _relabelled(target[a[alive]], target[b[alive]], score[alive])
        stale = changed[a] | changed[b]
        score[stale] = _similarities(sums, total, a[stale], b[stale])
        keep = score >= limit
        a, b, score = a[keep], b[keep], score[keep]
    return group


def _similarities(
    sums: FloatArray, total: FloatArray, a: IntArray, b: IntArray
) -> NDArray[np.int64]:
    """Return ``(P,)`` mean cosines of pairs of groups, as integers."""
    result = np.empty(len(a), np.int64)
    for start in range(0, len(a), BLOCK_PAIRS):
        block = slice(start, start + BLOCK_PAIRS)
        i, j = a[block], b[block]
        cosine = np.einsum("pd,pd->p", sums[i], sums[j]) / (total[i] * total[j])
        result[block] = np.rint(cosine.astype(np.float64) * COST_STEPS)
    return result


def _reciprocal(a: IntArray, b: IntArray, score: NDArray[np.int64], count: int) -> NDArray[np.intp]:
    """Return positions of the pairs in which each side is the other's best.

    Of equals the pair with the smallest rows wins, so every round finds at least one.
    """
    order = np.lexsort((b, a, -score))
    rank = np.empty(len(a), np.int64)
    rank[order] = np.arange(len(a))
    best = np.full(count, len(a), np.int64)
    np.minimum.at(best, a, rank)
    np.minimum.at(best, b, rank)
    return np.flatnonzero((best[a] == rank) & (best[b] == rank))


def _relabelled(
    a: IntArray, b: IntArray, score: NDArray[np.int64]
) -> tuple[IntArray, IntArray, NDArray[np.int64]]:
    """Return the pairs with the smaller side first, each once, in ascending order."""
    low, high = np.minimum(a, b), np.maximum(a, b)
    order = np.lexsort((high, low))
    low, high, score = low[order], high[order], score[order]
    first = np.ones(len(low), bool)
    first[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
    first &= low != high
    return low[first], high[first], score[first]
