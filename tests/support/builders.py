"""Small values for tests, with everything that a test does not care about filled in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.datatypes import Detections, Frame, FrameResult, Tracks

Box = tuple[float, float, float, float]


def frame(
    camera: str = "cam", index: int = 0, *, time_s: float | None = None, size=(64, 48), shade=0
) -> Frame:
    """A plain frame of ``size`` (width, height); ten frames a second unless told."""
    width, height = size
    image = np.full((height, width, 3), shade, np.uint8)
    return Frame(camera, index, index / 10 if time_s is None else time_s, image)


def detections(*boxes: Box, score: float | Sequence[float] = 0.9) -> Detections:
    """Detections at ``(x1, y1, x2, y2)`` boxes."""
    xyxy = np.array(boxes, np.float32).reshape(-1, 4)
    return Detections(xyxy, np.broadcast_to(np.float32(score), len(xyxy)).astype(np.float32))


def tracks(
    *boxes: Box, ids: Sequence[int] | None = None, score: float | Sequence[float] = 0.9
) -> Tracks:
    """Tracks at ``(x1, y1, x2, y2)`` boxes, numbered from 1 unless told."""
    found = detections(*boxes, score=score)
    numbers = range(1, len(found) + 1) if ids is None else ids
    return Tracks(found.xyxy, found.score, np.array(list(numbers), np.int64))


def result(
    *boxes: Box,
    camera: str = "cam",
    index: int = 0,
    ids: Sequence[int] | None = None,
    global_ids: Sequence[int] | None = None,
    size: tuple[int, int] = (64, 48),
) -> FrameResult:
    """What the core says of one frame; identities equal track numbers unless told."""
    found = tracks(*boxes, ids=ids)
    identities = found.track_id if global_ids is None else np.array(global_ids, np.int64)
    quality = np.full(len(found), 0.8, np.float32)
    return FrameResult(frame(camera, index, size=size), found, identities, quality)
