"""Which frames the detector looks at, where it need not look at every one."""

from __future__ import annotations

from enum import Enum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.camera_motion import small_grey
from pipeline.datatypes import Frame

__all__ = ["DetectionPace", "Look"]

STEP_S = 0.08
"""Time between two looks at people who move. Who walks is a fifth of a box's width further by then."""
STILL_S = 1.0
"""Time between two looks at a picture in which nothing has moved."""
MIN_CHANGE = 10.0
"""Difference of grey values (of 255) from which on a pixel of the small picture has changed; the
noise of a camera is 2 there."""
MIN_PIXELS = 3
"""So many of them are somebody who has moved by a part of a box, also where people are small."""
TIME_TOLERANCE_S = 1e-3


class Look(Enum):
    """What is done for a frame."""

    DETECT = "the detector looks at it"
    REPEAT = "it shows what the frame looked at last shows"
    CARRY = "tracks are carried on by their motion"


class DetectionPace:
    """Chooses the frames that the detector looks at, camera by camera, in the order of time.

    A number takes every so many frames. ``auto`` takes one every 0.08 s while something moves, and one
    a second while the picture stays as it is: then what was found there still holds.
    What is chosen depends on a camera's frames alone, so never on how a run is cut into batches.

    Args:
        every: As ``detect.every``.
    """

    def __init__(self, every: int | Literal["auto"]) -> None:
        self._every = every
        self._last: dict[str, tuple[float, NDArray[np.float32]]] = {}

    def choose(self, frame: Frame) -> Look:
        """Return what is done for a frame; each camera's in time order."""
        if isinstance(self._every, int):
            return Look.CARRY if frame.index % self._every else Look.DETECT
        small = small_grey(frame)
        last_s, last = self._last.get(frame.camera, (0.0, None))
        passed_s = frame.time_s - last_s + TIME_TOLERANCE_S
        if last is not None and last.shape == small.shape and passed_s > 0:
            moved = np.count_nonzero(np.abs(small - last) > MIN_CHANGE) >= MIN_PIXELS
            if passed_s < STEP_S:
                return Look.CARRY if moved else Look.REPEAT
            if not moved and passed_s < STILL_S:
                return Look.REPEAT
        self._last[frame.camera] = frame.time_s, small
        return Look.DETECT
