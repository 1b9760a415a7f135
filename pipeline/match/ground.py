"""What places on the floor say about two tracks.

Two tracks of two cameras that are seen at the same time are compared place by place: how much likelier are
these places if both show one person than if they show two? The logarithm of that ratio, in nats, is the
evidence. Same place is evidence for one person, far apart is proof against it, and so is a way that
nobody walks in the time between.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from pipeline.datatypes import FloatArray, IntArray
from pipeline.places import COLUMNS, SLOT_S, Path

__all__ = ["MAX_NATS", "VETO_NATS", "Comparison", "Ground", "Paths"]

Array = NDArray[np.float64]
MAX_NATS = 10.0
"""Evidence for one person ends here: two people may walk side by side."""
VETO_NATS = -6.0
"""Evidence below this is proof: three half seconds clearly apart."""
ALIEN_SHARE = 0.02
"""Share of places that are wrong altogether: a box of two people, a foot that was not seen."""
PEOPLE_PER_M2 = 0.1
"""How many others there are about; a crowd has one to five, an office 0.05."""
BODY_M = 0.1
"""A person is no point: two cameras see different sides of the feet."""
NEAR_M = 2.0
"""Tracks further apart than this at every time are no candidates by place alone."""
NEAR_EVERY = 4
"""Of paths that are not short every so many places are looked at for that."""
MAX_SPEED_M_S = 4.0
"""Nobody runs faster through a building."""
SPEED_SLACK_M = 1.5
"""Beyond the uncertainty of places, what the ends of tracks are off: half seen people, late boxes."""
MAX_COMPARED = 16
"""Places of two tracks that are compared; more say hardly more."""
BLOCK_PLACES = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Paths:
    """The paths of many tracks.

    Attributes:
        start: ``(N,)`` row of each path's first place.
        first: ``(N,)`` its slot.
        count: ``(N,)`` number of its places, 0 where none is known.
        rows: ``(R, 6)`` all places, as ``Path.rows``.
    """

    start: IntArray
    first: IntArray
    count: IntArray
    rows: FloatArray

    @classmethod
    def of(cls, paths: Sequence[Path | None]) -> Paths:
        """Return the paths of tracks in their order."""
        count = np.array([0 if p is None else len(p.rows) for p in paths], np.int64)
        first = np.array([0 if p is None else p.first for p in paths], np.int64)
        known = [p.rows for p in paths if p is not None]
        rows = np.concatenate(known) if known else np.zeros((0, COLUMNS), np.float32)
        return cls(np.cumsum(count) - count, first, count, rows)

    @classmethod
    def none(cls, count: int) -> Paths:
        """Return no path for each of so many tracks."""
        zeros = np.zeros(count, np.int64)
        return cls(zeros, zeros, zeros, np.zeros((0, COLUMNS), np.float32))

    @classmethod
    def all_of(cls, parts: Sequence[Paths]) -> Paths:
        """Return many together, in their order."""
        if not any(len(part.rows) for part in parts):
            return cls.none(sum(len(part.count) for part in parts))
        before = np.cumsum([0, *(len(part.rows) for part in parts[:-1])])
        return cls(
            np.concatenate([part.start + at for part, at in zip(parts, before, strict=True)]),
            np.concatenate([part.first for part in parts]),
            np.concatenate([part.count for part in parts]),
            np.concatenate([part.rows for part in parts]),
        )

    def select(self, chosen: NDArray[np.generic]) -> Paths:
        """Return the paths that an index array or a boolean mask picks."""
        return Paths(self.start[chosen], self.first[chosen], self.count[chosen], self.rows)


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Pairs of tracks, compared by place.

    Attributes:
        nats: ``(P,)`` evidence for one person, 0 where nothing can be compared.
        shared: ``(P,)`` how many places are of the same time.
        apart_m: ``(P,)`` mean distance of these, NaN without any.
        off: ``(P,)`` mean of their squared distance in deviations.
    """

    nats: Array
    shared: IntArray
    apart_m: Array
    off: Array


