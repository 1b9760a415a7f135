"""The composition root: from settings to concrete stages."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.build_calibration import calibration_of, false_match_curve
from pipeline.core import Pipeline
from pipeline.detect.loading import load_detector
from pipeline.detect.region import RegionFilter
from pipeline.devices import resolve_device
from pipeline.embed.loading import load_embedder
from pipeline.embed.policy import TrackCropPolicy
from pipeline.embed.reid import ReidEmbedder
from pipeline.errors import SettingsError
from pipeline.match.calibration import Calibration
from pipeline.match.gallery import GalleryFile
from pipeline.match.online import OnlineMatcher
from pipeline.plugins import checked_stage
from pipeline.protocols import Detector, Embedder, Tracker
from pipeline.settings import CameraSettings, Settings
from pipeline.sources import VideoFile, open_source
from pipeline.track.loading import load_tracker

__all__ = [
    "OwnStages",
    "Stages",
    "Thresholds",
    "build_sources",
    "build_stages",
    "embedder_hash",
    "matching_thresholds",
]

log = logging.getLogger(__name__)

USUAL_THRESHOLD = 0.35
"""Threshold for weights without calibration; typical of networks trained like ours."""
COUNT_RATES = (4.0, 0.2)
"""False match rates, in multiples of the usual one, at which the count of people ends below and
above."""


@dataclass(frozen=True, slots=True)
class OwnStages:
    """Stages of the caller, taken instead of those that the settings name.

    They follow ``pipeline.protocols``. A ``name: str`` of a detector or an embedder goes into the
    record of a run; an embedder's should change with its weights, since galleries of known
    persons are tied to it.

    Attributes:
        detector: Finds persons in the frames of all cameras.
        tracker: Makes the tracker of one camera; called for each camera, and once to check it.
        embedder: Turns crops into vectors.

    Raises:
        SettingsError: A stage lacks a method of its protocol.
    """

    detector: Detector | None = None
    tracker: Callable[[], Tracker] | None = None
    embedder: Embedder | None = None

    def __post_init__(self) -> None:
        if self.detector is not None:
            checked_stage("detector", self.detector)
        if self.embedder is not None:
            checked_stage("embedder", self.embedder)
        if self.tracker is not None:
            if not callable(self.tracker):
                raise SettingsError(
                    f"tracker {self.tracker!r} serves one camera alone: give its class, or a "
                    "function that makes one for each camera"
                )
            checked_stage("tracker", self.tracker())


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
        warnings: What the user should know of what was built, for the record; logged already.
        count_thresholds: As ``Thresholds.of_count``.
        false_match_curve: Thresholds and their false match rates, empty where the weights are not
            calibrated.
    """

    pipeline: Pipeline
    matcher: OnlineMatcher
    detector: str
    embedder: str
    threshold: float
    device: str
    weights_sha256: str
    gallery: GalleryFile | None
    warnings: tuple[str, ...] = ()
    count_thresholds: Callable[[int], tuple[float, float]] | None = None
    false_match_curve: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The threshold among so many tracklets.

    Attributes:
        among: Returns it.
        warnings: Why it may not fit the weights.
        of_count: Returns a lower and a higher one, for the interval of the count; ``None`` where
            the error rates of the weights are not known.
    """

    among: Callable[[int], float]
    warnings: tuple[str, ...] = ()
    of_count: Callable[[int], tuple[float, float]] | None = None

    def __call__(self, tracklets: int) -> float:
        """Return the cosine similarity from which on two of so many tracklets are one person."""
        return self.among(tracklets)


def build_sources(settings: Settings) -> list[VideoFile]:
    """Open every camera, so that all inputs are checked before any work starts.

    Raises:
        SourceError: A camera cannot be read.
    """
    return [open_source(camera, settings.source) for camera in settings.cameras]


def build_stages(
    settings: Settings,
    *,
    own: OwnStages | None = None,
    gallery: Path | None = None,
    trackers: Mapping[str, Tracker] | None = None,
) -> Stages:
    """Load the models and put the core together.

    Args:
        settings: What to build.
        own: Stages to take instead of those of the settings.
        gallery: File of the persons of earlier runs; need not exist yet.
        trackers: One for every camera, instead of those that would be made here.

    Raises:
        InputError: The gallery is damaged, or was made with other weights.
        OutputError: The gallery could not be written later.
        SettingsError: The device is not on this machine, or a plug-in cannot be loaded.
        ModelError: Weights are missing or of the wrong kind.
        DetectionsFileError: Saved boxes cannot be used.
    """
    own = own or OwnStages()
    device = resolve_device(settings.runner.device)
    names = [camera.name for camera in settings.cameras]
    detector = own.detector or load_detector(settings.detect, cameras=names, device=device)
    embedder = own.embedder or load_embedder(settings.embed, device=device)
    make_tracker = own.tracker or load_tracker(settings.track)
    thresholds = matching_thresholds(settings, embedder)
    persons = None
    sha256 = embedder_hash(embedder)
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
        trackers=trackers or {name: make_tracker() for name in names},
        policy=TrackCropPolicy(settings.embed),
        embedder=embedder,
        matcher=matcher,
        keep=_filters(settings.cameras),
    )
    return Stages(
        pipeline=pipeline,
        matcher=matcher,
        detector=_name(detector),
        embedder=_name(embedder),
        threshold=thresholds(0),
        device=device,
        weights_sha256=sha256,
        gallery=persons,
        warnings=thresholds.warnings,
        count_thresholds=thresholds.of_count,
        false_match_curve=false_match_curve(embedder),
    )


def matching_thresholds(settings: Settings, embedder: Embedder) -> Thresholds:
    """Return what gives the threshold among so many tracklets, and log its warnings.

    It is the one that was asked for, else the one that the weights were calibrated to.

    Raises:
        ModelError: The calibration was made with other weights.
    """
    given = settings.match.threshold
    if given is not None:
        return Thresholds(lambda _: given)
    calibration = calibration_of(embedder)
    warning = _calibration_warning(calibration, embedder)
    warnings = () if warning is None else (warning,)
    for each in warnings:
        log.warning("%s", each)
    if calibration is None:
        return Thresholds(lambda _: USUAL_THRESHOLD, warnings)
    rate = settings.match.false_match_rate

    def at(rate: float, tracklets: int) -> float:
        return calibration.threshold_for(false_match_rate=rate, tracklets=tracklets)

    more, less = min(rate * COUNT_RATES[0], 0.5), rate * COUNT_RATES[1]
    return Thresholds(
        lambda tracklets: at(rate, tracklets),
        warnings,
        lambda tracklets: (at(more, tracklets), at(less, tracklets)),
    )


def _calibration_warning(calibration: Calibration | None, embedder: Embedder) -> str | None:
    if not isinstance(embedder, ReidEmbedder):
        return (
            f"{_name(embedder)} was not calibrated: tracks from a similarity of "
            f"{USUAL_THRESHOLD:.2f} on count as one person; choose with --threshold"
        )
    if calibration is None:
        return (
            f"{_name(embedder)} were not calibrated: tracks from a similarity of "
            f"{USUAL_THRESHOLD:.2f} on count as one person; run `reid-pipeline calibrate --store` "
            "or choose with --threshold"
        )
    if _runtime_kind(calibration.runtime) != _runtime_kind(embedder.runtime):
        # One network gives nearly the same vectors everywhere; a user with a GPU should not have
        # to calibrate before the first run.
        return (
            f"{embedder.weights.name} were calibrated on {calibration.runtime}, this is "
            f"{embedder.runtime}: if identities look wrong, run `reid-pipeline calibrate` here or "
            "choose with --threshold"
        )
    return None


def _runtime_kind(runtime: str) -> str:
    """Return a runtime without the difference that shifts no similarity: int8 or fp32.

    The int8 form of weights is only published where it scores the same.
    """
    return runtime.replace(", int8", ", fp32")


def embedder_hash(embedder: Embedder) -> str:
    """Return what tells whether two embedders give comparable vectors: the hash of the weights.

    Of an embedder that is none of ours, its class and its name have to do.

    Raises:
        ModelError: The weights cannot be read.
    """
    if isinstance(embedder, ReidEmbedder):
        return embedder.sha256
    kind = type(embedder)
    text = f"{kind.__module__}.{kind.__qualname__} {_name(embedder)}"
    return hashlib.sha256(text.encode()).hexdigest()


def _name(stage: object) -> str:
    """Return what a stage calls itself, or else its class."""
    return str(getattr(stage, "name", type(stage).__name__))


def _filters(cameras: Sequence[CameraSettings]) -> Mapping[str, RegionFilter]:
    """Return a filter for every camera that does not count all of its image."""
    return {
        camera.name: RegionFilter(polygon=camera.region, min_height_px=camera.min_box_height_px)
        for camera in cameras
        if camera.region is not None or camera.min_box_height_px > 0
    }
