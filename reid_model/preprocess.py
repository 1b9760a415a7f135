"""From a crop to the network's input, the same in training, evaluation and the pipeline."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from reid_model.architecture import Architecture

__all__ = ["normalised", "resized"]


def resized(crop: NDArray[np.uint8], input_size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return a BGR crop scaled to ``(height, width)``, its proportions given up."""
    height, width = input_size
    if crop.shape[:2] == (height, width):
        return crop
    shrinks = crop.shape[0] > height and crop.shape[1] > width
    # Averaging over areas keeps stripes and checks from turning into false patterns.
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    scaled: NDArray[np.uint8] = cv2.resize(crop, (width, height), interpolation=method)
    return scaled


def normalised(images: NDArray[np.uint8], architecture: Architecture) -> NDArray[np.float32]:
    """Return ``(N, 3, H, W)`` float32 RGB input for ``(N, H, W, 3)`` uint8 BGR images."""
    mean = np.array(architecture.mean, np.float32)
    std = np.array(architecture.std, np.float32)
    scaled = (images[..., ::-1].astype(np.float32) / np.float32(255) - mean) / std
    return np.ascontiguousarray(scaled.transpose(0, 3, 1, 2), dtype=np.float32)
