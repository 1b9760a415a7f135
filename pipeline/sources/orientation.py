"""Turning pictures the way a player would show them."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from pipeline.datatypes import Image

__all__ = ["display_matrix", "shown_size", "upright"]

Matrix = tuple[int, int, int, int]
"""``(a, b, c, d)``: a stored point ``(x, y)`` is shown at ``(a x + c y, b x + d y)``."""


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


def shown_size(width: int, height: int, matrix: Matrix | None) -> tuple[int, int]:
    """Return the ``(width, height)`` at which a frame of the given stored size is shown."""
    return (height, width) if _swaps_axes(matrix) else (width, height)


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
