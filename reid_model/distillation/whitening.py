"""Whitens embeddings by crops from everywhere, inside the weights."""

from __future__ import annotations

import copy
from collections.abc import Iterable

import torch
from torch import Tensor

from reid_model.network import SiameseNetwork

__all__ = ["whitened"]

POWER = 0.5
"""How far variances are made equal: 0 not at all, 1 wholly."""
MIN_VARIANCE = 1e-4
"""Share of the largest variance that is added to all."""


@torch.no_grad()
def whitened(network: SiameseNetwork, batches: Iterable[Tensor]) -> SiameseNetwork:
    """Return the network with embeddings that are centred and, half way, of equal variances.

    What all people and cameras have in common then no longer makes strangers alike. The change is
    linear and goes into the last layer and the neck, so it costs nothing.

    Args:
        network: In evaluation mode; not changed.
        batches: ``(N, 3, H, W)`` normalised RGB, of many cameras, each as often as it shall count.

    Source:
        Jegou and Chum, "Negative evidences and co-occurences in image retrieval: the benefit of PCA
        and whitening", ECCV 2012.
    """
    vectors = torch.cat([network.features(batch)[1].double() for batch in batches])
    mean = vectors.mean(0)
    variances, axes = torch.linalg.eigh(torch.cov(vectors.T))
    scales = (variances + MIN_VARIANCE * variances[-1]).clamp(min=1e-12).pow(-POWER / 2)
    matrix = axes @ torch.diag(scales / scales.mean()) @ axes.T
    result = copy.deepcopy(network)
    neck = result.bn
    running_mean, running_var = neck.running_mean, neck.running_var
    assert running_mean is not None
    assert running_var is not None
    factor = neck.weight.double() / (running_var.double() + neck.eps).sqrt()
    offset = neck.bias.double() - running_mean.double() * factor
    result.embed.weight.copy_(matrix @ (factor[:, None] * result.embed.weight.double()))
    running_mean.copy_(-(matrix @ (offset - mean)))
    running_var.fill_(1 - neck.eps)
    neck.weight.fill_(1)
    neck.bias.zero_()
    return result
