"""Training of the encoder-decoder on crops of photographs."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from reid_model.architecture import Architecture
from reid_model.errors import DatasetError
from reid_model.evaluation.embedding import network_input
from reid_model.segmentation.network import (
    INPUT_SIZE,
    build_network,
    save_segmenter,
    start_encoder,
)
from reid_model.training.photographs import (
    PersonBox,
    Photograph,
    person_boxes,
    random_crop,
    read_photographs,
    steady_crop,
)
from reid_model.training.start import check_loss, move_average

__all__ = ["MaskScores", "SegmentRecipe", "score_masks", "train_segmenter"]

HELD_OUT = 0.2
"""Share of the photographs that the scores are measured on."""


@dataclass(frozen=True, slots=True)
class SegmentRecipe:
    """How to train.

    Attributes:
        steps: Optimiser steps.
        batch: Crops per step.
        rate: Highest learning rate of AdamW, over a cosine to nothing.
        seed: Of the split, the crops and the decoder's start.
        every_steps: Steps between two evaluations.
    """

    steps: int = 600
    batch: int = 24
    rate: float = 1e-3
    seed: int = 1
    every_steps: int = 100


@dataclass(frozen=True, slots=True)
class MaskScores:
    """Agreement with the true masks, means over crops, in [0, 1].

    Attributes:
        iou: Intersection over union.
        dice: Twice the intersection over the sum of both areas.
        crops: On how many crops.
    """

    iou: float
    dice: float
    crops: int


def train_segmenter(
    csv: Path,
    out: Path,
    recipe: SegmentRecipe,
    *,
    encoder: Path | None,
    report: Callable[[int, float, MaskScores | None], None] = lambda _step, _loss, _scores: None,
) -> MaskScores:
    """Train on the photographs that a CSV lists; the best weights on held-out ones are written.

    Args:
        csv: Columns images and masks.
        out: The safetensors file to write.
        recipe: How.
        encoder: Re-identification weights that the encoder starts from; ``None`` = at random.
        report: Called after every step with the loss and the latest scores.

    Returns:
        The scores of the written weights.

    Raises:
        DatasetError: The photographs cannot be used.
        WeightsError: The encoder's weights cannot be used.
    """
    photographs = read_photographs(csv)
    learnt, held_out = _split(photographs, recipe.seed)
    if not learnt or not held_out:
        raise DatasetError(f"{csv} shows too few people: some have to be held out")
    torch.manual_seed(recipe.seed)
    network = build_network()
    if encoder is not None:
        start_encoder(network, encoder)
    network = network.to(memory_format=torch.channels_last)
    averaged = copy.deepcopy(network).eval().requires_grad_(False)
    optimiser = torch.optim.AdamW(network.parameters(), lr=recipe.rate, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, recipe.rate, total_steps=recipe.steps, pct_start=0.1
    )
    best = MaskScores(-1.0, -1.0, 0)
    scores: MaskScores | None = None
    for step in range(1, recipe.steps + 1):
        images, masks = _batch(photographs, learnt, recipe, step)
        logits = network.train()(images).squeeze(1)
        loss = functional.binary_cross_entropy_with_logits(logits, masks) + _dice_loss(
            logits, masks
        )
        check_loss(float(loss.detach()), step)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        move_average(averaged, network, decay=0.98, step=step)
        if step % recipe.every_steps == 0 or step == recipe.steps:
            scores = score_masks(averaged, photographs, held_out)
            if scores.iou > best.iou:
                best = scores
                save_segmenter(
                    averaged, out, notes=_notes(csv, photographs, recipe, encoder, scores)
                )
        report(step, float(loss.detach()), scores)
    return best


@torch.inference_mode()
def score_masks(
    network: nn.Module, photographs: Sequence[Photograph], boxes: Sequence[PersonBox]
) -> MaskScores:
    """Return the scores of a network on the crops of boxes."""
    ious, dices = [], []
    for box in boxes:
        image, truth = steady_crop(photographs[box.photograph], box, INPUT_SIZE)
        logits = network(_normalised(image[None]))[0, 0].numpy()
        found = logits > 0
        both, either = (found & truth).sum(), (found | truth).sum()
        ious.append(both / max(either, 1))
        dices.append(2 * both / max(found.sum() + truth.sum(), 1))
    return MaskScores(float(np.mean(ious)), float(np.mean(dices)), len(boxes))


def _split(photographs: Sequence[Photograph], seed: int) -> tuple[list[PersonBox], list[PersonBox]]:
    """Return the boxes to learn from and those held out; no photograph has both."""
    order = np.random.default_rng(seed).permutation(len(photographs))
    held = set(order[: round(HELD_OUT * len(photographs))].tolist())
    boxes = person_boxes(photographs)
    return [b for b in boxes if b.photograph not in held], [
        b for b in boxes if b.photograph in held
    ]


def _batch(
    photographs: Sequence[Photograph],
    boxes: Sequence[PersonBox],
    recipe: SegmentRecipe,
    step: int,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the crops and masks of a step, a function of seed and step alone."""
    rng = np.random.default_rng([recipe.seed, step])
    chosen = [boxes[row] for row in rng.integers(0, len(boxes), recipe.batch)]
    crops = [random_crop(photographs[box.photograph], box, INPUT_SIZE, rng) for box in chosen]
    images = np.stack([image for image, _ in crops])
    masks = np.stack([mask for _, mask in crops]).astype(np.float32)
    return _normalised(images), torch.from_numpy(masks)


def _normalised(images: NDArray[np.uint8]) -> torch.Tensor:
    return network_input(torch.from_numpy(np.ascontiguousarray(images)), Architecture())


def _dice_loss(logits: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    share = logits.sigmoid()
    both = (share * masks).sum(dim=(1, 2))
    sizes = share.sum(dim=(1, 2)) + masks.sum(dim=(1, 2))
    return (1 - (2 * both + 1) / (sizes + 1)).mean()


def _notes(
    csv: Path,
    photographs: Sequence[Photograph],
    recipe: SegmentRecipe,
    encoder: Path | None,
    scores: MaskScores,
) -> dict[str, object]:
    return {
        "trained_on": {"source": f"{csv.parent.name}/{csv.name}", "photographs": len(photographs)},
        "recipe": asdict(recipe),
        "encoder": None if encoder is None else encoder.name,
        "scores": asdict(scores),
    }
