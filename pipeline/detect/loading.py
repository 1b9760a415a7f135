"""Which detector a run's settings ask for."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from pipeline.detect.openvino_yolo import OpenVinoYolo
from pipeline.detect.replay import ReplayDetector
from pipeline.detect.ultralytics_adapter import UltralyticsDetector
from pipeline.errors import ModelError
from pipeline.settings import DetectSettings

__all__ = ["load_detector"]

log = logging.getLogger(__name__)


def load_detector(
    settings: DetectSettings, *, cameras: Sequence[str], device: str
) -> OpenVinoYolo | ReplayDetector | UltralyticsDetector:
    """Return the detector for a run.

    Saved boxes win over weights. OpenVINO models run on OpenVINO directly when the device is
    a CPU; everything else goes through ultralytics.

    Args:
        settings: What the user asked for.
        cameras: Names of the run's cameras.
        device: Resolved device as torch names it.

    Raises:
        ModelError: No detector is named, or it cannot be loaded.
        DetectionsFileError: The saved boxes cannot be used.
    """
    if settings.detections is not None:
        return ReplayDetector(settings.detections, cameras=cameras, confidence=settings.confidence)
    if settings.weights is None:
        raise ModelError(
            "no detector is given: use --detector with a YOLO model (yolo11n.pt, a .onnx file, "
            "an OpenVINO folder) or --detections with saved boxes"
        )
    path = Path(settings.weights)
    is_openvino = path.suffix == ".xml" or (path.is_dir() and any(path.glob("*.xml")))
    if is_openvino and device == "cpu":
        return OpenVinoYolo(
            path,
            confidence=settings.confidence,
            nms_iou=settings.nms_iou,
            image_size=settings.image_size,
        )
    return UltralyticsDetector(
        settings.weights,
        confidence=settings.confidence,
        nms_iou=settings.nms_iou,
        image_size=settings.image_size,
        device=device,
    )
