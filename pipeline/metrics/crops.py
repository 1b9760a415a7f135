"""The crops that show a mistake: cut out of the videos, or from the gallery of the run."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from pipeline.crops import inside
from pipeline.datatypes import Frame, Image
from pipeline.errors import InputError, ReidPipelineError
from pipeline.foreign import read_picture
from pipeline.metrics.matches import BoxView

__all__ = ["cut_crops", "gallery_crops"]

log = logging.getLogger(__name__)

MARGIN = 0.1
"""Part of the box that is added on every side, to show where the person is."""


def cut_crops(
    views: Sequence[BoxView], videos: Mapping[str, Iterable[Frame]]
) -> dict[BoxView, Image]:
    """Return the crop of each view that can be had.

    Each video is read once, up to its last frame that is asked for. One that breaks gives
    the crops before the break; the log says so.

    Args:
        views: What to show.
        videos: Per camera its frames, numbered as in the run.

    Returns:
        ``(H, W, 3)`` uint8 BGR crops. Views of cameras without a video are left out.
    """
    crops: dict[BoxView, Image] = {}
    for camera, frames in videos.items():
        wanted: dict[int, list[BoxView]] = {}
        for view in views:
            if view.camera == camera:
                wanted.setdefault(view.frame, []).append(view)
        if not wanted:
            continue
        try:
            crops.update(_cut(frames, wanted))
        except ReidPipelineError as error:
            log.warning("no crops of camera %s from here on: %s", camera, error)
    return crops


def gallery_crops(
    views: Sequence[BoxView], gallery: Mapping[tuple[str, int], Sequence[tuple[float, Path]]]
) -> dict[BoxView, Image]:
    """Return, for each view, the nearest crop in time that the gallery has of its track.

    Args:
        views: What to show.
        gallery: (camera, track) to (time in seconds, crop).

    Returns:
        ``(H, W, 3)`` uint8 BGR crops. Views of tracks without one are left out.
    """
    crops: dict[BoxView, Image] = {}
    for view in views:
        when = view.time_s or 0.0
        choice = gallery.get((view.camera, view.track_id), [])
        for _, path in sorted(choice, key=lambda each: abs(each[0] - when))[:1]:
            with suppress(InputError):
                crops[view] = read_picture(path)
    return crops


def _cut(frames: Iterable[Frame], wanted: Mapping[int, list[BoxView]]) -> dict[BoxView, Image]:
    crops: dict[BoxView, Image] = {}
    last = max(wanted)
    for frame in frames:
        for view in wanted.get(frame.index, []):
            crop = _with_margin(frame.image, view.box)
            if crop.size:
                crops[view] = crop
        if frame.index >= last:
            break
    return crops


def _with_margin(image: Image, box: tuple[float, float, float, float]) -> Image:
    x, y, w, h = box
    corners = x - MARGIN * w, y - MARGIN * h, x + (1 + MARGIN) * w, y + (1 + MARGIN) * h
    return inside(image, np.array(corners)).copy()
