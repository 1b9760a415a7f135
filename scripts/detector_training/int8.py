"""The int8 form of the detector: two thirds of the time on a CPU, from frames that nobody labelled."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from pathlib import Path

import nncf
import numpy as np
import openvino
from numpy.typing import NDArray

from pipeline.datatypes import Image
from pipeline.detect.built_in import NAME, built_in_detector
from pipeline.detect.letterbox import Letterbox
from pipeline.sources import VideoFile

__all__ = ["write_int8_form"]

FRAMES_PER_CLIP = 70
"""Frames of each clip that tell the ranges of the layers."""
LONGER_SIDE, STRIDE = 640, 32
FLOAT_LAYERS = [r"__module\.model\.22/.*", r"__module\.model\.22\.dfl.*"]
"""What turns the maps into boxes: few numbers, of a large range."""


def write_int8_form(folder: Path, clips: Sequence[Path]) -> None:
    """Write ``person_detector_int8_openvino_model/`` of the package's OpenVINO form.

    Args:
        folder: Where to.
        clips: Videos of people, none of which anybody is judged by.
    """
    logging.getLogger("nncf").setLevel(logging.WARNING)
    form, out = built_in_detector("cpu"), folder / f"{NAME}_int8_openvino_model"
    model = openvino.Core().read_model(str(form / f"{NAME}.xml"))
    inputs = [as_input(image) for clip in clips for image in spread_frames(clip)]
    quantized = nncf.quantize(
        model,
        nncf.Dataset(inputs),
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(inputs),
        ignored_scope=nncf.IgnoredScope(patterns=FLOAT_LAYERS, validate=False),
    )
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    openvino.save_model(quantized, str(out / f"{NAME}.xml"), compress_to_fp16=True)
    shutil.copy(form / "metadata.yaml", out)


def spread_frames(clip: Path) -> list[Image]:
    """Return some frames of a clip, at equal distances."""
    step = max(1, (VideoFile("clip", clip).header.frame_count or 1) // FRAMES_PER_CLIP)
    return [frame.image for frame in VideoFile("clip", clip) if frame.index % step == 0]


def as_input(image: Image) -> NDArray[np.float32]:
    """Return ``(1, 3, H, W)`` RGB in [0, 1], scaled as for detection."""
    fit = Letterbox.fit(image.shape, Letterbox.tight_target(image.shape, LONGER_SIDE, STRIDE))
    pixels = fit.apply(image)[..., ::-1].transpose(2, 0, 1)[None]
    return np.ascontiguousarray(pixels, np.float32) / np.float32(255)
