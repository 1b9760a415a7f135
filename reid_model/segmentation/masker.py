"""Masks of crops, and crops without their background."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from reid_model.architecture import Architecture
from reid_model.evaluation.embedding import network_input
from reid_model.preprocess import resized
from reid_model.segmentation.network import default_segmenter, load_segmenter

__all__ = ["PersonMasker", "on_background", "without_background"]

Image = NDArray[np.uint8]
Mask = NDArray[np.bool_]

MIN_SHARE = 0.08
"""A mask smaller than this share of the crop is a failure: the crop is then left as it is."""
FILL = (103, 116, 124)
"""ImageNet's mean colour, BGR: what the network takes for nothing at all."""


class PersonMasker:
    """Says which pixels of a crop are the person.

    The mask of a crop never depends on other crops of the call.

    Args:
        weights: Of the encoder-decoder; ``None`` takes the package's own.

    Raises:
        WeightsError: The weights cannot be used.
        BackendError: A package is missing.
    """

    def __init__(self, weights: Path | None = None) -> None:
        segmenter = load_segmenter(default_segmenter() if weights is None else weights)
        self._network = segmenter.network.to(memory_format=torch.channels_last)
        self._size = segmenter.input_size

    @torch.inference_mode()
    def masks(self, crops: Sequence[Image]) -> list[Mask]:
        """Return ``(H, W)`` masks for ``(H, W, 3)`` uint8 BGR crops of any size."""
        found = []
        for crop in crops:
            small = np.ascontiguousarray(resized(crop, self._size)[None])
            images = network_input(torch.from_numpy(small), Architecture())
            logits = self._network(images)[0, 0].numpy()
            found.append(cv2.resize(logits, (crop.shape[1], crop.shape[0])) > 0)
        return found

    def masked(self, crops: Sequence[Image]) -> list[Image]:
        """Return crops whose background is one neutral colour."""
        masks = self.masks(crops)
        return [without_background(crop, mask) for crop, mask in zip(crops, masks, strict=True)]


def without_background(crop: Image, mask: Mask) -> Image:
    """Return a crop with a neutral colour outside its mask; itself if the mask is too small."""
    if mask.mean() < MIN_SHARE:
        return crop
    return np.where(mask[..., None], crop, np.array(FILL, np.uint8))


def on_background(crop: Image, mask: Mask, other: Image, other_mask: Mask) -> Image:
    """Return the person of a crop in front of another crop's background.

    Where the other person stood, the background around is filled in.
    """
    size = crop.shape[1], crop.shape[0]
    scene = cv2.resize(other, size)
    hole = cv2.resize(other_mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    hole = cv2.dilate(hole, np.ones((5, 5), np.uint8))
    filled = cv2.inpaint(scene, hole, 3, cv2.INPAINT_TELEA)
    return np.where(mask[..., None], crop, np.asarray(filled, np.uint8))
