"""Tracks of one camera: BoT-SORT's association of the `trackers` library, cut by appearance."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from pipeline.boxes import covered_shares
from pipeline.datatypes import Detections, FloatArray, IntArray, Tracks
from pipeline.settings import TrackSettings
from pipeline.track.appearance import AppearanceGuard

__all__ = ["SingleCameraTracker"]

REFERENCE_RATE = 30.0
"""The frame rate that the library counts its buffer in; real time comes from time stamps."""
UNSURE_IOU = 0.3
"""Least overlap of an unsure box with a track. The library's own 0.5 loses people who are
partly covered: their boxes jump."""
ANY_BOX_SCORE = 0.1
"""The library drops boxes up to this score whatever it is told."""


class SingleCameraTracker:
    """Ties the boxes of one camera to tracks by motion and overlap, and cuts them by looks.

    Sure boxes are associated first, unsure ones only continue what is being tracked, and a
    track that was lost for a while is found again where its motion leads. After every
    moment of doubt the person is looked at, see `AppearanceGuard`.

    Args:
        settings: Thresholds and durations.
    """

    def __init__(self, settings: TrackSettings) -> None:
        from trackers import BoTSORTTracker  # noqa: PLC0415 - slow to load

        self._library: Any = BoTSORTTracker(
            lost_track_buffer=max(1, round(settings.max_lost_s * REFERENCE_RATE)),
            frame_rate=REFERENCE_RATE,
            track_activation_threshold=settings.high_confidence,
            high_conf_det_threshold=settings.high_confidence,
            minimum_consecutive_frames=settings.min_hits,
            minimum_iou_threshold_first_assoc=settings.min_iou,
            minimum_iou_threshold_second_assoc=UNSURE_IOU,
            enable_cmc=False,  # cameras stand still
            instant_first_frame_activation=False,
        )
        self._guard = AppearanceGuard(
            least_similarity=settings.cut_similarity,
            interval_s=settings.look_interval_s,
            gap_s=settings.doubt_gap_s,
            forget_s=max(10.0, 2 * settings.max_lost_s),
        )

    def wanted(self, detections: Detections, time_s: float) -> IntArray:
        """Return the rows of ``detections`` whose appearance tells whether a track goes on."""
        return self._guard.wanted(detections.xyxy, time_s)

    def update(
        self, detections: Detections, time_s: float, rows: IntArray, vectors: FloatArray
    ) -> Tracks:
        """Advance to ``time_s`` and return the boxes that belong to a track, by track id."""
        kept, library_ids = self._associate(detections, time_s)
        vector_of = dict(zip(rows.tolist(), vectors, strict=True))
        covered = covered_shares(detections.xyxy)
        numbers = [
            self._guard.number(
                library_id,
                detections.xyxy[row],
                time_s,
                covered=float(covered[row]),
                vector=vector_of.get(row),
            )
            for row, library_id in zip(kept.tolist(), library_ids.tolist(), strict=True)
        ]
        self._guard.forget(time_s)
        track_id = np.array(numbers, np.int64)
        order = np.argsort(track_id, kind="stable")
        kept = kept[order]
        return Tracks(detections.xyxy[kept], detections.score[kept], track_id[order])

    def _associate(self, detections: Detections, time_s: float) -> tuple[IntArray, IntArray]:
        """Return rows of ``detections`` and the library's track of each, in its order."""
        import supervision  # noqa: PLC0415 - slow to load

        boxes = supervision.Detections(
            xyxy=detections.xyxy.astype(np.float64),
            confidence=np.maximum(detections.score, ANY_BOX_SCORE + 1e-3).astype(np.float64),
            data={"row": np.arange(len(detections))},
        )
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # it warns where time runs backwards
            found = self._library.update(boxes, timestamp=time_s)
        if len(found) == 0:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        track_id = np.asarray(found.tracker_id, np.int64)
        order = np.argsort(track_id, kind="stable")
        order = order[track_id[order] >= 0]
        return np.asarray(found.data["row"], np.int64)[order], track_id[order]
