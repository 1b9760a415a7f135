"""Tracks of one camera: boxes tied by motion and overlap, and cut by appearance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.boxes import covered_shares
from pipeline.datatypes import Detections, FloatArray, IntArray, Tracks
from pipeline.settings import TrackSettings
from pipeline.track.appearance import AppearanceCheck
from pipeline.track.association import assign, similarities
from pipeline.track.coverage import Coverage
from pipeline.track.motion import MotionFilter

__all__ = ["SingleCameraTracker"]

UNSURE_IOU = 0.3
"""Minimum overlap of an unsure box with a track. ByteTrack's own 0.5 loses people who are partly
covered: their boxes jump."""
LONG_STEP_S = 0.18
"""Where frames are so far apart, every clear box is embedded, and a track counts from its first
box: waiting for a second one would lose a large part of a visit."""
MISSED_STEPS = 1.5
"""A lost track is waited for at least so many steps, else none could go on at long ones."""
TIME_TOLERANCE_S = 1e-6
UNCONFIRMED = 0
NO_BOX = -1


class SingleCameraTracker:
    """Ties the boxes of one camera to tracks by motion and overlap, and cuts them by appearance.

    Sure boxes are associated first, unsure ones only continue what is being tracked, and a
    track that was lost for a while is found again where its motion leads: the stages of
    ByteTrack and BoT-SORT. All that depends on how far a person moves between two frames
    follows the time between them. After every moment of doubt the appearance is compared, see
    `AppearanceCheck`.

    Source: Y. Zhang et al., "ByteTrack: Multi-Object Tracking by Associating Every Detection
    Box", ECCV 2022.

    Args:
        settings: Thresholds and durations.
    """

    def __init__(self, settings: TrackSettings) -> None:
        self._settings = settings
        self._motion = MotionFilter()
        # One entry per track, as in the filter:
        self._key = np.zeros(0, np.int64)  # the guard's number; UNCONFIRMED before it counts
        self._hits = np.zeros(0, np.int64)
        self._seen_s = np.zeros(0)
        self._shown: dict[int, int] = {}  # number of each track of the frame before, by its key
        self._last_key = UNCONFIRMED
        self._time_s: float | None = None
        self._step_s = float("inf")
        self._coverage = Coverage()
        self._guard = AppearanceCheck(
            min_similarity=settings.split_similarity,
            interval_s=settings.check_interval_s,
            gap_s=settings.check_gap_s,
            forget_s=max(10.0, 2 * settings.max_lost_s),
        )

    @property
    def warnings(self) -> list[str]:
        """What a user should know of the tracks so far, one line each."""
        return self._coverage.warnings

    def wanted(self, detections: Detections, time_s: float) -> IntArray:
        """Return the rows of ``detections`` whose appearance tells whether a track goes on."""
        sparse = self._time_s is not None and time_s - self._time_s >= LONG_STEP_S
        return self._guard.wanted(detections.xyxy, time_s, every=sparse)

    def update(
        self, detections: Detections, time_s: float, rows: IntArray, vectors: FloatArray
    ) -> Tracks:
        """Advance to ``time_s`` and return the boxes that belong to a track, by track id.

        Raises:
            ValueError: Time has not gone on since the frame before.
        """
        before_s = self._time_s
        step_s = self._advance(time_s)
        kept, keys = self._associate(detections, before_s, step_s, rows, vectors)
        vector_of = dict(zip(rows.tolist(), vectors, strict=True))
        covered = covered_shares(detections.xyxy)
        numbers = [
            self._guard.number(
                key,
                detections.xyxy[row],
                time_s,
                covered=float(covered[row]),
                vector=vector_of.get(row),
                step_s=step_s,
            )
            for row, key in zip(kept.tolist(), keys.tolist(), strict=True)
        ]
        self._guard.forget(time_s, step_s=step_s)
        self._shown = dict(zip(keys.tolist(), numbers, strict=True))
        track_id = np.array(numbers, np.int64)
        order = np.argsort(track_id, kind="stable")
        kept = kept[order]
        return Tracks(detections.xyxy[kept], detections.score[kept], track_id[order])

    def carried(self, time_s: float) -> Tracks:
        """Return where the tracks of the frame before are by then, by track id, with score 0."""
        rows = np.flatnonzero(np.isin(self._key, list(self._shown)))
        track_id = np.array([self._shown[key] for key in self._key[rows].tolist()], np.int64)
        order = np.argsort(track_id, kind="stable")
        xyxy = self._motion.ahead(time_s - (self._time_s or 0.0))[rows[order]]
        return Tracks(xyxy, np.zeros(len(rows), np.float32), track_id[order])

    def _associate(
        self,
        detections: Detections,
        before_s: float | None,
        step_s: float,
        rows: IntArray,
        vectors: FloatArray,
    ) -> tuple[IntArray, IntArray]:
        """Return the rows of ``detections`` that continue a track, and the track of each.

        Args:
            detections: The persons of the frame.
            before_s: Time of the frame before, if there was one.
            step_s: Usual time between frames, seconds.
            rows: ``(M,)`` rows of ``detections`` that were embedded.
            vectors: ``(M, D)`` their embeddings.
        """
        sure = detections.score >= self._settings.high_confidence
        cosine = self._guard.cosines(self._key.tolist(), len(detections), rows, vectors)
        similarity = similarities(
            self._motion.boxes,
            detections.xyxy,
            weight=np.where(sure, detections.score, 1.0).astype(np.float32),
            cosine=cosine,
            step_s=step_s,
        )
        confirmed = self._key != UNCONFIRMED
        lost = confirmed & (self._unseen_s > max(self._settings.check_gap_s, MISSED_STEPS * step_s))
        # Where somebody was lost, others stand too: the place alone says little, a covered box less.
        unproved = ~(cosine >= self._settings.split_similarity)
        similarity = np.where(lost[:, None] & unproved, 0.0, similarity)
        stages = (
            (confirmed, sure, self._settings.min_iou),
            (confirmed & (self._seen_s == before_s), ~sure, UNSURE_IOU),
            (~confirmed, sure, self._settings.min_iou),
        )
        box_of = np.full(len(self._key), NO_BOX)
        free = np.ones(len(detections), np.bool_)
        for tracks, boxes, least in stages:
            which, what = np.flatnonzero(tracks & (box_of == NO_BOX)), np.flatnonzero(boxes & free)
            if not (len(which) and len(what)):
                continue
            first, second = assign(similarity[np.ix_(which, what)], least)
            box_of[which[first]] = what[second]
            free[what[second]] = False
        box_of = self._renew(detections.xyxy, box_of, new=np.flatnonzero(sure & free))
        self._confirm(step_s)
        shown = np.flatnonzero((box_of != NO_BOX) & (self._key != UNCONFIRMED))
        self._coverage.see(
            step_s=step_s,
            boxes=int(sure.sum()),
            in_tracks=int(sure[box_of[shown]].sum()),
        )
        return box_of[shown], self._key[shown]

    @property
    def _unseen_s(self) -> NDArray[np.float64]:
        """``(T,)`` how long each track has not been seen, seconds."""
        return (self._time_s or 0.0) - self._seen_s

    def _advance(self, time_s: float) -> float:
        """Move all tracks on to ``time_s`` and return the usual time between frames, seconds."""
        if self._time_s is None:
            self._time_s = time_s
            return 0.0
        step_s = time_s - self._time_s
        if step_s <= 0:
            raise ValueError(f"time must go on: {time_s} s after {self._time_s} s")
        usual_s = min(step_s, self._step_s)  # a hole in the video is no frame rate
        self._time_s, self._step_s = time_s, step_s
        self._motion.predict(step_s)
        patience_s = max(self._settings.max_lost_s, MISSED_STEPS * usual_s) + TIME_TOLERANCE_S
        self._keep(self._unseen_s <= patience_s)
        return usual_s

    def _renew(self, xyxy: FloatArray, box_of: IntArray, *, new: IntArray) -> IntArray:
        """Take in the boxes of a frame; return the row of the box of each track there is now.

        Args:
            xyxy: ``(N, 4)`` boxes.
            box_of: ``(T,)`` row of each track's box, or ``NO_BOX``.
            new: ``(M,)`` rows of the boxes that begin a track.
        """
        seen = np.flatnonzero(box_of != NO_BOX)
        self._motion.correct(seen, xyxy[box_of[seen]])
        self._coverage.alone(-int(((self._hits[seen] == 1) & (self._key[seen] > 0)).sum()))
        self._hits[seen] += 1
        self._seen_s[seen] = self._time_s
        alive = (box_of != NO_BOX) | (self._key != UNCONFIRMED)
        self._keep(alive)
        kept: IntArray = box_of[alive]
        if not len(new):
            return kept
        self._motion.add(xyxy[new])
        self._key = np.append(self._key, np.full(len(new), UNCONFIRMED))
        self._hits = np.append(self._hits, np.ones(len(new), np.int64))
        self._seen_s = np.append(self._seen_s, np.full(len(new), self._time_s, np.float64))
        return np.append(kept, new)

    def _confirm(self, step_s: float) -> None:
        """Give a key to the tracks that count from now on."""
        needed = 1 if step_s >= LONG_STEP_S else self._settings.min_hits
        rows = np.flatnonzero((self._key == UNCONFIRMED) & (self._hits >= needed))
        self._key[rows] = self._last_key + 1 + np.arange(len(rows))
        self._last_key += len(rows)
        self._coverage.alone(int((self._hits[rows] == 1).sum()))

    def _keep(self, alive: NDArray[np.bool_]) -> None:
        """Let all tracks go but those that a ``(T,)`` mask picks."""
        if alive.all():
            return
        self._motion.keep(alive)
        self._key, self._hits = self._key[alive], self._hits[alive]
        self._seen_s = self._seen_s[alive]
