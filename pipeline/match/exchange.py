"""Exchanges what persons are made of, after linkage, where that makes all of them more alike.

Average linkage joins the two most similar groups first and never looks back. Where one person by one
camera resembles somebody else by another more than both resemble themselves, the two become one
person, and what is left of each becomes one more: three for two. Here the part of a person that one
camera saw may go to another person, and the rest of it to a third, if the sum over all pairs of
tracks of one person of (cosine - threshold) grows by it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.datatypes import FloatArray, IntArray
from pipeline.match.bonus import PairBonus
from pipeline.match.constraints import SpatialRules
from pipeline.match.spans import Spans

__all__ = ["MAX_PARTS", "exchanged"]

MAX_PARTS = 2048
"""Persons times cameras that saw them: of more, linkage has the last word."""
LEAST_GAIN = 0.5
"""Of the sum, in cosines of two whole tracks: among crowds, less is chance."""
CHOICES = 4
"""Persons that a part is tried with."""
Matrix = NDArray[np.float64]


def exchanged(
    group: IntArray,
    sums: FloatArray,
    weight: FloatArray,
    spans: Spans,
    pairs: IntArray,
    *,
    rules: SpatialRules,
    threshold: float,
    bonus: PairBonus | None = None,
) -> IntArray:
    """Return ``(N,)`` the numbers of the groups once no exchange makes them better.

    Args:
        group: ``(N,)`` number of each row's group, as `link` gives it.
        sums: ``(N, D)`` the sum of the unit features behind each row.
        weight: ``(N,)`` how many features each sum is of.
        spans: ``(N,)`` when and where the tracks behind the rows were.
        pairs: ``(P, 2)`` rows that are candidates, the smaller first, each pair once.
        rules: Which tracks cannot be of one person.
        threshold: Cosine from which on two tracks are rather of one person.
        bonus: What places and gaps add to the similarity of rows, see `with_evidence`.

    Source:
        The sum is that of correlation clustering: Bansal, Blum and Chawla, "Correlation
        Clustering", Machine Learning 56, 2004.
    """
    names, part = np.unique(np.stack([group, spans.camera]), axis=1, return_inverse=True)
    part = part.reshape(-1)
    if not 2 < len(names[0]) <= MAX_PARTS:
        return group
    linked = np.zeros((len(names[0]), len(names[0])), bool)
    linked[part[pairs[:, 0]], part[pairs[:, 1]]] = True
    parts = _Parts(
        rows=[np.flatnonzero(part == each) for each in range(len(linked))],
        advantage=_advantage(part, sums, weight, bonus, threshold),
        linked=linked | linked.T,
        spans=spans,
        rules=rules,
    )
    _, of_part = np.unique(names[0], return_inverse=True)
    search = _Search(parts, of_part.reshape(-1))
    while search.step():
        pass
    first = np.full(int(search.group.max()) + 1, len(group))
    label = search.group[part]
    np.minimum.at(first, label, np.arange(len(group)))
    return first[label]


@dataclass(frozen=True, slots=True, eq=False)
class _Parts:
    """What one camera saw of one person, ``(P,)``, and what speaks for two of them being one.

    Attributes:
        rows: Rows of each part.
        advantage: ``(P, P)`` sum over pairs of tracks of (cosine - threshold), 0 with itself.
        linked: ``(P, P)`` whether any of their tracks are candidates.
        spans: Of the rows.
        rules: Which of them clash.
    """

    rows: list[IntArray]
    advantage: Matrix
    linked: NDArray[np.bool_]
    spans: Spans
    rules: SpatialRules

    def clash(self, some: IntArray, others: IntArray) -> bool:
        """Say whether any track of some parts cannot be of the person of the others."""
        one = np.concatenate([self.rows[each] for each in some])
        other = np.concatenate([self.rows[each] for each in others])
        a, b = (side.ravel() for side in np.meshgrid(one, other))
        return bool(self.rules.clashing(self.spans, a, b).any())


def _advantage(
    part: IntArray, sums: FloatArray, weight: FloatArray, bonus: PairBonus | None, threshold: float
) -> Matrix:
    """Return ``(P, P)``: for two parts the sum over pairs of tracks of (cosine - threshold)."""
    count = int(part.max()) + 1
    vectors = np.zeros((count, sums.shape[1]))
    np.add.at(vectors, part, sums)
    weights = np.bincount(part, weight, minlength=count)
    advantage = vectors @ vectors.T - threshold * np.outer(weights, weights)
    if bonus is not None:
        summed = bonus.relabelled(part)
        low, high = np.divmod(summed.code, summed.count)
        advantage[low, high] += summed.value
        advantage[high, low] += summed.value
    np.fill_diagonal(advantage, 0)
    return advantage


class _Search:
    """Exchanges one part after the other, the best first; each time the sum grows, so it ends.

    Args:
        parts: What there is.
        group: ``(P,)`` number of each part's group.
    """

    def __init__(self, parts: _Parts, group: IntArray) -> None:
        self._parts = parts
        self.group = group.copy()
        member = np.eye(int(group.max()) + 1)[group]
        self._with: Matrix = parts.advantage @ member
        self._linked: Matrix = parts.linked @ member

    def step(self) -> bool:
        """Do the best exchange; return whether there was any."""
        rows = np.arange(len(self.group))
        together, linked = np.zeros((2, self._with.shape[1], self._with.shape[1]))
        np.add.at(together, self.group, self._with)
        np.add.at(linked, self.group, self._linked)
        own = self._with[rows, self.group]
        joins = np.where(self._linked > 0, self._with, -np.inf)
        rest = together[self.group] - self._with
        rest = np.where(linked[self.group] - self._linked > 0, rest, -np.inf)
        joins[rows, self.group] = rest[rows, self.group] = -np.inf
        best, best_rest = joins.max(axis=1), rest.max(axis=1)
        worth = (best > 0) & (best_rest > 0) & (best + best_rest - own > LEAST_GAIN)
        moves = [
            (float(joins[part, to] + rest[part, rest_to] - own[part]), part, to, rest_to)
            for part in np.flatnonzero(worth).tolist()
            for to in np.argsort(-joins[part], kind="stable")[:CHOICES].tolist()
            for rest_to in np.argsort(-rest[part], kind="stable")[:CHOICES].tolist()
            if to != rest_to and min(joins[part, to], rest[part, rest_to]) > 0
        ]
        return any(
            self._do(part, to, rest_to)
            for gain, part, to, rest_to in sorted(moves, key=lambda move: (-move[0], *move[1:]))
            if gain > LEAST_GAIN
        )

    def _do(self, part: int, to: int, rest_to: int) -> bool:
        """Exchange unless tracks clash; return whether it was done."""
        own = int(self.group[part])
        rest = np.flatnonzero(self.group == own)
        rest = rest[rest != part]
        for some, other in ((np.array([part]), to), (rest, rest_to)):
            if self._parts.clash(some, np.flatnonzero(self.group == other)):
                return False
        self.group[part], self.group[rest] = to, rest_to
        for changed in (own, to, rest_to):
            now = self.group == changed
            self._with[:, changed] = self._parts.advantage[:, now].sum(axis=1)
            self._linked[:, changed] = self._parts.linked[:, now].sum(axis=1)
        return True
