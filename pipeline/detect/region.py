"""Which detections of a camera count: those inside its region and tall enough."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.datatypes import Detections

__all__ = ["RegionFilter"]


class RegionFilter:
    """Keeps persons who stand inside a polygon and are tall enough.

    Args:
        polygon: Corners in pixels, in order; ``None`` keeps the whole image.
        min_height_px: Minimum height of a box.
    """

    def __init__(
        self, *, polygon: Sequence[tuple[float, float]] | None, min_height_px: float
    ) -> None:
        self._polygon = None if polygon is None else np.asarray(polygon, np.float64)
        self._min_height_px = min_height_px

    def __call__(self, detections: Detections) -> Detections:
        """Return the detections whose feet, the bottom centre of the box, are inside."""
        xyxy = detections.xyxy
        keep = (xyxy[:, 3] - xyxy[:, 1]) >= self._min_height_px
        if self._polygon is not None:
            feet_x = (xyxy[:, 0] + xyxy[:, 2]) / 2
            keep &= _inside(feet_x.astype(np.float64), xyxy[:, 3].astype(np.float64), self._polygon)
        return detections.select(keep)


def _inside(
    x: NDArray[np.float64], y: NDArray[np.float64], polygon: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return ``(N,)`` bool by the even-odd rule: edges crossed on the way to the right."""
    start_x, start_y = polygon[:, 0], polygon[:, 1]
    end_x, end_y = np.roll(start_x, -1), np.roll(start_y, -1)
    spans = (start_y > y[:, None]) != (end_y > y[:, None])
    rise = np.where(end_y == start_y, 1.0, end_y - start_y)
    crossing_x = start_x + (y[:, None] - start_y) * (end_x - start_x) / rise
    crossings: NDArray[np.int64] = np.sum(spans & (x[:, None] < crossing_x), axis=1)
    inside: NDArray[np.bool_] = crossings % 2 == 1
    return inside
