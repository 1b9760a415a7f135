"""The composition root: from settings to concrete stages."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pipeline.build_calibration import false_match_curve, matching_thresholds, name_of
from pipeline.core import Pipeline
from pipeline.detect.loading import load_detector
from pipeline.detect.region import RegionFilter
from pipeline.devices import resolve_device
from pipeline.embed.loading import load_embedder
from pipeline.embed.policy import TrackCropPolicy
from pipeline.embed.reid import ReidEmbedder
from pipeline.errors import SettingsError
from pipeline.floor.placing import Floor
from pipeline.match.gallery import GalleryFile
from pipeline.match.online import OnlineMatcher
from pipeline.plugins import checked_stage
from pipeline.protocols import Detector, Embedder, Tracker
from pipeline.settings import CameraSettings, Settings
from pipeline.sources import VideoFile, gpu_acceleration, open_source
from pipeline.track.loading import load_tracker

__all__ = [
    "OwnStages",
    "Stages",
    "build_sources",
    "build_stages",
    "embedder_hash",
]

log = logging.getLogger(__name__)

T = TypeVar("T")


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
        floor: Where the calibrated cameras stand; empty where there are none.
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
    floor: Floor
    warnings: tuple[str, ...] = ()
    count_thresholds: Callable[[int], tuple[float, float]] | None = None
    false_match_curve: tuple[tuple[float, float], ...] = ()


def build_sources(settings: Settings) -> list[VideoFile]:
    """Open every camera, so that all inputs are checked before any work starts.

    Raises:
        SourceError: A camera cannot be read.
        SettingsError: The device is not on this machine.
    """
    acceleration = None
    if settings.source.decoder == "gpu":
        acceleration = gpu_acceleration(resolve_device(settings.runner.device))
    cameras = settings.cameras
    return [
        open_source(each, settings.source, beside=len(cameras), acceleration=acceleration)
        for each in cameras
    ]


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
    floor = Floor(settings.cameras)
    notes: list[str] = []
    detector = own.detector or _on(
        device,
        lambda where: load_detector(settings.detect, cameras=names, device=where),
        notes,
    )
    embedder = own.embedder or _on(
        device, lambda where: load_embedder(settings.embed, device=where), notes
    )
    make_tracker = own.tracker or load_tracker(settings.track)
    thresholds = matching_thresholds(settings, embedder)
    persons = None
    sha256 = embedder_hash(embedder)
    if gallery is not None:
        persons = GalleryFile(gallery, dim=embedder.dim, weights_sha256=sha256)
    matcher = OnlineMatcher(
        thresholds.weighed(settings.match),
        threshold=thresholds,
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
        place=floor.place if floor else None,
        every=settings.detect.every,
    )
    return Stages(
        pipeline=pipeline,
        matcher=matcher,
        detector=name_of(detector),
        embedder=name_of(embedder),
        threshold=thresholds(0),
        device=device,
        weights_sha256=sha256,
        gallery=persons,
        floor=floor,
        warnings=(*notes, *thresholds.warnings),
        count_thresholds=thresholds.of_count,
        false_match_curve=false_match_curve(embedder),
    )


def _on(device: str, load: Callable[[str], T], notes: list[str]) -> T:
    """Load a stage on a device, or on the CPU where the device fails; note why."""
    try:
        return load(device)
    except RuntimeError as error:  # torch's, of drivers, memory, cards that are too old
        if device == "cpu":
            raise
        reason = str(error).strip().splitlines()[0]
        notes.append(f"{device} cannot be used by one of the networks, the CPU is: {reason}")
        log.warning("%s", notes[-1])
        return load("cpu")


def embedder_hash(embedder: Embedder) -> str:
    """Return what tells whether two embedders give comparable vectors: the hash of the weights.

    Of an embedder that is none of ours, its class and its name have to do.

    Raises:
        ModelError: The weights cannot be read.
    """
    if isinstance(embedder, ReidEmbedder):
        return embedder.sha256
    kind = type(embedder)
    text = f"{kind.__module__}.{kind.__qualname__} {name_of(embedder)}"
    return hashlib.sha256(text.encode()).hexdigest()


def _filters(cameras: Sequence[CameraSettings]) -> Mapping[str, RegionFilter]:
    """Return a filter for every camera that does not count all of its image."""
    return {
        camera.name: RegionFilter(polygon=camera.region, min_height_px=camera.min_box_height_px)
        for camera in cameras
        if camera.region is not None or camera.min_box_height_px > 0
    }
