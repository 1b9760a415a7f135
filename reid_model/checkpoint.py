"""Weights on disk: safetensors with metadata, so that nothing about them is guessed."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from reid_model.architecture import Architecture
from reid_model.errors import WeightsError
from reid_model.network import SiameseNetwork
from reid_model.stored_weights import METADATA_KEY, read_notes
from reid_model.writing import write_atomically

__all__ = ["Checkpoint", "load_checkpoint", "save_checkpoint", "write_tensors"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A network and what is known about it.

    Attributes:
        network: In evaluation mode, float32, on the CPU.
        architecture: Its shape and input.
        notes: What else the file says: ``trained_on``, ``recipe``, ``scores``, ``calibration``.
        path: Where it came from.
    """

    network: SiameseNetwork
    architecture: Architecture
    path: Path
    notes: Mapping[str, Any] = field(default_factory=dict)


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a network from a safetensors file, or from a pickled state dict.

    Files without our metadata are taken to hold the default architecture, which is logged.
    Pickled files are read with ``weights_only=True``: they can hold tensors and nothing else.

    Raises:
        WeightsError: The file is missing, unreadable, or holds another network.
    """
    if path.is_dir():
        raise WeightsError(f"weights {path} is a folder, expected a .safetensors file")
    if not path.is_file():
        raise WeightsError(f"weights {path} do not exist: check the path")
    tensors, metadata = _read(path)
    notes = dict(metadata)
    unnamed = "architecture" not in notes
    try:
        architecture = Architecture.model_validate(notes.pop("architecture", {}))
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in problem["loc"])
        raise WeightsError(f"weights {path}: metadata {where}: {problem['msg']}") from None
    network = SiameseNetwork(architecture)
    _fill(network, tensors, path)
    if unnamed:
        log.warning(
            "weights %s do not say what network they are: taken for %s, last stride %d, at %d x %d",
            path,
            architecture.backbone,
            architecture.last_stride,
            *architecture.input_size,
        )
    return Checkpoint(network.eval(), architecture, path, notes)


def save_checkpoint(
    network: SiameseNetwork, path: Path, *, notes: Mapping[str, Any], half: bool = False
) -> None:
    """Write a network and its metadata, atomically.

    Args:
        network: What to write.
        path: A ``.safetensors`` file; replaced if it exists.
        notes: Whatever JSON can hold: training data, recipe, scores, calibration.
        half: Write half precision, half the size.

    Raises:
        OutputError: The file cannot be written.
    """
    metadata = {"architecture": network.architecture.model_dump(), **notes}
    write_tensors(network, path, half=half, metadata={METADATA_KEY: metadata})


def write_tensors(
    network: nn.Module, path: Path, *, metadata: Mapping[str, Mapping[str, Any]], half: bool
) -> None:
    """Write the tensors of a network without its batch counters, which nothing reads.

    Args:
        network: What to write.
        path: A ``.safetensors`` file; replaced if it exists.
        metadata: What JSON can hold, by the key under which the file has it.
        half: Write half precision.

    Raises:
        OutputError: The file cannot be written.
    """
    tensors = {
        name: (value.half() if half and value.is_floating_point() else value).contiguous().cpu()
        for name, value in network.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    texts = {key: json.dumps(content, sort_keys=True) for key, content in metadata.items()}
    write_atomically(path, save(tensors, metadata=texts))


def _read(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    if path.suffix == ".safetensors":
        try:
            with safe_open(path, framework="pt") as file:
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return tensors, read_notes(path)
        except (SafetensorError, OSError, ValueError) as error:
            raise WeightsError(f"weights {path} are no safetensors file: {error}") from None
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # unpickling raises whatever a damaged file leads to
        raise WeightsError(
            f"weights {path} are no checkpoint, or one that holds more than tensors and would run "
            "code when it is read: give a .safetensors file"
        ) from None
    state = content.get("state_dict", content) if isinstance(content, dict) else None
    if not isinstance(state, dict) or not all(torch.is_tensor(v) for v in state.values()):
        raise WeightsError(f"weights {path} hold no state dict of tensors")
    return state, {}


def _fill(network: SiameseNetwork, tensors: Mapping[str, torch.Tensor], path: Path) -> None:
    own = network.state_dict()
    wanted = {name for name in own if not name.endswith("num_batches_tracked")}
    missing = sorted(wanted - set(tensors))
    if missing:
        raise WeightsError(
            f"weights {path} are of another kind: {len(missing)} of {len(wanted)} tensors are "
            f"missing, first {missing[0]}; expected {network.architecture.backbone} with "
            f"{network.architecture.embedding_dim}-d embeddings"
        )
    for name in sorted(wanted):
        value = tensors[name]
        # One number may be stored with or without an axis.
        if value.shape != own[name].shape and not value.numel() == own[name].numel() == 1:
            raise WeightsError(
                f"weights {path}: {name} has shape {tuple(value.shape)}, expected "
                f"{tuple(own[name].shape)}"
            )
        if not value.is_floating_point():
            raise WeightsError(
                f"weights {path}: {name} is {value.dtype}, expected floating point: export them again"
            )
        own[name].copy_(value.reshape(own[name].shape))
        # A network may hide it: the smaller of two numbers, one of them none, is the other.
        if not own[name].isfinite().all():
            raise WeightsError(
                f"weights {path} are damaged, {name} holds values that are not finite: copy them "
                "again, or take those of an earlier step"
            )
