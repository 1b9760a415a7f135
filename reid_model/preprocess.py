"""From a crop to the network's input, the same in training, evaluation and the pipeline."""

from __future__ import annotations

from typing import Annotated, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Channels", "Preprocessing", "normalised", "resized"]

Channels = tuple[float, float, float]
Deviation = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Preprocessing(BaseModel):
    """What a network's input is made of."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    input_height: Annotated[int, Field(ge=8, le=2048)]
    """Height that crops are scaled to, pixels."""
    input_width: Annotated[int, Field(ge=8, le=2048)]
    """Width that crops are scaled to, pixels."""
    colour: Literal["rgb", "bgr"]
    """Order of the channels."""
    scale: Deviation
    """Pixel values, 0 to 255, are divided by this first: 255, or 1 to leave them as they are."""
    mean: Channels
    """Subtracted from the channels after that, in their order."""
    std: tuple[Deviation, Deviation, Deviation]
    """Divides the channels after that."""

    @property
    def input_size(self) -> tuple[int, int]:
        """Return ``(height, width)`` of the input, pixels."""
        return self.input_height, self.input_width


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


def normalised(images: NDArray[np.uint8], steps: Preprocessing) -> NDArray[np.float32]:
    """Return ``(N, 3, H, W)`` float32 input for ``(N, H, W, 3)`` uint8 BGR images."""
    mean = np.array(steps.mean, np.float32)
    std = np.array(steps.std, np.float32)
    ordered = images[..., ::-1] if steps.colour == "rgb" else images
    scaled = (ordered.astype(np.float32) / np.float32(steps.scale) - mean) / std
    return np.ascontiguousarray(scaled.transpose(0, 3, 1, 2), dtype=np.float32)
