"""Multi-layer similarity: an early stage's maps have to agree for one person, too."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["StageSimilarityLoss", "patch_correlation"]


class StageSimilarityLoss(nn.Module):
    """Hinge on the local correlation of early maps: positives above negatives by a margin.

    Every image is compared with the next one of its identity and with one of another.

    Args:
        margin: By how much positives should correlate more.
        window: Rows and columns that a position may move, either way.

    Source:
        Shen et al., "Multi-level Similarity Perception Network for Person Re-identification",
        ACM TOMM 2019 (first at ACM MM 2017).
    """

    def __init__(self, *, margin: float = 0.2, window: int = 2) -> None:
        super().__init__()
        self._margin = margin
        self._window = window

    def forward(self, maps: Tensor, labels: Tensor) -> Tensor:
        """Return the mean hinge over ``(N, C, H, W)`` maps with ``(N,)`` labels."""
        partner = _partners(labels)
        anchors = (partner >= 0).all(dim=1).nonzero().squeeze(1)
        if not len(anchors):
            return maps.sum() * 0
        positive, negative = partner[anchors].unbind(1)
        own = maps[anchors]
        same = patch_correlation(own, maps[positive], window=self._window)
        different = patch_correlation(own, maps[negative], window=self._window)
        return functional.relu(self._margin - same + different).mean()


def patch_correlation(one: Tensor, other: Tensor, *, window: int) -> Tensor:
    """Return ``(N,)`` mean best normalised correlations of two stacks of maps.

    Each position's channel vector is centred and made unit length; it is compared with those
    of the other map at most ``window`` rows and columns away, and the best counts.

    Args:
        one: ``(N, C, H, W)``.
        other: The same shape.
        window: In positions, at least 0.
    """
    first, second = _unit_channels(one), _unit_channels(other)
    height, width = one.shape[2:]
    padded = functional.pad(second, (window, window, window, window))
    shifts = range(2 * window + 1)
    candidates = [
        (first * padded[:, :, dy : dy + height, dx : dx + width]).sum(dim=1)
        for dy in shifts
        for dx in shifts
    ]
    best = torch.stack(candidates).amax(dim=0)
    return best.mean(dim=(1, 2))


def _unit_channels(maps: Tensor) -> Tensor:
    return functional.normalize(maps - maps.mean(dim=1, keepdim=True), dim=1)


def _partners(labels: Tensor) -> Tensor:
    """Return ``(N, 2)``: the next image of the same label and of another, cyclic, -1 = none."""
    count = len(labels)
    places = torch.arange(count, device=labels.device)
    distance = (places[None] - places[:, None] - 1) % count
    same = labels[None] == labels[:, None]
    itself = torch.eye(count, dtype=torch.bool, device=labels.device)
    columns = []
    for wanted in (same & ~itself, ~same):
        ranked = distance.masked_fill(~wanted, count)
        least, place = ranked.min(dim=1)
        columns.append(place.masked_fill(least == count, -1))
    return torch.stack(columns, dim=1)
