"""Decoded images, kept in memory: decoding again in every epoch would cost more than training."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from reid_model.errors import DatasetError
from reid_model.files import special_kind, way_out
from reid_model.preprocess import resized

__all__ = ["read_crop", "read_pixels"]

FORMATS = ("JPEG", "PNG", "BMP", "WEBP")
"""Of Pillow."""
MAX_PIXELS = 120_000_000
"""Phones take 108 million; more in one file is a mistake or a decompression bomb."""
Image.MAX_IMAGE_PIXELS = None  # the limit above counts, which is an error, not a warning


def read_crop(path: Path) -> NDArray[np.uint8]:
    """Return a picture as ``(H, W, 3)`` uint8 BGR, upright as its EXIF orientation says.

    This is the one reader of pictures that users give. Grey, 16 bit, CMYK and palettes become
    BGR with 8 bit; what is transparent keeps its colour.

    Raises:
        DatasetError: It is missing, no regular file, no picture, not whole, or larger than
            ``MAX_PIXELS``.
    """
    try:
        if kind := special_kind(path):
            raise DatasetError(f"image {path} is {kind}, no file: name a picture")
        with Image.open(path, formats=FORMATS) as picture:
            width, height = picture.size
            if width * height > MAX_PIXELS:
                raise DatasetError(
                    f"image {path} is {width}x{height}: at most {MAX_PIXELS:,} pixels are read; "
                    "scale it down"
                )
            picture.load()
            return _upright_bgr(picture)
    except UnidentifiedImageError:
        raise DatasetError(
            f"image {path} cannot be decoded: it is damaged or no JPEG, PNG, BMP or WebP"
        ) from None
    except FileNotFoundError:
        raise DatasetError(f"image {path} does not exist: check the path") from None
    except DatasetError:
        raise
    # A decoder raises whatever the damage leads to; half a file is an `OSError` without a number.
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            problem = f"cannot be read ({error.strerror}): {way_out(error)}"
        else:
            problem = f"is damaged or not whole ({error}): copy it again or leave it out"
        raise DatasetError(f"image {path} {' '.join(problem.split())}") from None


def _upright_bgr(picture: Image.Image) -> NDArray[np.uint8]:
    """Return a loaded picture, which is turned itself: one of 120 million pixels is half a GB."""
    ImageOps.exif_transpose(picture, in_place=True)
    if picture.mode.startswith("I"):  # 16 bit of grey, which Pillow would cut off at 255
        grey = (np.asarray(picture) >> 8).clip(0, 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    rgb = picture if picture.mode == "RGB" else picture.convert("RGB")
    return np.ascontiguousarray(np.asarray(rgb, np.uint8)[..., ::-1])


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
