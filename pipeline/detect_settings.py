"""Settings of finding persons in frames, and of tracking them in one camera."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from pipeline.settings_section import Seconds, Section, Share

__all__ = ["DetectSettings", "TrackSettings"]


class DetectSettings(Section):
    """Finding persons."""

    weights: str | None = None
    """``built-in-s`` = the package's larger detector; or whatever ultralytics loads: a name
    (``yolo11n.pt``), a file, an OpenVINO folder; none = the package's own small one."""
    detections: Path | None = None
    """Saved boxes (CSV or MOT) to use instead of a detector."""
    plugin: str | None = None
    """Name of a detector that an installed package registers (``reid_pipeline.detectors``)."""
    confidence: Share = 0.15
    """Detections with a lower score are dropped; see ``track.high_confidence`` for those that
    start tracks."""
    nms_iou: Share = 0.6
    """IoU threshold of non-maximum suppression."""
    image_size: Annotated[int, Field(ge=64, le=4096)] = 640
    """Longer side of the detector's input, pixels."""
    every: Annotated[int, Field(ge=1, le=100)] | Literal["auto"] = 1
    """The detector looks at every so many frames; tracks are carried on by their motion in between.
    ``auto`` = every 0.08 s while something moves, every second while nothing does."""


class TrackSettings(Section):
    """Single-camera tracking."""

    plugin: str | None = None
    """Name of a tracker that an installed package registers (``reid_pipeline.trackers``)."""
    high_confidence: Share = 0.4
    """Minimum score of detections that start a track; they are associated first."""
    min_iou: Share = 0.3
    """Minimum overlap of a box with the predicted place of its track, times the overlap of their
    extents in height and the box's score. Where frames are more than 0.15 s apart, both are
    widened first by what a person may walk."""
    max_lost_s: Seconds = 2.0
    """A track that was not seen for so long ends; where frames are further apart, after one more."""
    min_hits: Annotated[int, Field(ge=1)] = 2
    """Boxes before a track counts; one is enough where frames are 0.18 s or more apart."""
    split_similarity: Annotated[float, Field(ge=-1, le=1)] = 0.5
    """After a gap or an overlap, a track whose embedding has a lower cosine similarity than this
    to before is split."""
    check_interval_s: Seconds = 0.8
    """Interval between two appearance checks of a track without gap or overlap."""
    check_gap_s: Seconds = 0.25
    """Tracks with a gap of this length go on only in a box whose embedding fits."""
