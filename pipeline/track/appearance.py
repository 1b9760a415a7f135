"""Splits tracks where the person may have changed: checks the appearance after gaps and overlaps.

Association by motion and overlap mixes people up where they cross. So after a track was
covered by another box, or lost for a while, its next clear crop is compared with how it
looked before; where the two do not look like one person, the rest is another track.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.boxes import covered_shares, ious
from pipeline.datatypes import FloatArray, IntArray

__all__ = ["AppearanceCheck"]

COVERED = 0.2
"""Share of a box that another one overlaps, from which on a crop may show somebody else."""
MISSED_STEPS = 1.5
"""A gap is longer than this many steps between frames: at least one of them lacked the track."""
NEAR_IOU = 0.1
"""A box that overlaps a track's last one less than this may be anybody's."""


@dataclass(slots=True)
class _Look:
    """What is known of one track.

    Attributes:
        track_id: The number it goes by.
        box: ``(4,)`` its last box.
        seen_s: When that was.
        total: ``(D,)`` sum of the embeddings of clear crops; ``None`` before the first.
        looked_s: When the last of them was taken.
        in_doubt: Whether it was covered or lost since then.
    """

    track_id: int
    box: FloatArray
    seen_s: float
    total: FloatArray | None = None
    looked_s: float = float("-inf")
    in_doubt: bool = False


class AppearanceCheck:
    """Gives the tracker's tracks numbers of their own, and a new one where the looks change.

    Args:
        min_similarity: Cosine below which the crop after a doubt is another person.
        interval_s: Interval between two appearance checks of a track without gap or overlap.
        gap_s: A track that was not seen for so long is in doubt.
        forget_s: Tracks that were not seen for so long are forgotten.
    """

    def __init__(
        self, *, min_similarity: float, interval_s: float, gap_s: float, forget_s: float
    ) -> None:
        self._min_similarity = min_similarity
        self._interval_s = interval_s
        self._gap_s = gap_s
        self._forget_s = forget_s
        self._looks: dict[int, _Look] = {}
        self._next_id = 1

    def wanted(self, xyxy: FloatArray, time_s: float, *, every: bool = False) -> IntArray:
        """Return the rows of ``(N, 4)`` boxes worth a look: clear, and somebody's turn or new.

        Args:
            xyxy: The boxes.
            time_s: Time of the frame, seconds.
            every: Whether all clear ones are, as overlap alone cannot tie them to tracks.
        """
        clear = np.flatnonzero(covered_shares(xyxy) <= COVERED)
        looks = [look for look in self._looks.values() if look.seen_s > time_s - self._forget_s]
        if every or not looks:
            return clear
        overlap = ious(xyxy[clear], np.stack([look.box for look in looks]))
        nearest = overlap.argmax(axis=1)
        rows = [
            row
            for row, track, share in zip(
                clear.tolist(), nearest.tolist(), overlap.max(axis=1).tolist(), strict=True
            )
            if share < NEAR_IOU or self._is_due(looks[track], time_s)
        ]
        return np.array(rows, np.int64)

    def cosines(
        self, keys: Sequence[int], boxes: int, rows: IntArray, vectors: FloatArray
    ) -> FloatArray:
        """Return ``(T, boxes)``: how alike tracks and boxes look, NaN where it is not known.

        Args:
            keys: Keys of ``T`` tracks.
            boxes: How many boxes there are.
            rows: ``(M,)`` those that were embedded.
            vectors: ``(M, D)`` unit rows, their embeddings.
        """
        cosines = np.full((len(keys), boxes), np.nan, np.float32)
        for place, key in enumerate(keys):
            look = self._looks.get(key)
            if look is not None and look.total is not None:
                length = float(np.linalg.norm(look.total))
                cosines[place, rows] = vectors @ look.total / max(length, 1e-6)
        return cosines

    def number(
        self,
        key: int,
        box: FloatArray,
        time_s: float,
        *,
        covered: float,
        vector: FloatArray | None,
        step_s: float = 0.0,
    ) -> int:
        """Return the number of a track after seeing its box at ``time_s``.

        Args:
            key: The tracker's number of the track.
            box: ``(4,)`` its box.
            time_s: Time of the frame, seconds.
            covered: Share of the box that another one overlaps.
            vector: ``(D,)`` unit embedding of the crop, where there is one.
            step_s: Usual time between frames, seconds.
        """
        look = self._looks.get(key)
        if look is None:
            look = self._looks[key] = _Look(self._new_id(), box, time_s)
        elif time_s - look.seen_s > max(self._gap_s, MISSED_STEPS * step_s):
            look.in_doubt = True
        look.box, look.seen_s = box, time_s
        if covered > COVERED:
            look.in_doubt = True
        elif vector is not None:
            self._compare(look, vector, time_s)
        return look.track_id

    def forget(self, time_s: float, *, step_s: float = 0.0) -> None:
        """Let go of tracks that have ended.

        Args:
            time_s: Time of the frame, seconds.
            step_s: Usual time between frames, seconds; nobody is forgotten within two.
        """
        oldest_s = time_s - max(self._forget_s, 2 * step_s)
        self._looks = {key: look for key, look in self._looks.items() if look.seen_s > oldest_s}

    def _compare(self, look: _Look, vector: FloatArray, time_s: float) -> None:
        if look.in_doubt and look.total is not None:
            length = float(np.linalg.norm(look.total))
            if float(vector @ look.total) < self._min_similarity * length:
                look.track_id = self._new_id()
                look.total = None
        look.total = vector.copy() if look.total is None else look.total + vector
        look.in_doubt = False
        look.looked_s = time_s

    def _is_due(self, look: _Look, time_s: float) -> bool:
        lost = time_s - look.seen_s > self._gap_s
        return look.in_doubt or lost or time_s - look.looked_s >= self._interval_s

    def _new_id(self) -> int:
        number = self._next_id
        self._next_id += 1
        return number
