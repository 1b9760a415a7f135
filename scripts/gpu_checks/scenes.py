"""Frames of the sample videos for a device: decoded with what is there, scaled, looped."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from gpu_checks.timing import PartSkippedError
from pipeline.datatypes import Detections, Frame

__all__ = ["KnownBoxes", "WalkingBoxes", "looped", "read_frames"]

FULL_HD = (1920, 1080)


def read_frames(folder: Path, *, most: int) -> list[Frame]:
    """Return the frames of all sample videos in order of (time, camera).

    Args:
        folder: Of the videos.
        most: Frames of each video.

    Raises:
        PartSkippedError: None can be decoded here.
    """
    frames = []
    for path in sorted(folder.glob("*.mp4")):
        video = cv2.VideoCapture(str(path))
        rate = video.get(cv2.CAP_PROP_FPS) or 10.0
        for index in range(most):
            read, image = video.read()
            if not read:
                break
            frames.append(Frame(path.stem, index, index / rate, np.asarray(image, np.uint8)))
        video.release()
    if not frames:
        raise PartSkippedError(f"OpenCV decodes no video of {folder} here")
    return sorted(frames, key=lambda frame: (frame.time_s, frame.camera))


def looped(frames: Sequence[Frame], streams: int) -> Iterator[list[Frame]]:
    """Yield one frame of each of so many streams at a time, 1080p, for ever.

    Every stream shows one of the videos over and over, each begun at another moment.
    """
    large = [replace(each, image=_full_hd(each)) for each in frames]
    step = 0
    while True:
        chosen = (
            (large[(step * 3 + 7 * number) % len(large)], number) for number in range(streams)
        )
        yield [Frame(f"s{number:03d}", step, step / 10, frame.image) for frame, number in chosen]
        step += 1


def _full_hd(frame: Frame) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.asarray(cv2.resize(frame.image, FULL_HD), np.uint8)


@dataclass(frozen=True, slots=True)
class KnownBoxes:
    """The true boxes of the sample videos in place of a detector.

    Attributes:
        of_frame: Boxes by camera and number of the frame.
    """

    of_frame: Mapping[tuple[str, int], Detections]
    name: str = "true boxes"

    @classmethod
    def read(cls, table: Path) -> KnownBoxes:
        """Read ``ground_truth.csv``."""
        rows: dict[tuple[str, int], list[tuple[float, ...]]] = {}
        with table.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                if float(row["visible"]) >= 0.3:
                    x, y, w, h = (float(row[name]) for name in ("x", "y", "w", "h"))
                    key = row["camera"], int(row["frame"])
                    rows.setdefault(key, []).append((x, y, x + w, y + h))
        return cls(
            {
                key: Detections(np.array(found, np.float32), np.full(len(found), 0.9, np.float32))
                for key, found in rows.items()
            }
        )

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """Return the boxes of each frame."""
        none = Detections.empty()
        return [self.of_frame.get((frame.camera, frame.index), none) for frame in frames]


@dataclass(frozen=True, slots=True)
class WalkingBoxes:
    """Boxes that walk across 1080p frames, where no detector is to be had: the rest of the work.

    Attributes:
        people: How many in every frame.
    """

    people: int = 6
    name: str = "walking boxes"

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """Return the boxes of each frame."""
        width, height = FULL_HD
        score = np.full(self.people, 0.9, np.float32)
        lanes = np.arange(self.people) * (width // self.people)
        found = []
        for frame in frames:
            left = (lanes + 12 * frame.index) % (width - 160)
            top = np.full(self.people, height / 3)
            edges = np.stack([left, top, left + 160, top + 480], axis=1)
            found.append(Detections(edges.astype(np.float32), score))
        return found
