"""The int8 form of a network: half the time on a CPU, made without labels or training.

NNCF, OpenVINO's own tool, runs the network on some crops to learn the range of every layer.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import openvino
from numpy.typing import NDArray

from reid_model.backends.openvino import WEIGHTS_KEY, convert
from reid_model.checkpoint import load_checkpoint
from reid_model.errors import BackendError
from reid_model.installation import install_hint
from reid_model.preprocess import normalised, resized
from reid_model.stored_weights import weights_sha256

__all__ = ["save_int8_form"]


def save_int8_form(checkpoint: Path, xml: Path, crops: Sequence[NDArray[np.uint8]]) -> None:
    """Write the int8 OpenVINO form of a checkpoint; what was there is replaced.

    Args:
        checkpoint: A ``.safetensors`` file.
        xml: Where to; its ``.bin`` goes beside it.
        crops: ``(H, W, 3)`` uint8 BGR pictures of people such as it will see, at least one.

    Raises:
        WeightsError: The checkpoint cannot be used.
        BackendError: NNCF is missing.
    """
    nncf = _nncf()
    about = load_checkpoint(checkpoint).architecture.preprocessing
    pictures = np.stack([resized(crop, about.input_size) for crop in crops])
    inputs = [normalised(picture[None], about) for picture in pictures]
    model = nncf.quantize(
        convert(checkpoint),
        nncf.Dataset(inputs),
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(inputs),
    )
    model.set_rt_info(weights_sha256(checkpoint), WEIGHTS_KEY)
    openvino.save_model(model, str(xml), compress_to_fp16=True)


def _nncf() -> Any:
    try:
        import nncf  # noqa: PLC0415 - optional, slow
    except ImportError:
        raise BackendError(
            "an int8 form needs the package nncf: " + install_hint("train")
        ) from None
    logging.getLogger("nncf").setLevel(logging.WARNING)
    return nncf
