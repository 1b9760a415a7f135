"""Cutting the crops that show a mistake out of the videos."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from pipeline.datatypes import Frame, Image
from pipeline.errors import ReidPipelineError
from pipeline.metrics.matches import Sighting

__all__ = ["cut_crops"]

log = logging.getLogger(__name__)

MARGIN = 0.1
"""Part of the box that is added on every side, to show where the person is."""


def cut_crops(
    sightings: Sequence[Sighting], videos: Mapping[str, Iterable[Frame]]
) -> dict[Sighting, Image]:
    """Return the crop of each sighting that can be had.

    Each video is read once, up to its last frame that is asked for. One that breaks gives
    the crops before the break; the log says so.

    Args:
        sightings: What to show.
        videos: Per camera its frames, numbered as in the run.

    Returns:
        ``(H, W, 3)`` uint8 BGR crops. Sightings of cameras without a video are left out.
    """
    crops: dict[Sighting, Image] = {}
    for camera, frames in videos.items():
        wanted: dict[int, list[Sighting]] = {}
        for sighting in sightings:
            if sighting.camera == camera:
                wanted.setdefault(sighting.frame, []).append(sighting)
        if not wanted:
            continue
        try:
            crops.update(_cut(frames, wanted))
        except ReidPipelineError as error:
            log.warning("no crops of camera %s from here on: %s", camera, error)
    return crops


def _cut(frames: Iterable[Frame], wanted: Mapping[int, list[Sighting]]) -> dict[Sighting, Image]:
    crops: dict[Sighting, Image] = {}
    last = max(wanted)
    for frame in frames:
        for sighting in wanted.get(frame.index, []):
            crop = _with_margin(frame.image, sighting.box)
            if crop.size:
                crops[sighting] = crop
        if frame.index >= last:
            break
    return crops


def _with_margin(image: Image, box: tuple[float, float, float, float]) -> Image:
    x, y, w, h = box
    height, width = image.shape[:2]
    left, right = np.clip([x - MARGIN * w, x + (1 + MARGIN) * w], 0, width).astype(int)
    top, bottom = np.clip([y - MARGIN * h, y + (1 + MARGIN) * h], 0, height).astype(int)
    return image[top:bottom, left:right].copy()
