"""Which detections of a camera count: those inside its region and tall enough."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.datatypes import Detections
from pipeline.polygons import inside

__all__ = ["RegionFilter"]


MIN_SEEN = 20
"""Fewer may all be what the region is to leave out."""


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
        self._seen, self._kept = 0, 0

    def __call__(self, detections: Detections) -> Detections:
        """Return the detections whose feet, the bottom centre of the box, are inside."""
        xyxy = detections.xyxy
        keep = (xyxy[:, 3] - xyxy[:, 1]) >= self._min_height_px
        if self._polygon is not None:
            feet = np.stack([(xyxy[:, 0] + xyxy[:, 2]) / 2, xyxy[:, 3]], axis=1)
            keep &= inside(feet.astype(np.float64), self._polygon)
        self._seen += len(keep)
        self._kept += int(keep.sum())
        return detections.select(keep)

    @property
    def warnings(self) -> list[str]:
        """Return that everything was left out, if it was."""
        if self._kept or self._seen < MIN_SEEN:
            return []
        text = (
            f"all {self._seen} detections were left out: their feet are outside `region`, or they are "
            f"smaller than `min_box_height_px` ({self._min_height_px:g})"
        )
        return [text]
