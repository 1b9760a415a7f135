"""The composition root: from settings to concrete stages."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.core import Pipeline
from pipeline.detect.loading import load_detector
from pipeline.detect.region import RegionFilter
from pipeline.devices import resolve_device
from pipeline.embed.policy import TrackCropPolicy
from pipeline.embed.reid import ReidEmbedder
from pipeline.match.fingerprint import read_calibration, weights_hash
from pipeline.match.gallery import GalleryFile
from pipeline.match.online import OnlineMatcher
from pipeline.protocols import Tracker
from pipeline.settings import CameraSettings, Settings
from pipeline.sources import VideoFile, open_source
from pipeline.track.tracker import SingleCameraTracker

__all__ = ["Stages", "build_sources", "build_stages", "matching_thresholds"]

log = logging.getLogger(__name__)

USUAL_THRESHOLD = 0.35
"""What networks trained like ours were calibrated to; other networks differ."""


@dataclass(frozen=True, slots=True)
class Stages:
    """A pipeline and what it runs on, for the record.

    Attributes:
        pipeline: The core with all its stages.
        matcher: The matcher among them.
        detector: Name of the detector and where it runs.
        embedder: Name of the re-identification weights and where they run.
        threshold: Cosine similarity from which on tracklets are one person.
        device: Resolved device as torch names it.
        weights_sha256: Hash of the re-identification weights.
        gallery: Where the persons come from and go to, if the run has such a file:
            ``stages.gallery.save(stages.matcher.gallery(identities))``.
    """

    pipeline: Pipeline
    matcher: OnlineMatcher
    detector: str
    embedder: str
    threshold: float
    device: str
    weights_sha256: str
    gallery: GalleryFile | None


def build_sources(settings: Settings) -> list[VideoFile]:
    """Open every camera, so that all inputs are checked before any work starts.

    Raises:
        SourceError: A camera cannot be read.
    """
    return [open_source(camera, settings.source) for camera in settings.cameras]


def build_stages(
    settings: Settings,
    *,
    gallery: Path | None = None,
    trackers: Mapping[str, Tracker] | None = None,
) -> Stages:
    """Load the models and put the core together.

    Args:
        settings: What to build.
        gallery: File of the persons of earlier runs; need not exist yet.
        trackers: One for every camera, instead of those that would be made here.

    Raises:
        InputError: The gallery is damaged, or was made with other weights.
        OutputError: The gallery could not be written later.
        SettingsError: The device is not on this machine.
        ModelError: Weights are missing or of the wrong kind.
        DetectionsFileError: Saved boxes cannot be used.
    """
    device = resolve_device(settings.runner.device)
    names = [camera.name for camera in settings.cameras]
    detector = load_detector(settings.detect, cameras=names, device=device)
    embedder = ReidEmbedder(settings.embed, device=device)
    thresholds = matching_thresholds(settings, embedder)
    persons = None
    sha256 = weights_hash(embedder.weights)
    if gallery is not None:
        persons = GalleryFile(gallery, dim=embedder.dim, weights_sha256=sha256)
    matcher = OnlineMatcher(
        settings.match,
        threshold=thresholds(0),
        resolve_threshold=thresholds,
        dim=embedder.dim,
        known=None if persons is None else persons.known(),
    )
    pipeline = Pipeline(
        detector=detector,
        trackers=trackers or {name: SingleCameraTracker(settings.track) for name in names},
        policy=TrackCropPolicy(settings.embed),
        embedder=embedder,
        matcher=matcher,
        keep=_filters(settings.cameras),
    )
    return Stages(
        pipeline, matcher, detector.name, embedder.name, thresholds(0), device, sha256, persons
    )


def matching_thresholds(settings: Settings, embedder: ReidEmbedder) -> Callable[[int], float]:
    """Return what gives the threshold among so many tracklets.

    It is the one that was asked for, else the one that the weights were calibrated to.

    Raises:
        ModelError: The calibration was made with other weights.
    """
    given = settings.match.threshold
    if given is not None:
        return lambda _: given
    calibration = read_calibration(embedder.weights)
    if calibration is not None:
        if calibration.runtime != embedder.runtime:
            # One network gives nearly the same vectors everywhere; a user with a GPU should
            # not have to calibrate before the first run.
            log.warning(
                "%s were calibrated on %s, this is %s: if identities look wrong, run "
                "`reid-pipeline calibrate` here or choose with --threshold",
                embedder.weights.name,
                calibration.runtime,
                embedder.runtime,
            )
        rate = settings.match.false_match_rate
        return lambda tracklets: calibration.threshold_for(
            false_match_rate=rate, tracklets=tracklets
        )
    log.warning(
        "%s were not calibrated: tracks from a similarity of %.2f on count as one person; "
        "choose with --threshold",
        embedder.name,
        USUAL_THRESHOLD,
    )
    return lambda _: USUAL_THRESHOLD


def _filters(cameras: Sequence[CameraSettings]) -> Mapping[str, RegionFilter]:
    """Return a filter for every camera that does not count all of its image."""
    return {
        camera.name: RegionFilter(polygon=camera.region, min_height_px=camera.min_box_height_px)
        for camera in cameras
        if camera.region is not None or camera.min_box_height_px > 0
    }
