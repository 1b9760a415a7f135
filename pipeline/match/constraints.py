"""Constraints: one person cannot be in two places at the same time.

Every rule has one form: between the end of one track and the beginning of another, at least
so many seconds must lie. Two tracks of one camera may share a blink (a tracker hands over a
person a little late), two cameras that show different places likewise or need a travel time,
two cameras that see the same place ask for nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.datatypes import FloatArray, IntArray
from pipeline.match.ground import VETO_NATS, Ground
from pipeline.match.spans import Spans, look_alikes
from pipeline.match.walking import WalkingTimes
from pipeline.settings import MatchSettings

__all__ = ["SpatialRules", "estimate_overlaps"]

NO_RULE = -np.inf
INSTANT_S = 1e-6
MIN_CHANCES = 3.0
"""Meetings by chance that one camera pair must have had to outweigh what all pairs say."""
RARE = 0.4
"""Look-alikes that meet less often than this share of chance never meet at all.

Measured: 0 to 0.3 where the views are disjoint, even with weak features; 0.5 and more where
they are shared, however crowded the place."""
PairCounts = dict[tuple[int, int], tuple[float, float]]


class SpatialRules:
    """The least time between two tracks of one person, by the cameras they are in.

    Args:
        cameras: Names of the cameras; their positions are the camera numbers of ``Spans``.
            The room of the gallery comes after all of them, which is position -1.
        settings: What is known of the cameras beforehand.
        counts: Per pair of camera numbers, what ``estimate_overlaps`` found; consulted where
            the settings leave the question open.
        ground: What places say, ``None`` where no camera is calibrated.
        walking: What walking times say, ``None`` where too few hand-overs are known.
    """

    def __init__(
        self,
        cameras: Sequence[str],
        settings: MatchSettings,
        counts: PairCounts | None = None,
        ground: Ground | None = None,
        walking: WalkingTimes | None = None,
    ) -> None:
        count = len(cameras)
        self.ground = ground
        self.walking = walking
        # Where the views were learned, people in the same place know better.
        self._learned = np.full((count + 1, count + 1), settings.views == "auto")
        self._min_gap_s = np.full((count + 1, count + 1), NO_RULE)
        # A trifle more than none, so that not even one frame may hold a person twice.
        np.fill_diagonal(self._min_gap_s, INSTANT_S - settings.overlap_s)
        if settings.views == "disjoint":
            apart = {(a, b) for a in range(count) for b in range(a)}
        elif settings.views == "auto":
            apart = _never_together(counts or {})
        else:
            apart = set()
        for a, b in apart:
            self._set(a, b, -settings.overlap_s)
        number = {name: position for position, name in enumerate(cameras)}
        for pair in settings.camera_pairs:
            if all(name in number for name in pair.cameras):
                a, b = (number[name] for name in pair.cameras)
                self._set(a, b, NO_RULE if pair.overlap else pair.min_travel_s or 0.0)
                if not pair.overlap and not pair.min_travel_s:
                    self._set(a, b, -settings.overlap_s)
                self._learned[a, b] = self._learned[b, a] = False

    @property
    def reach(self) -> float:
        """By how much less than the threshold two tracks may look alike, and be one by their gap."""
        return 0.0 if self.walking is None else self.walking.reach

    def similarity(self, spans: Spans, a: IntArray, b: IntArray) -> NDArray[np.float64]:
        """Return ``(P,)`` what places and gaps of pairs of positions are worth as similarity."""
        found = np.zeros(len(a))
        if self.ground is not None:
            nats = self.ground.compare(spans.paths, spans.camera, a, b).nats
            found += nats * self.ground.cosine_per_nat
        if self.walking is not None:
            found += self.walking.nats(spans, a, b) * self.walking.cosine_per_nat
        return found

    def _set(self, a: int, b: int, seconds: float) -> None:
        self._min_gap_s[a, b] = self._min_gap_s[b, a] = seconds

    def clashing(self, spans: Spans, a: IntArray, b: IntArray) -> NDArray[np.bool_]:
        """Return ``(P,)``: for pairs of positions, whether these two tracks clash."""
        gap_s = np.maximum(spans.first_s[a], spans.first_s[b]) - np.minimum(
            spans.last_s[a], spans.last_s[b]
        )
        camera = spans.camera
        clash: NDArray[np.bool_] = gap_s < self._min_gap_s[camera[a], camera[b]]
        if self.ground is None:
            return clash
        found = self.ground.compare(spans.paths, camera, a, b)
        clash &= (found.shared == 0) | ~self._learned[camera[a], camera[b]]
        clash |= found.nats <= VETO_NATS
        return clash | self.ground.too_fast(spans.paths, camera, a, b)


def estimate_overlaps(features: FloatArray, spans: Spans, *, overlap_s: float) -> PairCounts:
    """Count how often tracks that look like one person meet in two cameras.

    Pairs that are each other's nearest neighbour across two cameras are mostly one person.
    Where the cameras share a view they meet far more often than any two tracks do by chance;
    where not, less often, or never. It works with weak features, as it counts over all pairs.

    Args:
        features: ``(N, D)`` unit rows, one per track.
        spans: ``(N,)`` the tracks.
        overlap_s: Shared time from which on two tracks meet.

    Returns:
        Per pair of camera numbers (greater, smaller): meetings among nearest neighbours, and
        how many of them chance would bring about.
    """
    counts: PairCounts = {}
    for (a, in_a), (b, in_b), cosine in look_alikes(features, spans):
        counts[a, b] = _meetings(cosine, spans.meeting(in_a, in_b, overlap_s))
    return counts


def _meetings(cosine: FloatArray, meets: NDArray[np.bool_]) -> tuple[float, float]:
    """Return meetings among mutual nearest neighbours, and how many chance would bring."""
    best_column, best_row = cosine.argmax(axis=1), cosine.argmax(axis=0)
    mutual = np.flatnonzero(best_row[best_column] == np.arange(len(cosine)))
    met = meets[mutual, best_column[mutual]].sum()
    return float(met), float(len(mutual) * meets.mean())


def _never_together(counts: PairCounts) -> set[tuple[int, int]]:
    """Return the pairs whose look-alikes avoid each other.

    The rate of a pair (meetings over meetings by chance) leans on the rate over all pairs
    as long as it rests on few chances, and that one on a half, which forbids nothing.
    """
    met = sum(m for m, _ in counts.values())
    expected = sum(e for _, e in counts.values())
    overall = (met + 0.5) / (expected + 1.0)
    return {
        pair
        for pair, (m, e) in counts.items()
        if (m + MIN_CHANCES * overall) / (e + MIN_CHANCES) < RARE
    }
