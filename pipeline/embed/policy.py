"""Quality of crops, and the policy of which crops to embed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.boxes import covered_shares
from pipeline.datatypes import FloatArray, Frame, IntArray, Tracks
from pipeline.settings import EmbedSettings

__all__ = ["TrackCropPolicy", "crop_quality"]

FULL_HEIGHT_PX = 128
"""From this height on a crop shows all that the network can use."""
MIN_ASPECT, MAX_ASPECT = 1.2, 4.5
"""Height over width of upright people; wider boxes hold several, or a part of one."""
BORDER_PX = 2.0
"""A box that comes so near to the image border is taken to be cut off by it."""
BORDER_FACTOR = 0.4
"""Weight of a cut-off crop: a poor one, but all there is of people near a camera."""
BETTER_BY = 1.5
"""A crop that is better than every earlier one by this factor is embedded at once."""
FORGET_AFTER_S = 60.0
"""Tracks end within seconds, so what is known of one may go after this."""


@dataclass(slots=True)
class _TrackMemory:
    crops: int
    last_s: float
    best: float


class TrackCropPolicy:
    """Embeds a track's first crops soon, then now and then, and whenever a better one comes.

    Embedding every box of every frame costs several times as much and adds nothing that the
    neighbouring frames do not show.
    """

    def __init__(self, settings: EmbedSettings) -> None:
        self._settings = settings
        self._memory: dict[tuple[str, int], _TrackMemory] = {}
        self._swept_s = float("-inf")

    def quality(self, tracks: Tracks, frame: Frame) -> FloatArray:
        """Return ``(N,)`` float32 in [0, 1]: how well each track's crop shows its person."""
        height, width = frame.shape[:2]
        return crop_quality(tracks, height=height, width=width)

    def choose(self, camera: str, time_s: float, tracks: Tracks, quality: FloatArray) -> IntArray:
        """Return the rows of ``tracks`` to embed now, in ascending order."""
        self._forget(time_s)
        rows = [
            row
            for row, track_id in enumerate(tracks.track_id.tolist())
            if self._take((camera, track_id), time_s, float(quality[row]))
        ]
        return np.array(rows, np.int64)

    def _take(self, key: tuple[str, int], time_s: float, quality: float) -> bool:
        if quality < self._settings.min_quality:
            return False
        memory = self._memory.get(key)
        if memory is None:
            self._memory[key] = _TrackMemory(crops=1, last_s=time_s, best=quality)
            return True
        early = memory.crops < self._settings.first_crops
        interval_s = self._settings.first_interval_s if early else self._settings.interval_s
        due = time_s - memory.last_s >= interval_s - 1e-6
        if not due and quality < BETTER_BY * memory.best:
            return False
        memory.crops += 1
        memory.last_s = time_s
        memory.best = max(memory.best, quality)
        return True

    def _forget(self, time_s: float) -> None:
        if time_s - self._swept_s < FORGET_AFTER_S:
            return
        self._swept_s = time_s
        oldest_s = time_s - FORGET_AFTER_S
        self._memory = {key: m for key, m in self._memory.items() if m.last_s >= oldest_s}


def crop_quality(tracks: Tracks, *, height: int, width: int) -> FloatArray:
    """Return ``(N,)`` float32 in [0, 1]: how well each box shows one whole person.

    The product of the detector's score, the share that no other person overlaps, and the height
    up to ``FULL_HEIGHT_PX``; lowered where the image border cuts the box off; zero where the
    proportions are not a person's. Who is always covered by others is known by poor crops alone,
    which is better than not at all.

    Args:
        tracks: The boxes of one frame.
        height: Height of the frame, pixels.
        width: Width of the frame, pixels.
    """
    if len(tracks) == 0:
        return np.zeros(0, np.float32)
    x1, y1, x2, y2 = tracks.xyxy.T
    box_width, box_height = np.maximum(x2 - x1, 1e-3), np.maximum(y2 - y1, 1e-3)
    aspect = box_height / box_width
    cut_off = (
        (x1 <= BORDER_PX)
        | (y1 <= BORDER_PX)
        | (x2 >= width - BORDER_PX)
        | (y2 >= height - BORDER_PX)
    )
    usable = (aspect >= MIN_ASPECT) & (aspect <= MAX_ASPECT)
    covered = np.zeros(len(tracks), np.float32)
    covered[usable] = covered_shares(tracks.xyxy[usable])
    quality = tracks.score * (1 - np.minimum(covered, 1))
    quality = quality * np.minimum(box_height / FULL_HEIGHT_PX, 1)
    quality = np.where(cut_off, quality * BORDER_FACTOR, quality)
    result: FloatArray = np.where(usable, quality, 0).astype(np.float32)
    return result
