"""What a student is asked for: to see as the teachers do, and to tell labelled people apart."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from reid_model.distillation.recipe import LossWeights

__all__ = ["Memory", "distillation_loss"]

TEMPERATURE = 0.07
"""Of the contrast between a batch's embeddings."""
NEIGHBOUR_TEMPERATURE = 0.05
"""Of the similarities to remembered crops: the closest count."""
TRIPLET_MARGIN = 0.3
LABEL_SMOOTHING = 0.1


class Memory(nn.Module):
    """The teachers' embeddings of the last crops, to rank others by.

    Args:
        size: How many.
        dim: Length of an embedding.

    Source:
        Fang et al., "SEED: Self-supervised Distillation For Visual Representation", ICLR 2021.
    """

    vectors: Tensor
    seen: Tensor

    def __init__(self, size: int, dim: int) -> None:
        super().__init__()
        self.register_buffer("vectors", torch.zeros(size, dim))
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def add(self, target: Tensor) -> None:
        """Remember ``(N, D)`` embeddings, and forget the oldest where there are too many."""
        size = len(self.vectors)
        places = (torch.arange(len(target), device=target.device) + self.seen) % size
        self.vectors[places] = target
        self.seen += len(target)

    def forward(self, unit: Tensor, target: Tensor) -> Tensor:
        """Return how far the student ranks the remembered crops from how the teachers do.

        It is the Kullback-Leibler divergence of the distributions that the similarities make, 0
        until the memory is full.

        Args:
            unit: ``(N, D)`` unit embeddings by the student.
            target: ``(N, D)`` by the teachers.
        """
        if int(self.seen) < len(self.vectors):
            return unit.new_zeros(())
        known = self.vectors.T / NEIGHBOUR_TEMPERATURE
        return functional.kl_div(
            functional.log_softmax(unit @ known, 1),
            functional.log_softmax(target @ known, 1),
            reduction="batchmean",
            log_target=True,
        )


def distillation_loss(
    after: Tensor,
    target: Tensor,
    labels: Tensor,
    *,
    classifier: nn.Module,
    memory: Memory,
    weights: LossWeights,
) -> dict[str, Tensor]:
    """Return the terms of the loss, and their weighted sum as ``loss``.

    Args:
        after: ``(N, D)`` embeddings behind the neck; the first ``L`` are of labelled crops.
        target: ``(N, D)`` unit embeddings by the teachers.
        labels: ``(L,)`` identities.
        classifier: Gives ``(L, identities)`` logits.
        memory: Of earlier batches.
        weights: What each term counts.
    """
    unit = functional.normalize(after)
    count = len(labels)
    own = torch.arange(len(unit), device=unit.device)
    terms = {
        "teacher": 1 - (unit * target).sum(1).mean(),
        "similarity": (unit @ unit.T - target @ target.T).square().mean(),
        "contrast": functional.cross_entropy(unit @ target.T / TEMPERATURE, own),
        "neighbours": memory(unit, target),
        "identity": functional.cross_entropy(
            classifier(after[:count]), labels, label_smoothing=LABEL_SMOOTHING
        ),
        "triplet": _batch_hard(unit[:count], labels),
    }
    total = sum(getattr(weights, name) * value for name, value in terms.items())
    return {"loss": torch.as_tensor(total), **terms}


def _batch_hard(unit: Tensor, labels: Tensor) -> Tensor:
    """Return the batch-hard triplet loss of unit embeddings, by Euclidean distance."""
    distance = ((2 - 2 * unit @ unit.T).clamp(min=0) + 1e-8).sqrt()
    same = labels[:, None] == labels[None]
    hardest_positive = distance.masked_fill(~same, -1).amax(1)
    hardest_negative = distance.masked_fill(same, 9).amin(1)
    return functional.relu(hardest_positive - hardest_negative + TRIPLET_MARGIN).mean()
