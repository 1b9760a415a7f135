"""Which detector a run's settings ask for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.detect.built_in import BUILT_IN, built_in_detector
from pipeline.detect.exported import find_model
from pipeline.detect.openvino_yolo import OpenVinoYolo
from pipeline.detect.ultralytics_adapter import UltralyticsDetector
from pipeline.errors import ModelError
from pipeline.foreign import special_kind
from pipeline.plugins import checked_stage, load_plugin
from pipeline.protocols import Detector
from pipeline.settings import DetectSettings

__all__ = ["load_detector"]


def load_detector(settings: DetectSettings, *, cameras: Sequence[str], device: str) -> Detector:
    """Return the detector for a run.

    It is a plug-in, saved boxes, or a network; without any of them, the package's own.
    OpenVINO
    models run on OpenVINO directly, ONNX models too when the device is a CPU, weights of this
    project's own training on torch; everything else goes through ultralytics.

    Args:
        settings: What the user asked for.
        cameras: Names of the run's cameras.
        device: Resolved device as torch names it.

    Raises:
        ModelError: The detector cannot be loaded.
        DetectionsFileError: The saved boxes cannot be used.
        SettingsError: No installed package registers the plug-in, or it is no detector.
    """
    if settings.plugin is not None:
        make = load_plugin("detector", settings.plugin)
        made: Detector = checked_stage("detector", make(settings, cameras=cameras, device=device))
        return made
    if settings.detections is not None:
        from pipeline.detect.replay import ReplayDetector  # noqa: PLC0415 - start-up time

        return ReplayDetector(settings.detections, cameras=cameras, confidence=settings.confidence)
    wanted = "built-in" if settings.weights is None else settings.weights
    path = built_in_detector(device, wanted) if wanted in BUILT_IN else Path(wanted)
    model = find_model(path) if path.exists() else None
    _refuse_special(path if model is None else model)
    if model is not None and (device == "cpu" or model.suffix == ".xml"):
        detector = OpenVinoYolo(
            path,
            confidence=settings.confidence,
            nms_iou=settings.nms_iou,
            image_size=settings.image_size,
        )
        size, usual = detector.input_size, DetectSettings().image_size
        if size is not None and settings.image_size not in {usual, max(size)}:
            raise ModelError(
                f"detector {path} takes pictures of {size[1]}x{size[0]} pixels alone: leave "
                f"image_size ({settings.image_size}) out"
            )
        return detector
    if path.suffix == ".safetensors" and path.exists():
        from pipeline.detect.torch_yolo import TorchYolo  # noqa: PLC0415 - torch is slow to load

        return TorchYolo(
            path,
            confidence=settings.confidence,
            nms_iou=settings.nms_iou,
            image_size=settings.image_size,
            device=device,
        )
    return UltralyticsDetector(
        str(path),
        confidence=settings.confidence,
        nms_iou=settings.nms_iou,
        image_size=settings.image_size,
        device=device,
    )


def _refuse_special(model: Path) -> None:
    """Raise ``ModelError`` for a pipe or a device, which a runtime would wait for."""
    for file in (model, model.with_suffix(".bin")) if model.name else ():
        if file.exists() and not file.is_dir() and (kind := special_kind(file)):
            raise ModelError(f"detector {file} is {kind}, no file: name a model")
