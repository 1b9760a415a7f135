"""Frames of the sample videos for a device: decoded with what is there, scaled, looped."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch

from gpu_checks.timing import PartSkippedError
from pipeline.datatypes import Detections, Frame, Image
from pipeline.gpu_frame import GpuFrame

__all__ = ["FULL_HD", "SAMPLES", "KnownBoxes", "full_hd", "looped", "on_device", "read_frames"]

SAMPLES = Path(__file__).resolve().parents[2] / "sample_videos"
FULL_HD = (1920, 1080)
"""Width and height."""


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


def looped(
    frames: Sequence[Frame], streams: int, *, device: torch.device | None = None
) -> Iterator[list[Frame]]:
    """Yield one frame of each of so many streams at a time, 1080p, for ever.

    Every stream shows one of the videos over and over, each begun at another moment.

    Args:
        frames: Of the videos.
        streams: How many.
        device: Where the frames are; ``None`` is the memory of the CPU.
    """
    large = [replace(each, image=full_hd(each.image)) for each in frames]
    shown: Sequence[Frame] = large if device is None else on_device(large, device)
    step = 0
    while True:
        yield [
            _again(shown[(step * 3 + 7 * number) % len(shown)], f"s{number:03d}", step)
            for number in range(streams)
        ]
        step += 1


def on_device(frames: Sequence[Frame], device: torch.device) -> list[Frame]:
    """Return frames whose pixels are on a device."""
    return [
        GpuFrame(each.camera, each.index, each.time_s, torch.from_numpy(each.image).to(device))
        for each in frames
    ]


def full_hd(image: Image) -> Image:
    """Return an image at 1920x1080."""
    return np.asarray(cv2.resize(image, FULL_HD), np.uint8)


def _again(frame: Frame, camera: str, index: int) -> Frame:
    """Return the picture of a frame as that of another camera at another time."""
    if isinstance(frame, GpuFrame):
        return GpuFrame(camera, index, index / 10, frame.pixels)
    return Frame(camera, index, index / 10, frame.image)


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
