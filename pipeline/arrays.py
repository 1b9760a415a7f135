"""Types of arrays, and a check of their shape."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["FloatArray", "Image", "IntArray", "require_shape"]

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]
Image = NDArray[np.uint8]


def require_shape(owner: str, field: str, array: NDArray[Any], expected: tuple[Any, ...]) -> None:
    """Raise ``ValueError`` unless an array has the expected shape.

    Args:
        owner: Class that holds the array, for the message.
        field: Its name there.
        array: Of any type.
        expected: Size of each axis; ``None`` matches any.
    """
    shape = array.shape
    fits = len(shape) == len(expected) and all(
        want is None or want == got for want, got in zip(expected, shape, strict=True)
    )
    if not fits:
        wanted = tuple("any" if size is None else size for size in expected)
        raise ValueError(f"{owner}.{field}: expected shape {wanted}, got {shape}")
