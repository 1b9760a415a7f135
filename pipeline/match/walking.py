"""Walking times between cameras, learned from sure hand-overs.

Somebody who leaves one camera is mostly in the next one after about as long as others were before. The gaps
of pairs of tracks that are one person beyond doubt, by their looks, are compared with the gaps of all pairs:
how much likelier is such a gap for one person than for any two? Where few hand-overs are known the answer is
nearly "as likely", and where gaps left out are not explained better, it is exactly that.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.datatypes import FloatArray, IntArray
from pipeline.match.spans import Spans, look_alikes

__all__ = ["WalkingTimes", "learn_walking"]

Array = NDArray[np.float64]
GAPS_S = np.array(
    [0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 18, 22, 27, 33, 40, 50, 60, 80, 100, 150, 250, 500, np.inf]
)
"""Ends of the classes of gaps; tracks that overlap say nothing here, their places do."""
BLUR = np.array([0.25, 0.5, 0.25])
"""Neighbouring classes share what is counted."""
MIN_HAND_OVERS = 8
PRIOR_HAND_OVERS = 15.0
"""So many hand-overs are imagined whose gaps are those of any two tracks."""
MIN_GAIN_NATS = 4.0
"""Hand-overs, each left out, must be so much likelier by the others, all together."""
SURE_MARGIN = 0.15
"""By so much similarity must exceed the threshold for two tracks to be one person beyond doubt."""
MAX_NATS = 3.0


class WalkingTimes:
    """What gaps between tracks of two cameras say.

    Args:
        nats: ``(C, C, G)`` evidence for one person by the camera that is left, the one that is entered, and
            the class of the gap.
        cosine_per_nat: Similarity of appearance that is worth as much as one nat.
    """

    def __init__(self, nats: Array, *, cosine_per_nat: float) -> None:
        self._nats = nats
        self.cosine_per_nat = cosine_per_nat

    @property
    def reach(self) -> float:
        """The greatest similarity that a gap may add."""
        return self.cosine_per_nat * float(max(self._nats.max(initial=0.0), 0.0))

    def nats(self, spans: Spans, a: IntArray, b: IntArray) -> Array:
        """Return ``(P,)`` evidence of pairs of positions for one person, 0 where nothing is known."""
        swap = spans.first_s[a] > spans.first_s[b]
        early, late = np.where(swap, b, a), np.where(swap, a, b)
        gap_s = spans.first_s[late] - spans.last_s[early]
        here, there = spans.camera[early], spans.camera[late]
        known = (gap_s >= 0) & (here >= 0) & (there >= 0)  # a gallery is no camera
        found = np.zeros(len(a))
        found[known] = self._nats[here[known], there[known], _class_of(gap_s[known])]
        return found


def learn_walking(
    features: FloatArray, spans: Spans, cameras: int, *, threshold: float, cosine_per_nat: float
) -> WalkingTimes | None:
    """Return what gaps are worth, ``None`` where nothing can be told.

    Args:
        features: ``(N, D)`` unit rows, one per track.
        spans: ``(N,)`` when and where they were.
        cameras: Number of cameras.
        threshold: Cosine from which on two tracks are one person.
        cosine_per_nat: Similarity of appearance that is worth as much as one nat.
    """
    nats = np.zeros((cameras, cameras, len(GAPS_S) - 1))
    if cosine_per_nat == 0:
        return None
    for (a, in_a), (b, in_b), cosine in look_alikes(features, spans):
        best_column, best_row = cosine.argmax(axis=1), cosine.argmax(axis=0)
        rows = np.arange(len(in_a))
        mutual = (best_row[best_column] == rows) & (
            cosine[rows, best_column] >= threshold + SURE_MARGIN
        )
        if np.count_nonzero(mutual) < MIN_HAND_OVERS:
            continue
        sure = np.zeros(cosine.shape, bool)
        sure[rows[mutual], best_column[mutual]] = True
        there_s = spans.first_s[in_b] - spans.last_s[in_a][:, None]
        back_s = spans.first_s[in_a][:, None] - spans.last_s[in_b]
        nats[a, b] = _evidence(there_s[sure], there_s[~sure])
        nats[b, a] = _evidence(back_s[sure], back_s[~sure])
    return WalkingTimes(nats, cosine_per_nat=cosine_per_nat) if nats.any() else None


def _evidence(one_s: Array, two_s: Array) -> Array:
    """Return ``(G,)`` nats for one person by class, from gaps of one person and of any two."""
    count = len(GAPS_S) - 1
    own, others = (
        np.bincount(_class_of(gaps[gaps >= 0]), minlength=count).astype(float)
        for gaps in (one_s, two_s)
    )
    total = own.sum()
    if total < MIN_HAND_OVERS:
        return np.zeros(count)
    usual = _blurred(others) + 0.5
    usual /= usual.sum()
    near, prior = _blurred(own), PRIOR_HAND_OVERS * usual
    # Of a hand-over that is left out, the middle of the blur is gone from its own class.
    without = np.log(
        (np.maximum(near - BLUR[1], 0) + prior) / (total - 1 + PRIOR_HAND_OVERS) / usual
    )
    if (own * without).sum() < MIN_GAIN_NATS:
        return np.zeros(count)
    ratio: Array = np.log((near + prior) / (total + PRIOR_HAND_OVERS) / usual)
    return np.clip(ratio, -MAX_NATS, MAX_NATS)


def _blurred(counts: Array) -> Array:
    """Return counts shared with their neighbours, none lost at the ends."""
    padded = np.concatenate([counts[:1], counts, counts[-1:]])
    return np.asarray(np.convolve(padded, BLUR, mode="valid"), np.float64)


def _class_of(gap_s: Array) -> IntArray:
    found: IntArray = np.searchsorted(GAPS_S, gap_s, side="right") - 1
    return found
