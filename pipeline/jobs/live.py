"""The live job: processes cameras until it is stopped."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from pipeline.build import OwnStages
from pipeline.errors import RunError, SettingsError, SourceError
from pipeline.health import CameraState
from pipeline.jobs.live_forget import LiveForget
from pipeline.jobs.live_system import LiveSystem, build_live
from pipeline.jobs.lookup import PageLookup
from pipeline.jobs.page_floor import LiveFloor
from pipeline.jobs.start import check_open_files
from pipeline.layout.recording import AUDIT_FILE
from pipeline.protocols import LiveCamera
from pipeline.serve.audit import AuditLog
from pipeline.serve.server import open_web
from pipeline.settings import Settings
from pipeline.sources.live.opening import open_live_cameras

__all__ = ["watch_cameras"]

TICK_S = 0.5
WEB_STOP_S = 1.0
STOP_SHARE = 0.7
"""Share of ``live.runner.stop_s`` that files, cameras and notifications get to finish in."""


def watch_cameras(
    settings: Settings,
    out: Path,
    stop: threading.Event,
    *,
    gallery: Path | None = None,
    watch: Path | None = None,
    archives: Sequence[Path] = (),
    own: OwnStages | None = None,
    realtime: bool = False,
    serve: bool = True,
    require_all: bool = False,
    on_start: Callable[[LiveSystem, str], None] = lambda _system, _url: None,
    on_tick: Callable[[LiveSystem], None] = lambda _system: None,
) -> None:
    """Watch cameras until ``stop`` is set, or every file that stood in for a camera has ended.

    Args:
        settings: What to do.
        out: Folder of recordings and identities; a later run goes on with it.
        stop: Ends the run; it is set when this function returns.
        gallery: File of the known persons, ``None`` for the one in ``out``.
        watch: Folder of pictures of those who are looked for, ``None`` for none.
        archives: Finished work that the page may search.
        own: Stages to take instead of those of the settings.
        realtime: Whether files may stand in for cameras.
        serve: Whether there is a web page.
        require_all: Whether every camera has to deliver at the start.
        on_start: Called with the system and the address of its page, empty where there is none,
            before the first camera is connected.
        on_tick: Called about twice a second.

    Raises:
        ReidPipelineError: Bad input, or nothing could be processed any more.
    """
    _refuse_what_live_cannot_do(settings)
    check_open_files(len(settings.cameras), video=settings.live.recording.video, live=True)
    with ExitStack() as stack:
        cameras = open_live_cameras(settings.cameras, settings.live.source, realtime=realtime)
        system = build_live(settings, out, cameras, gallery=gallery, own=own)
        stack.callback(system.close, timeout_s=settings.live.runner.stop_s * STOP_SHARE)
        lookup = PageLookup(
            settings,
            home=out,
            weights_sha256=system.stages.weights_sha256,
            archives=archives,
            own=own,
        )
        system.registry.enrol_folder({} if watch is None else lookup.people_in(watch))
        url = ""
        if serve:
            audit = AuditLog(out / AUDIT_FILE, keep_days=settings.live.recording.keep_days)
            eraser = LiveForget(system, lookup.forget_found)
            page = system.run, system.registry, lookup, eraser, settings.live.web
            floor = LiveFloor(system.run, out, system.stages.floor, settings)
            web = open_web(*page, floor=floor, audit=audit)
            web.start()
            stack.callback(partial(web.stop, timeout_s=WEB_STOP_S))
            stack.callback(eraser.close)
            url = web.url
        on_start(system, url)
        for camera in cameras:
            camera.start()
        if require_all:
            _wait_for_all(cameras, stop, timeout_s=settings.live.source.connect_s)
        _work(system, stop, on_tick, stop_s=settings.live.runner.stop_s)


def _refuse_what_live_cannot_do(settings: Settings) -> None:
    """Refuse settings that would be ignored, for the same file may serve `run` and `live`.

    Raises:
        SettingsError: One of them was set.
    """
    asked = {
        "detect.detections": settings.detect.detections is not None,
        "source.max_seconds": settings.source.max_seconds is not None,
    }
    if useless := [name for name, is_set in asked.items() if is_set]:
        raise SettingsError(f"{useless[0]} cannot be used with live cameras: leave it out")


def _work(
    system: LiveSystem,
    stop: threading.Event,
    on_tick: Callable[[LiveSystem], None],
    *,
    stop_s: float,
) -> None:
    """Let the loop run in a thread of its own: native code there cannot delay a signal here."""
    failures: list[BaseException] = []

    def loop() -> None:
        try:
            system.run.run(stop)
        except BaseException as error:
            failures.append(error)

    worker = threading.Thread(target=loop, name="live-run", daemon=True)
    worker.start()
    has_views = False
    try:
        while worker.is_alive():
            worker.join(TICK_S)
            has_views = has_views or system.note_views()
            on_tick(system)
            if all(each.health().state is CameraState.STOPPED for each in system.cameras):
                stop.set()
    finally:
        stop.set()
        worker.join(stop_s)
    if failures:
        raise RunError(f"the live run failed: {failures[0]}") from failures[0]


def _wait_for_all(
    cameras: Sequence[LiveCamera], stop: threading.Event, *, timeout_s: float
) -> None:
    end_s = time.monotonic() + timeout_s
    while not stop.is_set():
        late = [each for each in (one.health() for one in cameras) if not each.state.delivers]
        if not late:
            return
        if time.monotonic() > end_s:
            described = ", ".join(f"{each.camera} is {each.state} ({each.reason})" for each in late)
            raise SourceError(
                f"not every camera delivers: {described}: repair it, or leave out --require-all"
            )
        stop.wait(0.1)
