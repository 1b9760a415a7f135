"""The encoder-decoder and its weights on disk."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import nn

from reid_model.checkpoint import load_checkpoint, write_tensors
from reid_model.errors import BackendError, WeightsError
from reid_model.installation import install_hint
from reid_model.stored_weights import packaged

__all__ = [
    "INPUT_SIZE",
    "Segmenter",
    "build_network",
    "default_segmenter",
    "load_segmenter",
    "save_segmenter",
    "start_encoder",
]

METADATA_KEY = "reid_segmentation"
DEFAULT_NAME = "person_mask_b0.safetensors"
DECODER_CHANNELS = (96, 64, 48, 32, 16)
"""A third of the usual width: crops are small, and the file has to stay small."""
INPUT_SIZE = (128, 64)
"""Height and width that crops are scaled to; both are multiples of 32."""


@dataclass(frozen=True, slots=True)
class Segmenter:
    """A network and what is known about it.

    Attributes:
        network: Maps ``(N, 3, H, W)`` normalised RGB to ``(N, 1, H, W)`` logits.
        input_size: ``(height, width)``, pixels.
        notes: Scores, data and recipe.
    """

    network: nn.Module
    input_size: tuple[int, int]
    notes: Mapping[str, Any]


def build_network() -> nn.Module:
    """Return a U-Net on an EfficientNet-B0 encoder, untrained.

    Raises:
        BackendError: segmentation-models-pytorch is not installed.
    """
    try:
        import segmentation_models_pytorch as smp  # noqa: PLC0415 - optional
    except ImportError:
        raise BackendError(
            "person masks need segmentation-models-pytorch: " + install_hint("mask")
        ) from None
    network: nn.Module = smp.Unet(
        "tu-efficientnet_b0", encoder_weights=None, decoder_channels=DECODER_CHANNELS, classes=1
    )
    return network


def start_encoder(network: nn.Module, weights: Path) -> int:
    """Fill the encoder with that of other mask weights, or with a re-identification backbone.

    Returns:
        How many tensors were taken over.

    Raises:
        WeightsError: The weights cannot be used, or are of another backbone.
    """
    backbone = _encoder_tensors(weights)
    encoder: Any = network.get_submodule("encoder.model")
    own = encoder.state_dict()
    if any(name not in backbone or backbone[name].shape != own[name].shape for name in own):
        raise WeightsError(f"weights {weights} are no EfficientNet-B0: the encoder needs one")
    encoder.load_state_dict({name: backbone[name] for name in own})
    return len(own)


def _encoder_tensors(weights: Path) -> Mapping[str, torch.Tensor]:
    if weights.suffix == ".safetensors" and weights.is_file():
        with contextlib.suppress(SafetensorError, OSError), safe_open(weights, "pt") as file:
            if METADATA_KEY in (file.metadata() or {}):
                trained: Any = load_segmenter(weights).network
                tensors: Mapping[str, torch.Tensor] = trained.encoder.model.state_dict()
                return tensors
    return dict(load_checkpoint(weights).network.backbone.state_dict())


def default_segmenter() -> Path:
    """Return the path of the weights that come with the package.

    Raises:
        WeightsError: The package holds none.
    """
    return packaged(DEFAULT_NAME, way_out="train some")


def save_segmenter(network: nn.Module, path: Path, *, notes: Mapping[str, Any]) -> None:
    """Write a network in half precision with its metadata, atomically.

    Raises:
        OutputError: The file cannot be written.
    """
    about = {"input_size": INPUT_SIZE, **notes}
    write_tensors(network, path, half=True, metadata={METADATA_KEY: about})


def load_segmenter(path: Path) -> Segmenter:
    """Read a network, in evaluation mode, float32, on the CPU.

    Raises:
        WeightsError: The file is missing, unreadable, or holds something else.
        BackendError: segmentation-models-pytorch is not installed.
    """
    if not path.is_file():
        raise WeightsError(f"mask weights {path} do not exist: check the path")
    try:
        with safe_open(path, framework="pt") as file:
            notes = json.loads((file.metadata() or {}).get(METADATA_KEY, "null"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError(f"mask weights {path} are no safetensors file: {error}") from None
    if notes is None:
        raise WeightsError(
            f"weights {path} are not for masks: `reid-model segment train` makes some"
        )
    height, width = notes.pop("input_size")
    network = build_network()
    try:
        network.load_state_dict(_with_counters(network, tensors))
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise WeightsError(f"mask weights {path} are of another network: {reason}") from None
    return Segmenter(network.eval(), (int(height), int(width)), notes)


def _with_counters(
    network: nn.Module, tensors: Mapping[str, torch.Tensor]
) -> dict[str, torch.Tensor]:
    """Add the batch counters, which are not stored because nothing reads them."""
    counters = {
        name: value
        for name, value in network.state_dict().items()
        if name.endswith("num_batches_tracked")
    }
    return {**counters, **{name: value.float() for name, value in tensors.items()}}