class Ground:
    """Evidence of places, from those cameras that can be trusted.

    Args:
        trusted: ``(C, C)`` whether the places of two cameras may be compared.
        noise: ``(C, C)`` by how much their variance is greater than it says.
        proven: ``(C, C)`` how far people have confirmed that the two fit each other, 1 for wholly; evidence
            counts by that share, and what is proof, only where it is whole.
        cosine_per_nat: Similarity of appearance that is worth as much as one nat.
    """

    def __init__(
        self, trusted: NDArray[np.bool_], noise: Array, proven: Array, *, cosine_per_nat: float
    ) -> None:
        self.trusted = trusted
        self._noise = noise
        self._proven = proven
        self.cosine_per_nat = cosine_per_nat

    def compare(self, paths: Paths, camera: IntArray, a: IntArray, b: IntArray) -> Comparison:
        """Compare pairs of tracks of two cameras by their places at the same time.

        Args:
            paths: Of all tracks.
            camera: ``(N,)`` camera of each.
            a: ``(P,)`` position of one track of each pair.
            b: ``(P,)`` that of the other.
        """
        first = np.maximum(paths.first[a], paths.first[b])
        last = np.minimum((paths.first + paths.count)[a], (paths.first + paths.count)[b])
        count = np.maximum(last - first, 0)
        step = -(-count // MAX_COMPARED)  # of long meetings every so many places will do
        count[(camera[a] == camera[b]) | ~self.trusted[camera[a], camera[b]]] = 0
        count = np.where(count, -(-count // np.maximum(step, 1)), 0)
        sums = np.zeros((4, len(a)))
        some = np.flatnonzero(count)
        ends = np.cumsum(count[some])
        cuts = np.searchsorted(ends, np.arange(0, ends[-1] if len(ends) else 0, BLOCK_PLACES))
        for pairs in np.split(some, cuts[1:]):
            if len(pairs):
                sums[:, pairs] = self._summed(
                    paths, camera, (a[pairs], b[pairs]), first[pairs], step[pairs], count[pairs]
                )
        shared = sums[0].astype(np.int64)
        # Places that follow each other share their errors, so evidence grows with the root.
        nats = sums[1] / np.sqrt(np.maximum(shared, 1))
        with np.errstate(invalid="ignore"):
            apart, off = sums[2] / shared, sums[3] / shared
        nats = np.minimum(nats, MAX_NATS) * self._proven[camera[a], camera[b]]
        return Comparison(nats, shared, apart, off)

    def _summed(  # noqa: PLR0917
        self,
        paths: Paths,
        camera: IntArray,
        pairs: tuple[IntArray, IntArray],
        first: IntArray,
        step: IntArray,
        count: IntArray,
    ) -> Array:
        """Return ``(4, P)``: places compared, and sums of nats, metres and squared deviations."""
        a, b = pairs
        pair = np.repeat(np.arange(len(a)), count)
        within = np.arange(len(pair)) - np.repeat(np.cumsum(count) - count, count)
        slot = first[pair] + step[pair] * within
        one = paths.rows[paths.start[a[pair]] + slot - paths.first[a[pair]]].astype(np.float64)
        two = paths.rows[paths.start[b[pair]] + slot - paths.first[b[pair]]].astype(np.float64)
        dx, dy = (one[:, :2] - two[:, :2]).T
        noise = self._noise[camera[a], camera[b]][pair]
        xx, xy, yy = (noise[:, None] * (one[:, 2:5] + two[:, 2:5])).T
        xx, yy = xx + BODY_M**2, yy + BODY_M**2
        area = xx * yy - xy**2
        squared = (dx * dx * yy - 2 * dx * dy * xy + dy * dy * xx) / area
        density = np.exp(-squared / 2) / (2 * np.pi * np.sqrt(area))
        nats = np.log((1 - ALIEN_SHARE) * density / PEOPLE_PER_M2 + ALIEN_SHARE)
        known = np.isfinite(nats)
        values = np.stack([known.astype(float), nats, np.hypot(dx, dy), squared])
        values[:, ~known] = 0
        return np.stack([np.bincount(pair, row, minlength=len(a)) for row in values])

    def too_fast(
        self, paths: Paths, camera: IntArray, a: IntArray, b: IntArray
    ) -> NDArray[np.bool_]:
        """Return ``(P,)``: which pairs no person can be, for the way between them is too long."""
        swap = paths.first[a] > paths.first[b]
        early, late = np.where(swap, b, a), np.where(swap, a, b)
        end = paths.first[early] + paths.count[early] - 1
        pause = paths.first[late] - end
        known = (pause > 0) & (paths.count[a] > 0) & (paths.count[b] > 0)
        known &= self.trusted[camera[a], camera[b]] & (self._proven[camera[a], camera[b]] >= 1)
        result = np.zeros(len(a), bool)
        if known.any():
            rows = paths.rows.astype(np.float64)
            here = rows[paths.start[early[known]] + paths.count[early[known]] - 1]
            there = rows[paths.start[late[known]]]
            way = np.hypot(*(here[:, :2] - there[:, :2]).T)
            spread = np.sqrt((here[:, [2, 4]] + there[:, [2, 4]]).sum(axis=1))
            allowed = MAX_SPEED_M_S * pause[known] * SLOT_S + SPEED_SLACK_M + 2 * spread
            result[known] = way > allowed
        return result

    def near(self, paths: Paths, camera: IntArray) -> IntArray:
        """Return ``(P, 2)`` pairs of tracks of two cameras that were near each other, in order."""
        track = np.repeat(np.arange(len(paths.count)), paths.count)
        within = np.arange(len(track)) - np.repeat(
            np.cumsum(paths.count) - paths.count, paths.count
        )
        slot = paths.first[track] + within
        some = (slot % NEAR_EVERY == 0) | (paths.count[track] < 2 * NEAR_EVERY)
        track, slot, within = track[some], slot[some], within[some]
        rows = paths.rows[paths.start[track] + within]
        usable = np.flatnonzero(self.trusted.any(axis=1))
        # The gallery's number is -1, and no path is its.
        known = np.isfinite(rows[:, 0]) & np.isin(camera[track], usable)
        if not known.any():
            return np.zeros((0, 2), np.int64)
        # Times lie so far apart that nothing is near over them.
        points = np.column_stack([slot[known] * (4 * NEAR_M), rows[known, :2]])
        one, other = track[known][cKDTree(points).query_pairs(NEAR_M, output_type="ndarray")].T
        apart = camera[one] != camera[other]
        low, high = np.minimum(one, other)[apart], np.maximum(one, other)[apart]
        code = np.unique(low * len(camera) + high)
        return np.stack(np.divmod(code, len(camera)), axis=1).astype(np.int64)
