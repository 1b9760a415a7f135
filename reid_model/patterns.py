"""Made-up crops, to look at what a network gives without pictures of people."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["pattern_crops"]


def pattern_crops(count: int, *, seed: int = 0) -> list[NDArray[np.uint8]]:
    """Return crops of smooth colours with edges, as different as pictures of people are."""
    rng = np.random.default_rng(seed)
    crops = []
    for _ in range(count):
        height = int(rng.integers(60, 320))
        width = max(24, round(height * rng.uniform(0.3, 0.6)))
        coarse = rng.integers(0, 256, (rng.integers(3, 12), rng.integers(2, 6), 3), np.uint8)
        smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
        cut = int(rng.integers(height // 4, 3 * height // 4))
        smooth[cut:] = smooth[cut:] // 2 + rng.integers(0, 128, 3, np.uint8)
        noise = rng.normal(0, 6, smooth.shape)
        crops.append(np.clip(smooth + noise, 0, 255).astype(np.uint8))
    return crops
