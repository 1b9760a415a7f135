"""Embeddings of many images by a torch network, for training and evaluation."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from reid_model.architecture import Architecture
from reid_model.network import SiameseNetwork

__all__ = ["embed_pixels", "network_input"]

BATCH = 64
"""Images in one forward pass."""


def network_input(images: torch.Tensor, architecture: Architecture) -> torch.Tensor:
    """Return ``(N, 3, H, W)`` normalised RGB, channels last, of ``(N, H, W, 3)`` uint8 BGR."""
    options = {"dtype": torch.float32, "device": images.device}
    mean = torch.tensor(architecture.mean, **options)  # type: ignore[arg-type]
    std = torch.tensor(architecture.std, **options)  # type: ignore[arg-type]
    scaled = (images.flip(-1).float() / 255 - mean) / std
    # The permuted view of NHWC memory already is channels last.
    return scaled.permute(0, 3, 1, 2)


@torch.inference_mode()
def embed_pixels(
    network: SiameseNetwork,
    pixels: NDArray[np.uint8],
    *,
    flip: bool = False,
) -> NDArray[np.float32]:
    """Return ``(N, D)`` unit embeddings of ``(N, H, W, 3)`` uint8 BGR images.

    Args:
        network: In evaluation mode, on any device.
        pixels: Of the network's input size.
        flip: Add the mirrored image's embedding.
    """
    device = next(network.parameters()).device
    vectors = []
    for start in range(0, len(pixels), BATCH):
        part = torch.from_numpy(pixels[start : start + BATCH]).to(device)
        images = network_input(part, network.architecture)
        embedded = network(images)
        if flip:
            embedded = functional.normalize(embedded + network(images.flip(-1)))
        vectors.append(embedded.float().cpu().numpy())
    if not vectors:
        return np.zeros((0, network.architecture.embedding_dim), np.float32)
    return np.concatenate(vectors)
