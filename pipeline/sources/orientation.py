"""Turning pictures the way a player would show them."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from pipeline.datatypes import Image

__all__ = ["Matrix", "display_matrix", "shown_size", "square_pixels", "upright", "usable_aspect"]

Matrix = tuple[int, int, int, int]
"""``(a, b, c, d)``: a stored point ``(x, y)`` is shown at ``(a x + c y, b x + d y)``."""

MAX_ASPECT = 4.0
"""Widest pixel, and tallest, that a camera has; other values are damage."""
SQUARE = 0.01
"""Pixels that differ from squares by less are left as they are."""


def display_matrix(frame: Any) -> Matrix | None:
    """Return how a decoded frame is to be shown, ``None`` where it is stored upright.

    Source: libavutil's ``display.h``: nine native 32-bit integers, row by row, that a row
    vector of the stored point is multiplied with; phones write one to say how they were held.
    """
    stored = frame.side_data.get("DISPLAYMATRIX")
    if stored is None:
        return None
    a, b, _, c, d, *_ = np.frombuffer(bytes(stored), np.int32).tolist()
    # Scale does not matter here, only which axis goes where, and which way round.
    return None if a > 0 and d > 0 and b == c == 0 else (a, b, c, d)


def usable_aspect(stated: Any) -> float | None:
    """Return the width of a pixel over its height; ``None`` for one that cannot be.

    Args:
        stated: Sample aspect ratio as the stream has it; none and zero are unknown, taken as 1.
    """
    if not stated:
        return 1.0
    aspect = float(stated)
    if not 1 / MAX_ASPECT <= aspect <= MAX_ASPECT:
        return None
    return 1.0 if abs(aspect - 1) < SQUARE else aspect


def shown_size(
    width: int, height: int, matrix: Matrix | None, aspect: float = 1.0
) -> tuple[int, int]:
    """Return the ``(width, height)`` at which a frame of the given stored size is shown.

    Its pixels become squares by stretching their shorter side, so that no detail is lost.
    """
    if aspect > 1:
        width = round(width * aspect)
    elif aspect < 1:
        height = round(height / aspect)
    return (height, width) if _swaps_axes(matrix) else (width, height)


def square_pixels(image: Image, aspect: float) -> Image:
    """Return the image with square pixels, as ``shown_size`` says."""
    size = shown_size(image.shape[1], image.shape[0], None, aspect)
    if size == (image.shape[1], image.shape[0]):
        return image
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def upright(image: Image, matrix: Matrix | None) -> Image:
    """Return the image turned by quarter turns and mirrored as the matrix says.

    Turns that are no multiple of 90 degrees are rounded to the nearest one.
    """
    if matrix is None:
        return image
    a, b, c, d = matrix
    swaps = _swaps_axes(matrix)
    turned = cv2.transpose(image) if swaps else image
    mirror_x, mirror_y = (c < 0, b < 0) if swaps else (a < 0, d < 0)
    if mirror_x or mirror_y:
        turned = cv2.flip(turned, -1 if mirror_x and mirror_y else int(mirror_x))
    return np.asarray(turned, np.uint8)


def _swaps_axes(matrix: Matrix | None) -> bool:
    return matrix is not None and abs(matrix[1]) > abs(matrix[0])
