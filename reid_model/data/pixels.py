"""Decoded images, kept in memory: decoding again in every epoch would cost more than training."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from reid_model.errors import DatasetError
from reid_model.preprocess import resized

__all__ = ["read_crop", "read_pixels"]


def read_crop(path: Path) -> NDArray[np.uint8]:
    """Return an image as ``(H, W, 3)`` uint8 BGR.

    Raises:
        DatasetError: It is missing or no image.
    """
    try:
        encoded = np.fromfile(path, np.uint8)
    except OSError as error:
        raise DatasetError(f"image {path} cannot be read: {error.strerror}") from None
    image = cv2.imdecode(encoded, cv2.IMREAD_COLOR) if encoded.size else None
    if image is None:
        raise DatasetError(f"image {path} cannot be decoded: it is damaged or no image")
    pixels: NDArray[np.uint8] = image
    return pixels


def read_pixels(paths: Iterable[Path], input_size: tuple[int, int]) -> NDArray[np.uint8]:
    """Decode images and scale them to ``(height, width)``.

    Returns:
        ``(N, height, width, 3)`` uint8 BGR, in order.

    Raises:
        DatasetError: An image is missing or damaged; the message names it.
    """
    with ThreadPoolExecutor() as pool:
        scaled = list(pool.map(lambda path: resized(read_crop(path), input_size), paths))
    return np.stack(scaled) if scaled else np.zeros((0, *input_size, 3), np.uint8)
