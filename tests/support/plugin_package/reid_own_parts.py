"""Stages that another package brings: people are what is coloured, and known by their colour."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline import Detections, Frame, Tracks

GREYEST = 60
"""Difference between the channels of a pixel from which on it belongs to a person."""
FARTHEST_PX = 40.0


class ColourDetector:
    """One box around all connected columns that hold coloured pixels."""

    name = "coloured columns"

    def __init__(self, settings=None, *, cameras=(), device="cpu") -> None:
        self.confidence = 0.5 if settings is None else settings.confidence

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        return [self._detect(frame.image.astype(int)) for frame in frames]

    def _detect(self, image: NDArray[np.int64]) -> Detections:
        is_coloured = np.ptp(image, axis=2) > GREYEST
        columns = np.flatnonzero(np.diff(is_coloured.sum(axis=0) > 20, prepend=0, append=0))
        boxes = []
        for left, right in columns.reshape(-1, 2):
            rows = np.flatnonzero(is_coloured[:, left:right].any(axis=1))
            boxes.append((left, rows[0], right, rows[-1] + 1))
        xyxy = np.array(boxes, np.float32).reshape(-1, 4)
        return Detections(xyxy, np.full(len(xyxy), 0.9, np.float32))


class NearestTracker:
    """A box goes on with the track that ended nearest to its left edge."""

    def __init__(self, settings=None) -> None:
        self._lefts: dict[int, float] = {}

    def wanted(self, detections: Detections, time_s: float) -> NDArray[np.int64]:
        return np.zeros(0, np.int64)

    def update(self, detections, time_s, rows, vectors) -> Tracks:
        free, ids = dict(self._lefts), []
        for left in detections.xyxy[:, 0].tolist():
            best = min(free, key=lambda each: abs(free[each] - left), default=None)
            if best is None or abs(free[best] - left) > FARTHEST_PX:
                best = len(self._lefts) + 1
            free.pop(best, None)
            self._lefts[best] = left
            ids.append(best)
        return Tracks(detections.xyxy, detections.score, np.array(ids, np.int64))


class MeanColour:
    """Three numbers: how blue, green and red a crop is, beyond the grey in it."""

    name = "mean colour"
    dim = 3

    def __init__(self, settings=None, *, device="cpu") -> None:
        pass

    def embed(self, crops: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        means = np.array([crop.mean(axis=(0, 1)) for crop in crops], np.float32).reshape(-1, 3)
        vectors = means - means.min(axis=1, keepdims=True) + 1e-3
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
