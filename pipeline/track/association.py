"""Which box belongs to which track: overlap, the wider apart frames are the more generous.

Frame by frame a person moves by a fraction of a box, and overlap says everything. Where frames
are far apart people leave their boxes behind. So boxes are widened by what a person may walk
between two frames before their overlap is taken, and the wider they are, the more the
appearance has to say.

Source of widened boxes: F. Yang et al., "Hard to Track Objects with Irregular Motions and
Similar Appearances? Make It Easier by Buffering the Matching Space", WACV 2023.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

from pipeline.boxes import ious
from pipeline.datatypes import FloatArray, IntArray

__all__ = ["assign", "margins", "similarities"]

WALK = np.array([1.05, 0.15], np.float32)
"""How far across and how far up or down a person comes, in box heights a second."""
FREE = np.array([0.15, 0.03], np.float32)
"""How much of that, in box heights, prediction and overlap make up for by themselves: boxes are
not widened below 0.15 s."""
MAX_STEP_S = 2.0
"""Boxes are not widened beyond what this time between frames asks for: later, a person may be
anywhere, and a track that goes on there says nothing."""
APPEARANCE_WEIGHT = 1.5
"""What a difference of 1 in cosine weighs beside a difference of 1 in overlap, where boxes are
widened by their own width or more."""
NEUTRAL_COSINE = 0.35
"""The cosine that speaks neither for nor against one person."""


def margins(xyxy: FloatArray, step_s: float) -> FloatArray:
    """Return ``(T, 2)``: by how much boxes are widened at either side in x and y, px.

    Args:
        xyxy: ``(T, 4)`` boxes of tracks.
        step_s: Usual time between frames, seconds.
    """
    heights = xyxy[:, 3:] - xyxy[:, 1:2]
    wide: FloatArray = (
        np.maximum(WALK * min(step_s, MAX_STEP_S) - FREE, 0).astype(np.float32) * heights
    )
    return wide


def similarities(
    tracks: FloatArray,
    boxes: FloatArray,
    *,
    weight: FloatArray,
    cosine: FloatArray,
    step_s: float,
) -> FloatArray:
    """Return ``(T, N)``: how well each box continues each track; up to 1 by overlap alone.

    Overlap is that of the boxes times that of their extents in height.

    Args:
        tracks: ``(T, 4)`` where the tracks are expected.
        boxes: ``(N, 4)`` boxes of the frame.
        weight: ``(N,)`` what the overlap of each box counts.
        cosine: ``(T, N)`` appearance similarity, NaN where it is not known.
        step_s: Usual time between frames, seconds.
    """
    margin = margins(tracks, step_s)
    overlap = _widened_ious(tracks, boxes, margin) * _vertical_ious(tracks, boxes, margin)
    doubt = np.minimum(margin[:, :1] / np.maximum(tracks[:, 2:3] - tracks[:, :1], 1.0), 1.0)
    evidence = np.where(np.isnan(cosine), 0.0, cosine - NEUTRAL_COSINE)
    total: FloatArray = np.where(
        overlap > 0, overlap * weight + APPEARANCE_WEIGHT * doubt * evidence, 0.0
    ).astype(np.float32)
    return total


def assign(similarity: FloatArray, least: float) -> tuple[IntArray, IntArray]:
    """Return rows and columns of the pairs of greatest total similarity, each at least ``least``.

    Args:
        similarity: ``(T, N)``.
        least: Pairs below this are left out.
    """
    rows, columns = linear_sum_assignment(similarity, maximize=True)
    good = similarity[rows, columns] >= least
    return rows[good].astype(np.int64), columns[good].astype(np.int64)


def _vertical_ious(tracks: FloatArray, boxes: FloatArray, margin: FloatArray) -> FloatArray:
    """Return ``(T, N)`` overlaps of the boxes' extents in height, after both got the margin.

    A person's height hardly changes from one frame to the next; two people at one place differ in it.

    Source:
        Yang et al., "Hybrid-SORT: Weak Cues Matter for Online Multi-Object Tracking", AAAI 2024.
    """
    top = np.maximum(tracks[:, None, 1], boxes[None, :, 1])
    bottom = np.minimum(tracks[:, None, 3], boxes[None, :, 3])
    highest = np.minimum(tracks[:, None, 1], boxes[None, :, 1])
    lowest = np.maximum(tracks[:, None, 3], boxes[None, :, 3])
    both = 2 * margin[:, 1:2]
    shared = np.maximum(bottom - top + both, 0)
    overlap: FloatArray = (shared / np.maximum(lowest - highest + both, 1e-6)).astype(np.float32)
    return overlap


def _widened_ious(tracks: FloatArray, boxes: FloatArray, margin: FloatArray) -> FloatArray:
    """Return ``(T, N)`` overlaps after both boxes of a pair got the margin of the track."""
    if not margin.any():
        return ious(tracks, boxes)
    wider = np.concatenate([-margin, margin], axis=1)
    rows = [
        ious((track + side)[None], boxes + side) for track, side in zip(tracks, wider, strict=True)
    ]
    return np.concatenate(rows)
