"""The composition root: from settings to concrete stages."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.core import Pipeline
from pipeline.detect.loading import load_detector
from pipeline.detect.region import RegionFilter
from pipeline.devices import resolve_device
from pipeline.embed.policy import TrackCropPolicy
from pipeline.embed.reid import ReidEmbedder
from pipeline.match.online import OnlineMatcher
from pipeline.settings import CameraSettings, Settings
from pipeline.sources import VideoFile, open_source
from pipeline.track.tracker import SingleCameraTracker

__all__ = ["Stages", "build_sources", "build_stages"]

log = logging.getLogger(__name__)

USUAL_THRESHOLD = 0.35
"""What networks trained like ours were calibrated to; other networks differ."""


@dataclass(frozen=True, slots=True)
class Stages:
    """A pipeline and what it runs on, for the record.

    Attributes:
        pipeline: The core with all its stages.
        detector: Name of the detector and where it runs.
        embedder: Name of the re-identification weights and where they run.
        threshold: Cosine similarity from which on tracklets are one person.
        device: Resolved device as torch names it.
    """

    pipeline: Pipeline
    detector: str
    embedder: str
    threshold: float
    device: str


def build_sources(settings: Settings) -> list[VideoFile]:
    """Open every camera, so that all inputs are checked before any work starts.

    Raises:
        SourceError: A camera cannot be read.
    """
    return [open_source(camera, settings.source) for camera in settings.cameras]


def build_stages(settings: Settings) -> Stages:
    """Load the models and put the core together.

    Raises:
        SettingsError: The device is not on this machine.
        ModelError: Weights are missing or of the wrong kind.
        DetectionsFileError: Saved boxes cannot be used.
    """
    device = resolve_device(settings.runner.device)
    names = [camera.name for camera in settings.cameras]
    detector = load_detector(settings.detect, cameras=names, device=device)
    embedder = ReidEmbedder(settings.embed, device=device)
    threshold = _threshold(settings, embedder)
    pipeline = Pipeline(
        detector=detector,
        trackers={name: SingleCameraTracker(settings.track) for name in names},
        policy=TrackCropPolicy(settings.embed),
        embedder=embedder,
        matcher=OnlineMatcher(settings.match, threshold=threshold, dim=embedder.dim),
        keep=_filters(settings.cameras),
    )
    return Stages(pipeline, detector.name, embedder.name, threshold, device)


def _threshold(settings: Settings, embedder: ReidEmbedder) -> float:
    """Return the threshold that was asked for, else the one the weights were calibrated to."""
    if settings.match.threshold is not None:
        return settings.match.threshold
    if embedder.calibrated_threshold is not None:
        return embedder.calibrated_threshold
    log.warning(
        "%s were not calibrated: tracks from a similarity of %.2f on count as one person; "
        "choose with --threshold",
        embedder.name,
        USUAL_THRESHOLD,
    )
    return USUAL_THRESHOLD


def _filters(cameras: Sequence[CameraSettings]) -> Mapping[str, RegionFilter]:
    """Return a filter for every camera that does not count all of its image."""
    return {
        camera.name: RegionFilter(polygon=camera.region, min_height_px=camera.min_box_height_px)
        for camera in cameras
        if camera.region is not None or camera.min_box_height_px > 0
    }
