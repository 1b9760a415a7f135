"""What a student is asked for: to see as the teachers do, and to tell labelled people apart."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from reid_model.distillation.recipe import LossWeights

__all__ = ["distillation_loss"]

TEMPERATURE = 0.07
"""Of the contrast between a batch's embeddings."""
TRIPLET_MARGIN = 0.3
LABEL_SMOOTHING = 0.1


def distillation_loss(
    after: Tensor, target: Tensor, labels: Tensor, classifier: nn.Module, weights: LossWeights
) -> dict[str, Tensor]:
    """Return the terms of the loss, and their weighted sum as ``loss``.

    Args:
        after: ``(N, D)`` embeddings behind the neck; the first ``L`` are of labelled crops.
        target: ``(N, D)`` unit embeddings by the teachers.
        labels: ``(L,)`` identities.
        classifier: Gives ``(L, identities)`` logits.
        weights: What each term counts.
    """
    unit = functional.normalize(after)
    count = len(labels)
    own = torch.arange(len(unit), device=unit.device)
    terms = {
        "teacher": 1 - (unit * target).sum(1).mean(),
        "similarity": (unit @ unit.T - target @ target.T).square().mean(),
        "contrast": functional.cross_entropy(unit @ target.T / TEMPERATURE, own),
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
