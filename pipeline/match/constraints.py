"""Constraints: one person cannot be in two places at the same time.

Every rule has one form: between the end of one track and the beginning of another, at least
so many seconds must lie. Two tracks of one camera may share a blink (a tracker hands over a
person a little late), two cameras that show different places likewise or need a travel time,
two cameras that see the same place ask for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.datatypes import FloatArray, IntArray
from pipeline.match.ground import VETO_NATS, Ground, Paths
from pipeline.places import Path
from pipeline.settings import MatchSettings

__all__ = ["GALLERY_CAMERA", "GALLERY_SPAN", "Spans", "SpatialRules", "estimate_overlaps"]

NO_RULE = -np.inf
GALLERY_CAMERA = -1
GALLERY_SPAN = (-np.inf, np.inf, GALLERY_CAMERA)
"""Persons of a gallery are treated as non-overlapping: so no
two of them are one, and each can be anybody whom the cameras see."""
INSTANT_S = 1e-6
MIN_CHANCES = 3.0
"""Meetings by chance that one camera pair must have had to outweigh what all pairs say."""
RARE = 0.4
"""Look-alikes that meet less often than this share of chance never meet at all.

Measured: 0 to 0.3 where the views are disjoint, even with weak features; 0.5 and more where
they are shared, however crowded the place."""
MAX_FOR_ESTIMATE = 256
"""The newest tracks of a camera that the estimate looks at."""

TimeArray = NDArray[np.float64]
PairCounts = dict[tuple[int, int], tuple[float, float]]


@dataclass(frozen=True, slots=True, eq=False)
class Spans:
    """When and where the tracks of one person were.

    Attributes:
        first_s: ``(N,)`` beginning of each track, seconds.
        last_s: ``(N,)`` end of each track, seconds.
        camera: ``(N,)`` number of its camera.
        paths: Where they were on the floor.
    """

    first_s: TimeArray
    last_s: TimeArray
    camera: IntArray
    paths: Paths

    @classmethod
    def of(
        cls, spans: Iterable[tuple[float, float, int]], paths: Sequence[Path | None] | None = None
    ) -> Spans:
        """Return the spans for ``(first_s, last_s, camera)`` triples and the paths of the tracks."""
        rows = list(spans)
        times = np.array([row[:2] for row in rows], np.float64).reshape(-1, 2)
        camera = np.array([row[2] for row in rows], np.int64)
        ways = Paths.none(len(rows)) if paths is None else Paths.of(paths)
        return cls(times[:, 0], times[:, 1], camera, ways)

    def __len__(self) -> int:
        return len(self.first_s)

    @classmethod
    def all_of(cls, parts: Sequence[Spans]) -> Spans:
        """Return many together, in their order."""
        if not parts:
            return cls.of([])
        return cls(
            np.concatenate([part.first_s for part in parts]),
            np.concatenate([part.last_s for part in parts]),
            np.concatenate([part.camera for part in parts]),
            Paths.all_of([part.paths for part in parts]),
        )

    def without_paths(self) -> Spans:
        """Return the spans alone: paths of what is long past need not be kept."""
        return Spans(self.first_s, self.last_s, self.camera, Paths.none(len(self)))

    def joined(self, other: Spans) -> Spans:
        """Return both together."""
        return Spans.all_of([self, other])

    def meeting(self, one: IntArray, other: IntArray, overlap_s: float) -> NDArray[np.bool_]:
        """Return ``(N, M)`` whether rows share more than ``overlap_s`` with other rows."""
        shared_s = np.minimum(self.last_s[one][:, None], self.last_s[other])
        shared_s -= np.maximum(self.first_s[one][:, None], self.first_s[other])
        result: NDArray[np.bool_] = shared_s > overlap_s
        return result

    def select(self, rows: NDArray[np.generic]) -> Spans:
        """Return the spans that an index array or a boolean mask picks."""
        return Spans(
            self.first_s[rows], self.last_s[rows], self.camera[rows], self.paths.select(rows)
        )


class SpatialRules:
    """The least time between two tracks of one person, by the cameras they are in.

    Args:
        cameras: Names of the cameras; their positions are the camera numbers of ``Spans``.
            The room of the gallery comes after all of them, which is position -1.
        settings: What is known of the cameras beforehand.
        counts: Per pair of camera numbers, what ``estimate_overlaps`` found; consulted where
            the settings leave the question open.
        ground: What places say, ``None`` where no camera is calibrated.
    """

    def __init__(
        self,
        cameras: Sequence[str],
        settings: MatchSettings,
        counts: PairCounts | None = None,
        ground: Ground | None = None,
    ) -> None:
        count = len(cameras)
        self.ground = ground
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
    newest = np.argsort(-spans.last_s, kind="stable")
    of_camera = {
        int(c): newest[spans.camera[newest] == c][:MAX_FOR_ESTIMATE]
        for c in np.unique(spans.camera)
    }
    before = np.zeros(0, np.int64)  # rows of the cameras with smaller numbers, one after another
    for a, in_a in of_camera.items():
        cosine = features[in_a] @ features[before].T  # one large product, not many small ones
        meets = spans.meeting(in_a, before, overlap_s)
        start = 0
        for b, in_b in of_camera.items():
            if b >= a:
                break
            part = slice(start, start + len(in_b))
            counts[a, b] = _meetings(cosine[:, part], meets[:, part])
            start += len(in_b)
        before = np.concatenate([before, in_a])
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
