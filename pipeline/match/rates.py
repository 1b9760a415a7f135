"""Error rates over the threshold, and how sure they are.

Source: ISO/IEC 19795-1 for the rates; Bolle, Ratha, Pankanti, "Error analysis of pattern
recognition systems: the subsets bootstrap" (2004), for drawing persons instead of pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import NDArray

from pipeline.datatypes import FloatArray, IntArray

__all__ = ["ACROSS", "GENUINE", "WITHIN", "RatePoint", "rate_curve"]

GENUINE, WITHIN, ACROSS = range(3)
"""Kinds of pairs: one person; two of one place; two of two places."""
GRID = np.round(np.arange(-0.2, 1.0001, 0.01), 2)
BOOTSTRAPS = 200


@dataclass(frozen=True, slots=True)
class RatePoint:
    """The error rates at one threshold.

    Attributes:
        threshold: Cosine similarity.
        fmr: Share of impostor pairs at or above it, of those within places or across them, where
            it is higher.
        fnmr: Share of genuine pairs below it; not a number where it was not stored.
        fnmr_low: Lower end of its 95% interval over persons.
        fnmr_high: Upper end.
    """

    threshold: float
    fmr: float
    fnmr: float = nan
    fnmr_low: float = nan
    fnmr_high: float = nan


def rate_curve(cosine: FloatArray, kind: IntArray, person: IntArray) -> tuple[RatePoint, ...]:
    """Return the rates over the grid, with a bootstrap that draws persons, not pairs.

    A drawn person brings all pairs along: pairs of one person depend on each other, and drawing
    them singly would make the intervals too narrow.

    Args:
        cosine: ``(P,)`` similarity of pairs.
        kind: ``(P,)`` what they are.
        person: ``(P,)`` one of the persons of each.
    """
    bins = np.searchsorted(GRID, cosine, side="right")  # thresholds at or below the cosine
    size = len(GRID) + 1
    fmr = np.max([_share_above(bins[kind == each], size) for each in (WITHIN, ACROSS)], axis=0)
    genuine = kind == GENUINE
    bins = bins[genuine]
    names, person = np.unique(person[genuine], return_inverse=True)
    people = len(names)
    fnmr = _share_below(bins, np.ones(len(bins)), size)
    random = np.random.default_rng(0)
    drawn = []
    for _ in range(BOOTSTRAPS):
        times = np.bincount(random.integers(people, size=people), minlength=people)
        drawn.append(_share_below(bins, times[person].astype(np.float64), size))
    low, high = np.nanpercentile(np.array(drawn), [2.5, 97.5], axis=0)
    return tuple(
        RatePoint(*(round(float(v), 8) for v in row))
        for row in zip(GRID, fmr, fnmr, low, high, strict=True)
    )


def _share_above(bins: NDArray[np.int64], size: int) -> NDArray[np.float64]:
    """Return the share of pairs at or above every threshold of the grid; 0 where there are none."""
    counts = np.bincount(bins, minlength=size)
    return np.maximum(1 - np.cumsum(counts)[:-1] / max(len(bins), 1), 0) * bool(len(bins))


def _share_below(
    bins: NDArray[np.int64], weight: NDArray[np.float64], size: int
) -> NDArray[np.float64]:
    """Return the share of the weight of pairs below every threshold of the grid."""
    counts = np.bincount(bins, weight, minlength=size)
    with np.errstate(invalid="ignore"):
        share: NDArray[np.float64] = np.cumsum(counts)[:-1] / counts.sum()
    return share
