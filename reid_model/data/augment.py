"""Random changes of training images; everything works on one uint8 image at a time.

All of it is OpenCV and NumPy on bytes: on a CPU the network should have the cores.
"""

from __future__ import annotations

from typing import Annotated

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Augmentation", "augmented"]

Image = NDArray[np.uint8]
Chance = Annotated[float, Field(ge=0, le=1)]
Amount = Annotated[float, Field(ge=0, le=1)]


class Augmentation(BaseModel):
    """How likely and how strong each change is."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    flip: Chance = 0.5
    """Chance of a mirrored image."""
    crop: Chance = 0.8
    """Chance of a shifted image: padded with its mirrored border, then cut back to size."""
    crop_pad: Amount = 0.08
    """Largest shift, as a share of the height and of the width."""
    rotation: Chance = 0.0
    """Chance of a rotation."""
    rotation_degrees: Annotated[float, Field(ge=0, le=180)] = 8.0
    """Largest rotation, either way."""
    colour: Chance = 0.6
    """Chance of other brightness, contrast, colour balance and saturation."""
    colour_strength: Amount = 0.25
    """Largest relative change of brightness and contrast; half of it for colour balance."""
    grey: Chance = 0.0
    """Chance of a grey image."""
    erase: Chance = 0.0
    """Chance of a rectangle of noise."""
    occlude: Chance = 0.0
    """Chance of a pasted part of another image, as if somebody stood in front."""
    patch_area: tuple[float, float] = (0.03, 0.25)
    """Minimum and largest area of an erased or pasted rectangle, share of the image."""


def augmented(
    image: Image, settings: Augmentation, rng: np.random.Generator, *, other: Image
) -> Image:
    """Return a changed copy of an image.

    Args:
        image: ``(H, W, 3)`` uint8 BGR, left as it is.
        settings: What may happen.
        rng: Decides what does.
        other: An image of the same size, of somebody else, that occluders are cut from.
    """
    result = image
    if rng.random() < settings.flip:
        result = result[:, ::-1]
    if rng.random() < settings.crop:
        result = _shifted(result, settings.crop_pad, rng)
    if rng.random() < settings.rotation:
        result = _rotated(result, settings.rotation_degrees, rng)
    if rng.random() < settings.colour:
        result = _recoloured(result, settings.colour_strength, rng)
    if rng.random() < settings.grey:
        result = np.repeat(cv2.cvtColor(_dense(result), cv2.COLOR_BGR2GRAY)[..., None], 3, axis=2)
    result = np.array(result, np.uint8, copy=True, order="C")
    if rng.random() < settings.erase:
        rows, columns = _patch(result.shape[:2], settings.patch_area, rng)
        hole = result[rows, columns]
        hole[:] = rng.integers(0, 256, hole.shape, np.uint8)
    if rng.random() < settings.occlude:
        rows, columns = _patch(result.shape[:2], settings.patch_area, rng)
        result[rows, columns] = other[rows, columns]
    return result


def _dense(image: Image) -> Image:
    return np.ascontiguousarray(image)


def _shifted(image: Image, share: float, rng: np.random.Generator) -> Image:
    height, width = image.shape[:2]
    pad_y, pad_x = round(height * share), round(width * share)
    padded = cv2.copyMakeBorder(_dense(image), pad_y, pad_y, pad_x, pad_x, cv2.BORDER_REFLECT_101)
    top, left = rng.integers(0, 2 * pad_y + 1), rng.integers(0, 2 * pad_x + 1)
    shifted: Image = padded[top : top + height, left : left + width]
    return shifted


def _rotated(image: Image, degrees: float, rng: np.random.Generator) -> Image:
    height, width = image.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), rng.uniform(-degrees, degrees), 1.0)
    rotated: Image = cv2.warpAffine(
        _dense(image), turn, (width, height), borderMode=cv2.BORDER_REFLECT_101
    )
    return rotated


def _recoloured(image: Image, strength: float, rng: np.random.Generator) -> Image:
    """Change gain and offset per channel through one table look-up, then the saturation."""
    gain = rng.uniform(1 - strength, 1 + strength)
    offset = 255 * rng.uniform(-strength, strength) / 3
    balance = rng.uniform(1 - strength / 2, 1 + strength / 2, 3)
    levels = np.arange(256)[:, None] * (gain * balance) + offset
    table = np.clip(levels, 0, 255).astype(np.uint8)[None]
    result: Image = cv2.LUT(_dense(image), table)
    if rng.random() < 0.5:
        grey = cv2.cvtColor(cv2.cvtColor(result, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
        saturation = rng.uniform(1 - 1.5 * strength, 1 + strength)
        result = cv2.addWeighted(result, saturation, grey, 1 - saturation, 0)
    return result


def _patch(
    size: tuple[int, int], area: tuple[float, float], rng: np.random.Generator
) -> tuple[slice, slice]:
    """Return the rows and columns of a random rectangle inside ``(height, width)``."""
    height, width = size
    pixels = rng.uniform(*area) * height * width
    ratio = np.exp(rng.uniform(np.log(0.4), np.log(2.5)))
    rows = int(np.clip(np.sqrt(pixels * ratio), 1, height))
    columns = int(np.clip(np.sqrt(pixels / ratio), 1, width))
    top, left = rng.integers(0, height - rows + 1), rng.integers(0, width - columns + 1)
    return slice(top, top + rows), slice(left, left + columns)
