"""Tracks of one camera, by BoT-SORT's association of the `trackers` library."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from pipeline.datatypes import Detections, FloatArray, IntArray, Tracks
from pipeline.settings import TrackSettings

__all__ = ["SingleCameraTracker"]

REFERENCE_RATE = 30.0
"""The frame rate that the library counts its buffer in; real time comes from time stamps."""
ANY_BOX_SCORE = 0.1
"""The library drops boxes up to this score whatever it is told."""


class SingleCameraTracker:
    """Ties the boxes of one camera to tracks by motion and overlap.

    Sure boxes are associated first, unsure ones only continue what is being tracked, and a
    track that was lost for a while is found again where its motion leads. Tracks whose
    persons may have been mixed up are a matter for whoever looks at their embeddings: this
    tracker wants to see no crops.

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
            enable_cmc=False,  # cameras stand still
            instant_first_frame_activation=False,
        )

    def wanted(self, detections: Detections, time_s: float) -> IntArray:  # noqa: ARG002
        """Return no rows: appearance does not take part in the association."""
        return np.zeros(0, np.int64)

    def update(
        self,
        detections: Detections,
        time_s: float,
        rows: IntArray,  # noqa: ARG002
        vectors: FloatArray,  # noqa: ARG002
    ) -> Tracks:
        """Advance to ``time_s`` and return the boxes that belong to a track, by track id."""
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
            return Tracks.empty()
        track_id = np.asarray(found.tracker_id, np.int64) + 1  # the library counts from 0
        order = np.argsort(track_id, kind="stable")
        order = order[track_id[order] > 0]
        kept = np.asarray(found.data["row"], np.int64)[order]
        return Tracks(detections.xyxy[kept], detections.score[kept], track_id[order])
