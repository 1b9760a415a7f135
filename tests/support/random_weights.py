"""Checkpoints without training, and damaged ones."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

from reid_model.architecture import Architecture
from reid_model.checkpoint import load_checkpoint, save_checkpoint
from reid_model.network import SiameseNetwork
from reid_model.stored_weights import METADATA_KEY

__all__ = ["write_random_weights", "write_spoilt"]


def write_random_weights(path: Path) -> Path:
    """Weights that were never trained: vectors differ with the picture, and that is all."""
    torch.manual_seed(0)
    network = SiameseNetwork(Architecture(embedding_dim=64, input_height=32, input_width=16))
    save_checkpoint(network, path, notes={})
    return path


def write_spoilt(weights: Path, path: Path, fault: str) -> Path:
    """Weights whose embeddings are not numbers, zero or all the same, or of another network."""
    network = load_checkpoint(weights).network
    tensors = {k: v for k, v in network.state_dict().items() if v.is_floating_point()}
    last = tensors["embed.weight"]
    nothing, none = torch.zeros_like(last), torch.zeros(len(last))
    changes = {
        "nan": {"embed.weight": torch.full_like(last, float("nan"))},
        "zero": {"embed.weight": nothing, "bn.bias": none, "bn.running_mean": none.clone()},
        "collapsed": {"embed.weight": nothing, "bn.bias": none + 1},
        "transposed": {"embed.weight": last.T.contiguous()},
    }
    notes = {"architecture": network.architecture.model_dump()}
    save_file(tensors | changes[fault], path, metadata={METADATA_KEY: json.dumps(notes)})
    return path
