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
from pipeline.match.bonus import PairBonus
from pipeline.match.constraints import SpatialRules
from pipeline.match.spans import Spans

__all__ = ["COST_STEPS", "link"]

COST_STEPS = 1 << 20
"""Similarities are compared as integers, so that rounding cannot change a decision."""
BLOCK_PAIRS = 1 << 15
"""Pairs whose features are gathered at a time."""
BLOCK_SPANS = 1 << 20
"""Pairs of spans that are compared at a time."""

Scores = NDArray[np.int32]


def link(
    sums: FloatArray,
    weight: FloatArray,
    spans: Spans,
    owner: IntArray,
    pairs: IntArray,
    *,
    rules: SpatialRules,
    threshold: float,
    bonus: PairBonus | None = None,
) -> IntArray:
    """Return ``(N,)`` the number of each row's group: the smallest row in it.

    Args:
        sums: ``(N, D)`` the sum of the unit features behind each row; used up by the work.
        weight: ``(N,)`` how many features each sum is of.
        spans: When and where the tracks behind the rows were.
        owner: ``(len(spans),)`` the row that each span belongs to.
        pairs: ``(P, 2)`` rows that are candidates, the smaller first, each pair once.
        rules: Which groups cannot be one person.
        threshold: Minimum weighted mean cosine of two groups that are joined.
        bonus: What places and gaps add to the similarity of rows, see `with_evidence`.
    """
    total = weight.astype(np.float32)
    group = np.arange(len(sums))
    owner = owner.copy()
    limit = round(threshold * COST_STEPS)
    # A pair below the threshold may go for good: the mean over a joined group is at most the
    # better of its parts', and while one of these is above, the pair comes back through it.
    a, b, score = _above(limit, pairs, _similarities(sums, total, pairs, bonus))
    while len(a):
        chosen = _reciprocal(a, b, score, len(sums))
        clash = _clashes(spans, owner, a[chosen], b[chosen], rules)
        joined = chosen[~clash]
        keeps, goes = a[joined], b[joined]
        sums[keeps] += sums[goes]
        total[keeps] += total[goes]
        target = np.arange(len(sums))
        target[goes] = keeps
        group, owner = target[group], target[owner]
        alive = np.ones(len(a), bool)
        alive[chosen] = False
        changed = np.zeros(len(sums), bool)
        changed[keeps] = changed[goes] = True
        stale = alive & (changed[a] | changed[b])
        fresh = alive & ~stale
        renewed = _relabelled(target[a[stale]], target[b[stale]], len(sums))
        bonus = None if bonus is None else bonus.relabelled(target)
        a2, b2, score2 = _above(limit, renewed, _similarities(sums, total, renewed, bonus))
        a = np.concatenate([a[fresh], a2])
        b = np.concatenate([b[fresh], b2])
        score = np.concatenate([score[fresh], score2])
    return group


def _above(limit: int, pairs: IntArray, score: Scores) -> tuple[IntArray, IntArray, Scores]:
    keep = score >= limit
    return pairs[keep, 0], pairs[keep, 1], score[keep]


def _similarities(
    sums: FloatArray, total: FloatArray, pairs: IntArray, bonus: PairBonus | None
) -> Scores:
    """Return ``(P,)`` mean cosines of pairs of groups and what places and gaps add, as integers."""
    result = np.empty(len(pairs), np.int32)
    for start in range(0, len(pairs), BLOCK_PAIRS):
        block = slice(start, start + BLOCK_PAIRS)
        i, j = pairs[block].T
        cosine = np.einsum("pd,pd->p", sums[i], sums[j]) / (total[i] * total[j])
        if bonus is not None:
            cosine += (bonus.of(pairs[block]) / (total[i] * total[j])).astype(np.float32)
        result[block] = np.rint(cosine.astype(np.float64) * COST_STEPS)
    return result


def _reciprocal(a: IntArray, b: IntArray, score: Scores, count: int) -> NDArray[np.intp]:
    """Return positions of pairs in which each side is the other's best, no row in two of them.

    Of equals the pair with the smallest rows wins, so every round finds at least one.
    """
    best = np.full(count, np.iinfo(np.int32).min, np.int32)
    np.maximum.at(best, a, score)
    np.maximum.at(best, b, score)
    mutual = np.flatnonzero((best[a] == score) & (best[b] == score))
    order = np.lexsort((b[mutual], a[mutual], -score[mutual]))
    rank = np.empty(len(mutual), np.int64)
    rank[order] = np.arange(len(mutual))
    first = np.full(count, len(mutual), np.int64)
    np.minimum.at(first, a[mutual], rank)
    np.minimum.at(first, b[mutual], rank)
    reciprocal: NDArray[np.intp] = mutual[(first[a[mutual]] == rank) & (first[b[mutual]] == rank)]
    return reciprocal


def _clashes(
    spans: Spans, owner: IntArray, a: IntArray, b: IntArray, rules: SpatialRules
) -> NDArray[np.bool_]:
    """Return ``(P,)`` whether any span of one group clashes with any of the other."""
    order = np.argsort(owner, kind="stable")
    sorted_owner = owner[order]
    start_a, start_b = np.searchsorted(sorted_owner, a), np.searchsorted(sorted_owner, b)
    count_a = np.searchsorted(sorted_owner, a, side="right") - start_a
    count_b = np.searchsorted(sorted_owner, b, side="right") - start_b
    ends = np.cumsum(count_a * count_b)
    clash = np.zeros(len(a), bool)
    for start in range(0, int(ends[-1]) if len(ends) else 0, BLOCK_SPANS):
        every = np.arange(start, min(start + BLOCK_SPANS, int(ends[-1])))
        pair = np.searchsorted(ends, every, side="right")
        inside = every - (ends[pair] - count_a[pair] * count_b[pair])
        one = order[start_a[pair] + inside // count_b[pair]]
        other = order[start_b[pair] + inside % count_b[pair]]
        clash[pair[rules.clashing(spans, one, other)]] = True
    return clash


def _relabelled(a: IntArray, b: IntArray, count: int) -> IntArray:
    """Return ``(Q, 2)`` the pairs with the smaller side first, each once, none with itself."""
    code = np.unique(np.minimum(a, b) * count + np.maximum(a, b))
    low, high = code // count, code % count
    pairs: IntArray = np.stack([low, high], axis=1)[low != high]
    return pairs
