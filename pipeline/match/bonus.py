"""What places add to the similarity of pairs of groups, kept sparse while groups are joined."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.datatypes import FloatArray, IntArray
from pipeline.match.constraints import SpatialRules
from pipeline.match.spans import Spans

__all__ = ["PairBonus", "with_evidence"]


@dataclass(frozen=True, slots=True, eq=False)
class PairBonus:
    """Sums of evidence over the pairs of tracks of two groups, as similarities of appearance.

    Attributes:
        code: ``(B,)`` smaller row of each pair times ``count``, plus the greater, ascending.
        value: ``(B,)`` cosine.
        count: Number of rows.
    """

    code: IntArray
    value: NDArray[np.float64]
    count: int

    def of(self, pairs: IntArray) -> NDArray[np.float64]:
        """Return ``(P,)`` the sum of each pair, 0 where nothing is said."""
        wanted = pairs[:, 0] * self.count + pairs[:, 1]
        place = np.minimum(np.searchsorted(self.code, wanted), max(len(self.code) - 1, 0))
        if not len(self.code):
            return np.zeros(len(pairs))
        found: NDArray[np.float64] = np.where(self.code[place] == wanted, self.value[place], 0.0)
        return found

    def relabelled(self, target: IntArray) -> PairBonus:
        """Return the sums after rows went to others: ``target`` holds where each went."""
        a, b = (target[side] for side in np.divmod(self.code, self.count))
        return _summed(np.stack([a, b], axis=1), self.value, self.count)


def with_evidence(
    rules: SpatialRules, spans: Spans, owner: IntArray, pairs: IntArray, weight: FloatArray
) -> tuple[IntArray, PairBonus | None]:
    """Return the candidates and those that place alone suggests, and what places and gaps add to them.

    Where neither places nor walking times are known these are the candidates as they are, and ``None``.

    Args:
        rules: What places and walking times say.
        spans: When and where the tracks were.
        owner: ``(len(spans),)`` row of each.
        pairs: ``(P, 2)`` rows that are candidates, the smaller first, in ascending order.
        weight: ``(count,)`` how many features each row is of.
    """
    if rules.ground is None and rules.walking is None:
        return pairs, None
    count = len(weight)
    single = np.bincount(owner, minlength=count) == 1
    span_of = np.full(count, -1)  # the past of a person is many tracks, of which nothing is said
    span_of[owner] = np.where(single[owner], np.arange(len(owner)), -1)
    every = pairs
    if rules.ground is not None:
        near = np.sort(owner[rules.ground.near(spans.paths, spans.camera)], axis=1).reshape(-1, 2)
        code = np.unique(
            np.concatenate([pairs[:, 0] * count + pairs[:, 1], near[:, 0] * count + near[:, 1]])
        )
        every = np.stack(np.divmod(code, count), axis=1)
        every = every[every[:, 0] != every[:, 1]]
    known = every[(span_of[every] >= 0).all(axis=1)]
    value = rules.similarity(spans, *span_of[known].T) * weight[known].prod(axis=1)
    return every, _summed(known, value, count)


def _summed(pairs: IntArray, value: NDArray[np.float64], count: int) -> PairBonus:
    low, high = pairs.min(axis=1, initial=count), pairs.max(axis=1, initial=-1)
    apart = (low != high) & (value != 0)
    code, inverse = np.unique((low * count + high)[apart], return_inverse=True)
    summed = np.bincount(inverse, value[apart], minlength=len(code)).astype(np.float64)
    return PairBonus(code, summed, count)
