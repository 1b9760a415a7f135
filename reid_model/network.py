"""The Siamese network: branches with one set of weights, an embedding per image."""

from __future__ import annotations

from typing import Any

import timm
import torch
from torch import Tensor, nn
from torch.nn import functional

from reid_model.architecture import Architecture
from reid_model.errors import WeightsError

__all__ = ["SiameseNetwork"]

CLAMP = 1e-6
"""Minimum activation that generalised-mean pooling sees; its power must exist."""
EPSILON = 1e-5
"""Added to variances before they divide."""
EARLY_STAGE = 1
"""Which of timm's feature stages has a quarter of the input's resolution."""


class SiameseNetwork(nn.Module):
    """An EfficientNet with generalised-mean pooling and a batch-norm neck.

    A pair or a triplet goes through one and the same branch: the weights are shared by
    construction, and the images of all branches share one batch.

    Args:
        architecture: Shape of the network.
        pretrained: Start from timm's ImageNet weights (needs the internet once).

    Raises:
        WeightsError: The backbone is unknown, or its weights cannot be fetched.

    Source:
        Pooling: Radenovic et al., "Fine-tuning CNN Image Retrieval with No Human Annotation",
        TPAMI 2019. Neck and last stride: Luo et al., "Bag of Tricks and a Strong Baseline for
        Deep Person Re-identification", CVPRW 2019. Instance normalisation: Zhou et al., "Learning
        Generalisable Omni-Scale Representations for Person Re-Identification", TPAMI 2021.
    """

    def __init__(self, architecture: Architecture, *, pretrained: bool = False) -> None:
        super().__init__()
        self.architecture = architecture
        self.backbone = _backbone(architecture, pretrained=pretrained)
        self.p = nn.Parameter(torch.tensor(3.0))
        features: int = self.backbone.num_features
        self.embed = nn.Linear(features, architecture.embedding_dim, bias=False)
        self.bn = nn.BatchNorm1d(architecture.embedding_dim)
        self.bn.bias.requires_grad_(False)  # the neck must not shift the hypersphere's centre

    def features(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return the embedding before and after the neck, neither of unit length.

        Args:
            images: ``(N, 3, H, W)`` float, normalised RGB.

        Returns:
            Two ``(N, D)`` tensors: metric losses work on the first, identity losses on the
            second.
        """
        pooled = self._pool(self.backbone(self._standardised(images)))
        before = self.embed(pooled)
        return before, self.bn(before)

    def features_and_map(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return what `features` does, and the ``(N, C, H / 4, W / 4)`` map of an early stage."""
        final, (early,) = self.backbone.forward_intermediates(
            self._standardised(images), indices=[EARLY_STAGE]
        )
        before = self.embed(self._pool(final))
        return before, self.bn(before), early

    def forward(self, images: Tensor) -> Tensor:
        """Return ``(N, D)`` unit embeddings of ``(N, 3, H, W)`` normalised RGB images."""
        _, after = self.features(images)
        return functional.normalize(after)

    def _standardised(self, images: Tensor) -> Tensor:
        """Return images whose channels have mean 0 and deviation 1, each image by itself."""
        if not self.architecture.instance_norm:
            return images
        return functional.instance_norm(images.float(), eps=EPSILON).to(images.dtype)

    def _pool(self, maps: Tensor) -> Tensor:
        """Return ``(N, C)``: the generalised mean over the positions of ``(N, C, H, W)``."""
        p = self.p.float()
        powers = maps.float().clamp(min=CLAMP).pow(p)  # beyond what half precision can hold
        mean = _weighted_mean(powers, edge=self.architecture.edge_weight)
        return mean.pow(1.0 / p).to(maps.dtype)


class _InstanceNormAct(nn.Module):
    """What takes the place of timm's batch norm and activation behind the stem's convolution."""

    def __init__(self, batch_norm: Any) -> None:
        super().__init__()
        self.norm = nn.InstanceNorm2d(batch_norm.num_features, eps=EPSILON, affine=True)
        self.act: nn.Module = batch_norm.act
        with torch.no_grad():
            self.norm.weight.copy_(batch_norm.weight)
            self.norm.bias.copy_(batch_norm.bias)

    def forward(self, maps: Tensor) -> Tensor:
        # In single precision, whatever the layers around it compute in.
        weight, bias = self.norm.weight.float(), self.norm.bias.float()
        normed = functional.instance_norm(maps.float(), weight=weight, bias=bias, eps=EPSILON)
        normalised: Tensor = self.act(normed).to(maps.dtype)
        return normalised


def _weighted_mean(maps: Tensor, *, edge: float) -> Tensor:
    """Return ``(N, C)``: the mean of ``(N, C, H, W)`` whose cells at the edge weigh ``edge``, others 1."""

    def total(cells: Tensor) -> Tensor:
        inside = cells[:, :, 1:-1, 1:-1]
        return edge * cells.sum(dim=(2, 3)) + (1 - edge) * inside.sum(dim=(2, 3))

    return total(maps) / total(torch.ones_like(maps[:1, :1]))


def _backbone(architecture: Architecture, *, pretrained: bool) -> Any:
    name = architecture.backbone
    if "efficientnet" not in name or name not in timm.list_models():
        raise WeightsError(
            f"backbone {name!r} is no EfficientNet that timm knows; try efficientnet_b0"
        )
    try:
        backbone = timm.create_model(name, pretrained=pretrained, num_classes=0, global_pool="")
    except Exception as error:  # the hub's client raises errors of several libraries
        reason = " ".join(str(error).split())[:200]
        raise WeightsError(
            f"pretrained weights of {name} cannot be fetched ({reason}): "
            "connect to the internet once, or train from scratch or from --init"
        ) from error
    if architecture.last_stride == 1:
        _undo_last_reduction(backbone)
    if architecture.instance_norm:
        backbone.bn1 = _InstanceNormAct(backbone.bn1)
    return backbone


def _undo_last_reduction(backbone: Any) -> None:
    """Set the stride of the last strided convolution to 1; its kernel stays as it is."""
    strided = [
        module
        for stage in backbone.blocks
        for block in stage
        for module in block.modules()
        if isinstance(module, nn.Conv2d) and module.stride == (2, 2)
    ]
    strided[-1].stride = (1, 1)
