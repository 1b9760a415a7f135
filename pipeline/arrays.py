"""Types of arrays, and a check of their shape."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["FloatArray", "Image", "IntArray", "are_embeddings", "require_shape"]

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]
Image = NDArray[np.uint8]


MAX_LENGTH = 1.01
"""Of an embedding, which has length 1 but for rounding."""


def are_embeddings(vectors: FloatArray) -> NDArray[np.bool_]:
    """Return which rows of ``(N, D)`` are unit vectors or zeros: finite, and not longer than 1."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(np.linalg.norm(vectors, axis=1) <= MAX_LENGTH)


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
