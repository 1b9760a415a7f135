"""Progress of jobs, for callbacks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

__all__ = ["CameraProgress", "OnProgress"]


@dataclass(frozen=True, slots=True)
class CameraProgress:
    """How far one camera is in one part of a run.

    Attributes:
        part: ``find`` people, then ``draw`` the annotated video.
        camera: Its name.
        frames: Frames of it that are done.
        time_s: Time of the newest of them, seconds on the common time line.
        duration_s: Length of the video as the file states it, ``None`` where it states none.
        done: Whether the camera has ended.
    """

    part: Literal["find", "draw"]
    camera: str
    frames: int = 0
    time_s: float = 0.0
    duration_s: float | None = None
    done: bool = False


OnProgress = Callable[[CameraProgress], None]
