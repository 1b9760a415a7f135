"""Changes pooling and last layer of trained weights by what crops of other places show, without a training."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from reid_model.network import SiameseNetwork

__all__ = ["adapted", "whitened"]

WHITENING = 0.5
"""How far `whitened` makes all variances equal: 0 not at all, 1 wholly."""
EVENING = 0.25
"""How far `adapted` makes the variances within persons equal."""
MIN_VARIANCE = 1e-4
"""Share of the largest variance that `whitened` adds to all."""
MIN_VARIANCE_WITHIN = 0.1
"""Share of the mean variance that `adapted` adds to all."""


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
    vectors = _embedded(network, batches)
    variances, axes = torch.linalg.eigh(torch.cov(vectors.T))
    matrix = _evening(variances + MIN_VARIANCE * variances[-1], axes, WHITENING)
    result = copy.deepcopy(network)
    _map_last_layer(result, matrix, vectors.mean(0))
    return result


@torch.no_grad()
def adapted(
    network: SiameseNetwork,
    places: Sequence[Iterable[Tensor]],
    people: Iterable[tuple[Tensor, Tensor]] = (),
    *,
    exponent: float | None = None,
    edge_weight: float | None = None,
) -> SiameseNetwork:
    """Return the network centred on other places, blunted for what changes within a person.

    What the places have in common is taken out, each place counting alike, and the directions in which
    the pictures of one person differ most count less, each person counting alike. As with
    `whitened`, it costs nothing at run time.

    Args:
        network: In evaluation mode; not changed.
        places: Batches of each place, ``(N, 3, H, W)`` normalised RGB; none = the centre stays.
        people: Batches, and the ``(N,)`` numbers of the persons on them; none = directions stay.
        exponent: Of the generalised mean from now on; ``None`` = as learned. Higher ones let the
            strongest places of a crop decide.
        edge_weight: Of the pooling from now on, as in `Architecture`; ``None`` = as before.

    Source:
        Within-class covariance normalisation: Hatch, Kajarekar and Stolcke, "Within-Class Covariance
        Normalization for SVM-based Speaker Recognition", Interspeech 2006.
    """
    result = copy.deepcopy(network)
    if exponent is not None:
        result.p.fill_(exponent)
    if edge_weight is not None:
        result.architecture = result.architecture.model_copy(update={"edge_weight": edge_weight})
    size = result.architecture.embedding_dim
    centre, matrix = torch.zeros(size, dtype=torch.float64), torch.eye(size, dtype=torch.float64)
    if places:
        centre = torch.stack([_embedded(result, place).mean(0) for place in places]).mean(0)
    known = [(_embedded(result, [batch]), labels) for batch, labels in people]
    if known:
        within = _within(torch.cat([each for each, _ in known]), torch.cat([n for _, n in known]))
        variances, axes = torch.linalg.eigh(within)
        matrix = _evening(variances + MIN_VARIANCE_WITHIN * variances.mean(), axes, EVENING)
    _map_last_layer(result, matrix, centre)
    return result


def _embedded(network: SiameseNetwork, batches: Iterable[Tensor]) -> Tensor:
    """Return ``(N, D)`` embeddings behind the neck, in double precision."""
    return torch.cat([network.features(batch)[1].double() for batch in batches])


def _within(vectors: Tensor, labels: Tensor) -> Tensor:
    """Return the ``(D, D)`` mean over persons, all seen twice, of the covariance of their vectors."""
    rows, counts = torch.unique(labels, return_inverse=True, return_counts=True)[1:]
    means = vectors.new_zeros(len(counts), vectors.shape[1]).index_add_(0, rows, vectors)
    apart = (vectors - (means / counts[:, None])[rows]) / (counts[rows, None] - 1).sqrt()
    covariance: Tensor = apart.T @ apart / len(counts)
    return covariance


def _evening(variances: Tensor, axes: Tensor, power: float) -> Tensor:
    """Return the ``(D, D)`` map that makes variances more equal and keeps their overall size."""
    scales = variances.clamp(min=1e-12).pow(-power / 2)
    matrix: Tensor = axes @ torch.diag(scales / scales.mean()) @ axes.T
    return matrix


def _map_last_layer(network: SiameseNetwork, matrix: Tensor, centre: Tensor) -> None:
    """Make embeddings behind the neck what ``matrix @ (embedding - centre)`` was."""
    neck = network.bn
    running_mean, running_var = neck.running_mean, neck.running_var
    assert running_mean is not None
    assert running_var is not None
    factor = neck.weight.double() / (running_var.double() + neck.eps).sqrt()
    offset = neck.bias.double() - running_mean.double() * factor
    network.embed.weight.copy_(matrix @ (factor[:, None] * network.embed.weight.double()))
    running_mean.copy_(-(matrix @ (offset - centre)))
    running_var.fill_(1 - neck.eps)
    neck.weight.fill_(1)
    neck.bias.zero_()
