"""Tracks of one camera and the persons they may be, decided jointly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from pipeline.datatypes import FloatArray

__all__ = ["assign"]

COST_STEPS = 1 << 20
"""Similarities are compared as integers, so that rounding cannot change a decision."""
FORBIDDEN = COST_STEPS * 16
"""Cost of a pair that must not be; more than all allowed ones together could save."""


def assign(
    similarity: FloatArray, allowed: NDArray[np.bool_], *, threshold: float
) -> list[int | None]:
    """Return the column of each row, each column at most once, ``None`` for nobody.

    The sum of similarities above the threshold is the greatest possible. Among equals the
    smaller columns go to the smaller rows.

    Args:
        similarity: ``(N, M)`` tracks by persons.
        allowed: ``(N, M)`` whether the constraints allow the pair.
        threshold: Minimum similarity of a pair.
    """
    rows, columns = similarity.shape
    cost = np.rint((threshold - similarity.astype(np.float64)) * COST_STEPS).astype(np.int64)
    cost[(cost > 0) | ~allowed] = FORBIDDEN
    nobody = np.full((rows, rows), FORBIDDEN, np.int64)
    np.fill_diagonal(nobody, 1)
    chosen: list[int | None] = [None] * rows
    pairs = zip(*linear_sum_assignment(np.concatenate([cost, nobody], axis=1)), strict=True)
    for row, column in pairs:
        if column < columns:
            chosen[row] = int(column)
    return chosen
