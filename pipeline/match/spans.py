"""When and where tracks were, and which tracks of two cameras look alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.datatypes import FloatArray, IntArray
from pipeline.match.ground import Paths
from pipeline.places import Path

__all__ = ["GALLERY_CAMERA", "GALLERY_SPAN", "Spans", "look_alikes"]

GALLERY_CAMERA = -1
GALLERY_SPAN = (-np.inf, np.inf, GALLERY_CAMERA)
"""Persons of a gallery are treated as non-overlapping: so no
two of them are one, and each can be anybody whom the cameras see."""
MAX_COMPARED = 256
"""The newest tracks of a camera that are compared to learn from."""

TimeArray = NDArray[np.float64]
NO_PATH = Paths.none(1)


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

    @classmethod
    def one(cls, first_s: float, last_s: float, camera: int, path: Path | None) -> Spans:
        """Return that of a single track; many times faster than ``of``, and asked for often."""
        paths = NO_PATH if path is None else Paths.of([path])
        return cls(np.array([first_s]), np.array([last_s]), np.array([camera], np.int64), paths)

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

    @property
    def is_gallery(self) -> bool:
        """Whether it is that of a gallery alone, which says nothing of any track."""
        return len(self.camera) == 1 and bool(self.camera[0] == GALLERY_CAMERA)

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


def look_alikes(
    features: FloatArray, spans: Spans
) -> Iterator[tuple[tuple[int, IntArray], tuple[int, IntArray], FloatArray]]:
    """Yield every two cameras, the greater number first, with rows of their newest tracks and the cosines."""
    newest = np.argsort(-spans.last_s, kind="stable")
    of_camera = {
        int(c): newest[spans.camera[newest] == c][:MAX_COMPARED] for c in np.unique(spans.camera)
    }
    before = np.zeros(0, np.int64)  # rows of the cameras with smaller numbers, one after another
    for a, in_a in of_camera.items():
        cosine = features[in_a] @ features[before].T  # one large product, not many small ones
        start = 0
        for b, in_b in of_camera.items():
            if b >= a:
                break
            yield (a, in_a), (b, in_b), cosine[:, start : start + len(in_b)]
            start += len(in_b)
        before = np.concatenate([before, in_a])
