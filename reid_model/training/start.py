"""What every training has in common: its start, the average of its weights, when it is lost."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from reid_model.architecture import Architecture
from reid_model.checkpoint import load_checkpoint
from reid_model.errors import RecipeError
from reid_model.network import SiameseNetwork

__all__ = ["check_embeddings", "check_loss", "move_average", "start_network"]


def start_network(
    architecture: Architecture, *, init: Path | None, pretrained: bool
) -> SiameseNetwork:
    """Return the network that a training starts from.

    Args:
        architecture: Its shape.
        init: Checkpoint whose weights it takes, none if not given.
        pretrained: Start from timm's ImageNet weights (needs the internet once).

    Raises:
        WeightsError: The weights cannot be read or fetched.
        RecipeError: The checkpoint is of a network of another shape.
    """
    network = SiameseNetwork(architecture, pretrained=pretrained)
    if init is not None:
        start = load_checkpoint(init).network
        try:
            network.load_state_dict(start.state_dict())
        except RuntimeError as error:
            reason = " ".join(str(error).split())[:200]
            raise RecipeError(f"init {init} does not fit the recipe: {reason}") from None
    return network


@torch.no_grad()
def move_average(averaged: nn.Module, trained: nn.Module, *, decay: float, step: int) -> None:
    """Move the averaged weights towards the trained ones; early on they move faster.

    Args:
        averaged: Changed in place.
        trained: After ``step`` steps.
        decay: Share that the average keeps per step, at most.
        step: How many steps were made.
    """
    kept = min(decay, step / (step + 10))
    values = trained.state_dict()
    for name, value in averaged.state_dict().items():
        if value.is_floating_point():
            value.lerp_(values[name], 1 - kept)
        else:
            value.copy_(values[name])


def check_loss(loss: float, step: int) -> None:
    """Raise where a training is lost, before its weights are changed by it or saved.

    Raises:
        RecipeError: The loss is not finite.
    """
    if not math.isfinite(loss):
        raise RecipeError(
            f"the loss is not finite at step {step}: lower the learning rate (optimiser.rate); "
            "what was saved before is kept, and --resume goes on from it"
        )


def check_embeddings(vectors: NDArray[np.float32], step: int) -> None:
    """Raise where a network gives nothing to compare, before its weights are saved.

    Raises:
        RecipeError: Embeddings are not finite, or all the same.
    """
    if not np.isfinite(vectors).all() or (len(vectors) > 1 and np.ptp(vectors, axis=0).max() == 0):
        raise RecipeError(
            f"the embeddings are useless at step {step}, not finite or all the same: lower the "
            "learning rate (optimiser.rate); what was saved before is kept"
        )
