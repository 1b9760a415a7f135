"""How far the picture of a camera has moved: what pans, things in it pan too."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.datatypes import Frame
from pipeline.gpu_frame import thumbnail_of

__all__ = ["CameraMotion", "small_grey"]

WIDTH_PX = 160
"""Pictures are compared at this width."""
BLOCKS = (8, 5)
"""Across and down, into how many blocks pictures are cut that tell whether a shift is the camera's."""
MIN_CHANGE = 3.0
"""Mean difference of grey values (of 255) from which on a block takes part."""
MIN_CHANGED = 0.5
"""Share of all blocks that must take part: people move in a few, the camera in all."""
MIN_SHARE = 0.7
"""Share of the blocks that take part which a shift must explain."""
MIN_GAIN = 0.75
"""A shift explains a block where it leaves less than this share of the difference."""
MAX_SHIFT = 0.12
"""Beyond this share of the width, so much of the picture is new that the reference is renewed."""


class CameraMotion:
    """Adds up the shifts of one camera's picture, by phase correlation with a reference picture.

    The reference stays as long as the picture does, so a fixed camera does not drift and a slow pan
    is not lost in noise.

    Source: C. D. Kuglin, D. C. Hines, "The phase correlation image alignment method", 1975.
    """

    def __init__(self) -> None:
        self._reference: NDArray[np.float32] | None = None
        self._window: NDArray[np.float32] | None = None
        self._before = (0.0, 0.0)
        self._since = (0.0, 0.0)

    def update(self, frame: Frame) -> tuple[float, float]:
        """Return how far what is in the picture has moved to the right and down since the first one, px.

        Args:
            frame: The next of the camera.
        """
        scale = frame.shape[1] / WIDTH_PX
        small = small_grey(frame)
        if self._reference is None or self._reference.shape != small.shape:
            self._window = cv2.createHanningWindow(small.shape[::-1], cv2.CV_32F)
            self._renew(small)
            return self._before
        x = y = 0.0
        changes = _changes(self._reference, small)
        # A shift explains blocks that changed: with fewer, as a camera that stands still nearly
        # always has, there is none to be looked for.
        if np.mean(changes > MIN_CHANGE) >= MIN_SHARE * MIN_CHANGED:
            (x, y), _ = cv2.phaseCorrelate(self._reference.copy(), small.copy(), self._window)
            if not _explains((x, y), self._reference, small, changes):
                x, y = 0.0, 0.0
        self._since = (x * scale, y * scale)
        moved = (self._before[0] + self._since[0], self._before[1] + self._since[1])
        if max(abs(x), abs(y)) > MAX_SHIFT * WIDTH_PX:
            self._renew(small)
        return moved

    def _renew(self, small: NDArray[np.float32]) -> None:
        self._before = (self._before[0] + self._since[0], self._before[1] + self._since[1])
        self._since = (0.0, 0.0)
        self._reference = small


def _changes(before: NDArray[np.float32], after: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mean difference of grey values in each block."""
    difference = cv2.resize(cv2.absdiff(before, after), BLOCKS, interpolation=cv2.INTER_AREA)
    return np.asarray(difference, np.float32)


def _explains(
    shift: tuple[float, float],
    before: NDArray[np.float32],
    after: NDArray[np.float32],
    unturned: NDArray[np.float32],
) -> bool:
    """Say whether most of the picture changed as it does when the camera turns by ``shift``."""
    move = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float32)
    turned = cv2.warpAffine(before, move, before.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
    left = _changes(np.asarray(turned, np.float32), after)
    changed = np.maximum(unturned, left) > MIN_CHANGE
    explained = left < MIN_GAIN * unturned
    return bool(changed.mean() >= MIN_CHANGED and explained[changed].mean() >= MIN_SHARE)


def small_grey(frame: Frame) -> NDArray[np.float32]:
    """Return the grey values of a frame at a width of 160 pixels; made once."""
    if frame.small is None:
        height, width = frame.shape[:2]
        image = thumbnail_of(frame, WIDTH_PX, max(round(height * WIDTH_PX / width), 2))
        small = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.float32)
        object.__setattr__(frame, "small", small)  # frames are frozen
        return small
    return frame.small
