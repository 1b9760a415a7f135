"""The parts of a live run: stages, cameras, identities, recordings, notifications."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pipeline.build import OwnStages, Stages, build_stages
from pipeline.crops import encode_jpeg
from pipeline.datatypes import FrameResult, Image
from pipeline.errors import OutputError, SinkError
from pipeline.jobs.live_record import finish_record, record_views, start_record
from pipeline.jobs.live_registry import LiveRegistry
from pipeline.jobs.start import try_networks
from pipeline.layout.recording import GALLERY_FILE, LOCK, newest_events
from pipeline.layout.zones import read_zones
from pipeline.match.gallery import gallery_lock
from pipeline.notify.home_assistant import HomeAssistant
from pipeline.notify.outbox import Outbox
from pipeline.protocols import LiveCamera
from pipeline.registry.changes import MAX_EVENTS
from pipeline.runners.live import LiveRun
from pipeline.runners.live_parts import LiveParts
from pipeline.runners.live_pictures import LivePictures
from pipeline.settings import Settings
from pipeline.sinks.drawing import Label, draw_labels
from pipeline.sinks.live.recorder import LiveRecorder
from pipeline.sources.live.opening import stop_live_cameras
from pipeline.track.loading import load_tracker
from pipeline.track.restarting import RestartingTracker

__all__ = ["LiveSystem", "build_live"]

PICTURE_QUALITY = 80
USUAL_SIZE = (1280, 720)
SECONDS_PER_DAY = 86_400

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LiveSystem:
    """A live run and everything that has to be closed with it.

    Attributes:
        run: The loop; also what the web page shows.
        stages: The core and its record.
        cameras: Not started yet.
        registry: Where identities are stored and edited.
        outbox: Who is told of events.
        recorder: What is kept in files.
        folder: Where.
        home: Announces cameras and counts to Home Assistant, if that is wanted.
    """

    run: LiveRun
    stages: Stages
    cameras: Sequence[LiveCamera]
    registry: LiveRegistry
    outbox: Outbox
    recorder: LiveRecorder
    folder: Path
    home: HomeAssistant | None = None

    def note_views(self) -> bool:
        """Record what calibrated cameras see, once the sizes of all pictures are known; return whether."""
        sizes = {each.camera: each.size for each in self.run.health() if each.size is not None}
        floor = self.stages.floor
        is_known = set(floor.cameras) <= set(sizes)
        if floor and is_known:
            record_views(self.folder, floor.seen(sizes))
        return is_known

    def close(self, *, timeout_s: float) -> None:
        """Stop the cameras, finish the files and deliver what waits, all at once."""
        ends = partial(stop_live_cameras, self.cameras), self.outbox.close
        others = [threading.Thread(target=end, kwargs={"timeout_s": timeout_s}) for end in ends]
        for each in others:
            each.start()
        if self.home is not None:
            self.home.close(timeout_s=1.0)
        self.registry.close()
        try:
            finish_record(self.folder)
        except SinkError as error:  # it stays incomplete
            log.warning("%s", error)
        if self.stages.gallery is not None:
            self.stages.gallery.close()
        self.recorder.close(timeout_s=timeout_s)  # last, as it holds the folder
        for each in others:
            each.join()


def build_live(
    settings: Settings,
    folder: Path,
    cameras: Sequence[LiveCamera],
    *,
    gallery: Path | None,
    own: OwnStages | None = None,
) -> LiveSystem:
    """Load the models and what earlier runs of a folder left.

    Args:
        settings: Of the pipeline and of live runs.
        folder: Where everything is kept; made if it is not there.
        cameras: Those of the settings, in any state.
        gallery: File of the known persons, ``None`` for the one in ``folder``.
        own: Stages to take instead of those of the settings.

    Raises:
        InputError: The gallery or the registry is damaged or of other weights.
        OutputError: The folder holds something else, or another run uses it.
        ModelError: Weights are missing or of the wrong kind.
    """
    live = settings.live
    _open_folder(folder)
    # Nothing is resolved at the end, as there is none.
    match = settings.match.model_copy(update={"resolve": False})
    settings = settings.model_copy(update={"match": match})
    own = own or OwnStages()
    make_tracker = own.tracker or load_tracker(settings.track)
    trackers = {camera.name: RestartingTracker(make_tracker) for camera in settings.cameras}
    stages = build_stages(
        settings, own=own, gallery=gallery or folder / GALLERY_FILE, trackers=trackers
    )
    try_networks(stages.pipeline, [USUAL_SIZE], camera=settings.cameras[0].name)
    with ExitStack() as locks:
        if stages.gallery is not None:
            locks.callback(stages.gallery.close)
        recorder = LiveRecorder(folder, live.recording, on_floor=bool(stages.floor))
        locks.callback(recorder.close, timeout_s=1.0)
        start_record(folder, settings, stages)
        locks.pop_all()  # nothing failed
    keep_days = live.recording.keep_days
    keep_s = None if keep_days is None else keep_days * SECONDS_PER_DAY
    registry = LiveRegistry(
        folder,
        keep_s=keep_s,
        earlier=newest_events(folder, MAX_EVENTS),
        watch=live.watch,
        curve=stages.false_match_curve,
        cameras=len(settings.cameras),
        zones=read_zones(folder, {"settings": settings.model_dump(include={"cameras", "floor"})}),
        y_up=stages.floor.y_up,
    )
    for tracker in trackers.values():
        tracker.number_from(registry.next_track)
    persons = stages.matcher.persons
    # After a kill the gallery is some seconds older than what was stored.
    persons.next_number = max(persons.next_number, registry.next_matcher_number)
    outbox = Outbox(live.notify)
    parts = LiveParts(
        pipeline=stages.pipeline,
        trackers=trackers,
        registry=registry,
        outbox=outbox,
        recorder=recorder,
        pictures=LivePictures(_draw, partial(encode_jpeg, quality=PICTURE_QUALITY)),
        save_gallery=_saver(stages),
        figures=[registry.figures, outbox.figures],
        blur_heads=settings.output.blur_heads,
    )
    run = LiveRun(cameras, parts, live.runner, batch_size=settings.runner.batch_size)
    home = (
        HomeAssistant(live.notify, partial(_state, run, registry))
        if live.notify.mqtt_discovery
        else None
    )
    return LiveSystem(run, stages, cameras, registry, outbox, recorder, folder, home)


def _state(run: LiveRun, registry: LiveRegistry) -> dict[str, object]:
    """Return what Home Assistant is told."""
    return {
        "cameras": {each.camera: each.state.delivers for each in run.health()},
        "zones": {each.name: each.inside for each in registry.zones.counts() if not each.is_line},
        "identities": registry.records.count(),
    }


def _open_folder(folder: Path) -> None:
    """Make the folder; refuse one in which something else is kept."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        names = {each.name for each in folder.iterdir()}
    except OSError as error:
        raise OutputError(
            f"output {folder} cannot be used ({error.strerror}): choose another --out"
        ) from None
    # A run that was killed while it loaded its models has left no more than this.
    begun = {gallery_lock(folder / GALLERY_FILE).name}
    if LOCK not in names and not names <= begun:
        raise OutputError(
            f"output {folder} holds files that no live run made: choose another --out"
        )


def _saver(stages: Stages) -> Callable[[], None]:
    file, matcher = stages.gallery, stages.matcher

    def save() -> None:
        if file is not None:
            file.save(matcher.gallery())

    return save


def _draw(result: FrameResult) -> Image:
    """Return a frame with boxes and identities."""
    image = result.frame.image.copy()
    labels = [
        Label((box[0], box[1], box[2], box[3]), number)
        for box, number in zip(result.tracks.xyxy.tolist(), result.global_id.tolist(), strict=True)
    ]
    draw_labels(image, labels, font_scale=1.0)
    return image
