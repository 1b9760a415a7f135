"""Detectors to compare with that the package does not run: SSD of OpenVINO's zoo, and YOLOX.

Source: the model cards of person-detection-retail-0013 and pedestrian-detection-adas-0002 in
https://github.com/openvinotoolkit/open_model_zoo, and ``demo/ONNXRuntime`` of
https://github.com/Megvii-BaseDetection/YOLOX.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pipeline.datatypes import Detections, FloatArray, Frame

__all__ = ["load_reference"]

YOLOX_STRIDES = (8, 16, 32)
YOLOX_GREY = 114
NMS_IOU = 0.6
MIN_SCORE = 0.005


def load_reference(path: Path) -> Any | None:
    """Return a detector with ``detect``, ``None`` where the package itself can run the model."""
    if path.name.startswith("yolox"):
        return Yolox(path)
    found = sorted(path.rglob("*.xml")) if path.is_dir() else [path]
    if len(found) != 1 or found[0].suffix != ".xml":
        return None
    model = _openvino().Core().read_model(str(found[0]))
    shape = model.output(0).partial_shape
    is_ssd = len(shape) == 4 and shape[3].is_static and shape[3].get_length() == 7
    return Ssd(model) if is_ssd else None


class Ssd:
    """Rows ``[image, label, score, x1, y1, x2, y2]``, corners in shares of the image."""

    def __init__(self, model: Any) -> None:
        self._height, self._width = (int(each) for each in list(model.input().shape)[2:])
        self._run = _openvino().Core().compile_model(model, "CPU")

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """Return the persons of each frame."""
        return [self._detect(frame) for frame in frames]

    def _detect(self, frame: Frame) -> Detections:
        height, width = frame.image.shape[:2]
        image = cv2.resize(frame.image, (self._width, self._height)).transpose(2, 0, 1)
        rows = self._run(image[None].astype(np.float32))[0].reshape(-1, 7)
        rows = rows[rows[:, 2] > MIN_SCORE]
        scale = np.array([width, height, width, height], np.float32)
        return Detections((rows[:, 3:] * scale).astype(np.float32), rows[:, 2].astype(np.float32))


class Yolox:
    """YOLOX with its grid undecoded, COCO's classes; letterboxed at the top left, BGR as it is."""

    def __init__(self, path: Path) -> None:
        model = _openvino().Core().read_model(str(path))
        self._size = int(list(model.input().shape)[2])
        self._run = _openvino().Core().compile_model(model, "CPU")
        cells = [
            (x, y, stride)
            for stride in YOLOX_STRIDES
            for y in range(self._size // stride)
            for x in range(self._size // stride)
        ]
        self._cells = np.array(cells, np.float32)

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """Return the persons of each frame."""
        return [self._detect(frame) for frame in frames]

    def _detect(self, frame: Frame) -> Detections:
        height, width = frame.image.shape[:2]
        scale = self._size / max(height, width)
        small = cv2.resize(frame.image, (int(width * scale), int(height * scale)))
        padded = np.full((self._size, self._size, 3), YOLOX_GREY, np.uint8)
        padded[: small.shape[0], : small.shape[1]] = small
        rows = self._run(padded.transpose(2, 0, 1)[None].astype(np.float32))[0][0]
        score = rows[:, 4] * rows[:, 5]
        stride = self._cells[:, 2:]
        centre, sides = (rows[:, :2] + self._cells[:, :2]) * stride, np.exp(rows[:, 2:4]) * stride
        corners = np.concatenate([centre - sides / 2, centre + sides / 2], axis=1) / scale
        return _suppressed(corners, score)


def _suppressed(corners: FloatArray, score: FloatArray) -> Detections:
    sides = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)
    kept = cv2.dnn.NMSBoxes(sides.tolist(), score.tolist(), MIN_SCORE, NMS_IOU)
    rows = np.asarray(kept, np.int64).reshape(-1)
    return Detections(corners[rows].astype(np.float32), score[rows].astype(np.float32))


def _openvino() -> Any:
    import openvino  # noqa: PLC0415 - after the package, which switches usage reports off

    return openvino
