"""`reid-pipeline live`: cameras watched for as long as they and the machine last."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from setproctitle import setproctitle

from pipeline.build_live import LiveSystem, build_live
from pipeline.cli.live_log import live_log
from pipeline.cli.live_view import LiveScreen
from pipeline.cli.run_options import settings_for_run
from pipeline.cli.run_report import note_on_detector
from pipeline.errors import RunError, SourceError
from pipeline.health import CameraState
from pipeline.protocols import LiveCamera
from pipeline.serve.server import WebServer, open_web
from pipeline.settings import Settings
from pipeline.sources.live.opening import open_live_cameras
from pipeline.sources.stream_address import secrets_of

__all__ = ["live", "watch"]

DEFAULT_OUT = Path("runs") / "live"
LOOK_S = 0.5
WEB_STOP_S = 1.0


def live(  # noqa: PLR0917 - typer makes options of them
    cams: Annotated[
        list[str] | None,
        typer.Option(
            "--cams",
            help="Addresses (rtsp://, http://), USB devices (usb://0) or a camera list (YAML); "
            "several may follow. A list keeps passwords out of the shell's history.",
            metavar="SOURCE...",
            show_default=False,
        ),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="Settings as YAML (see `config`); flags override them.")
    ] = None,
    out: Annotated[
        Path,
        typer.Option(help="Folder of recordings and identities; a restart goes on with it."),
    ] = DEFAULT_OUT,
    realtime: Annotated[
        bool,
        typer.Option("--realtime", help="Let video files stand in for cameras, in real time."),
    ] = False,
    loop: Annotated[
        bool, typer.Option("--loop", help="With --realtime: play files again and again.")
    ] = False,
    require_all: Annotated[
        bool, typer.Option("--require-all", help="End at once unless every camera delivers.")
    ] = False,
    serve: Annotated[
        bool,
        typer.Option("--serve/--no-serve", help="Show a page in the browser.", show_default=True),
    ] = True,
    host: Annotated[
        str | None, typer.Option(help="Address of the page; all but 127.0.0.1 need a token.")
    ] = None,
    port: Annotated[int | None, typer.Option(help="Port of the page.")] = None,
    token: Annotated[
        str | None,
        typer.Option(
            help="What has to be known to see the page.",
            envvar="REID_PIPELINE_TOKEN",
            show_default=False,
        ),
    ] = None,
    video: Annotated[
        bool | None,
        typer.Option("--video/--no-video", help="Record annotated video.", show_default=False),
    ] = None,
    transport: Annotated[
        str | None, typer.Option(help="How RTSP cameras send: tcp or udp.")
    ] = None,
    detector: Annotated[
        str | None,
        typer.Option(
            help="Person detector: a YOLO name (yolo11n.pt), file or OpenVINO folder; none = built-in.",
            show_default=False,
        ),
    ] = None,
    confidence: Annotated[
        float | None, typer.Option(help="Least score of a detected person, 0 to 1.")
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(help="Re-identification weights instead of the package's own.")
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(help="Cosine similarity from which on tracklets are one person, -1 to 1."),
    ] = None,
    gallery: Annotated[
        Path | None,
        typer.Option(help="File of known persons; none = the one in --out.", show_default=False),
    ] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = None,
) -> None:
    """Watch cameras live: one identity per person, a page in the browser, recordings."""
    settings = settings_for_run(
        config=config,
        cams=cams or [],
        flags={
            "detect.weights": detector,
            "detect.confidence": confidence,
            "embed.weights": weights,
            "match.threshold": threshold,
            "runner.device": device,
            "live.source.transport": transport,
            "live.source.loop_files": loop or None,
            "live.web.host": host,
            "live.web.port": port,
            "live.web.token": token,
            "live.recording.video": video,
        },
    )
    watch(settings, out, gallery=gallery, realtime=realtime, serve=serve, require_all=require_all)


def watch(
    settings: Settings,
    out: Path,
    *,
    gallery: Path | None = None,
    realtime: bool = False,
    serve: bool = True,
    require_all: bool = False,
) -> None:
    """Run until a signal comes, or until every file that stood in for a camera has ended.

    Args:
        settings: What to do.
        out: Folder of recordings and identities.
        gallery: File of the known persons, ``None`` for the one in ``out``.
        realtime: Whether files may stand in for cameras.
        serve: Whether there is a page.
        require_all: Whether every camera has to deliver at the start.

    Raises:
        ReidPipelineError: Bad input, or nothing could be processed any more.
    """
    # Arguments of a process are for everybody to see, and they may hold passwords.
    setproctitle("reid-pipeline live")
    secrets = {secret for camera in settings.cameras for secret in secrets_of(camera.source)}
    console = Console(stderr=True)
    with live_log(console, secrets), ExitStack() as stack:
        cameras = open_live_cameras(settings.cameras, settings.live.source, realtime=realtime)
        system = build_live(settings, out, cameras, gallery=gallery)
        stop_s = settings.live.runner.stop_s
        stack.callback(system.close, timeout_s=stop_s * 0.7)
        url = ""
        if serve:
            web = open_web(system.run, system.registry, settings.live.web)
            web.start()
            stack.callback(_end_web, web)
            url = web.url
        if (note := note_on_detector(settings)) is not None:
            console.print(note, highlight=False)
        watched = "1 camera" if len(cameras) == 1 else f"{len(cameras)} cameras"
        console.print(f"Watching {watched}, {'page: ' + url if url else 'no page'}")
        stop = threading.Event()
        with _signals(stop, stop_s=stop_s):
            for camera in cameras:
                camera.start()
            if require_all:
                _wait_for_all(cameras, stop, timeout_s=settings.live.source.connect_s)
            _work(system, stop, console=console, url=url)
    console.print(f"Written to {out}", highlight=False)
    if stop.is_set():
        # All is closed; taking down the libraries' threads would take seconds more.
        logging.shutdown()
        sys.stdout.flush()
        os._exit(0)


def _work(system: LiveSystem, stop: threading.Event, *, console: Console, url: str) -> None:
    """Let the loop run in a thread of its own: native code there cannot delay a signal here."""
    failures: list[BaseException] = []

    def loop() -> None:
        try:
            system.run.run(stop)
        except BaseException as error:
            failures.append(error)

    worker = threading.Thread(target=loop, name="live-run", daemon=True)
    worker.start()
    with LiveScreen(system.run, url=url, console=console, clock_s=time.monotonic()) as screen:
        while worker.is_alive():
            worker.join(LOOK_S)
            screen.show(system.recorder.state, clock_s=time.monotonic())
            if all(each.health().state is CameraState.STOPPED for each in system.cameras):
                stop.set()
    if failures:
        raise RunError(f"the live run failed: {failures[0]}") from failures[0]


@contextmanager
def _signals(stop: threading.Event, *, stop_s: float) -> Iterator[None]:
    """Have the first SIGINT, SIGTERM or SIGHUP set ``stop``, and the second end the process at once."""

    def handle(number: int, _: object) -> None:
        if stop.is_set():
            _end_at_once(128 + number)
        stop.set()
        # Whatever hangs: files are readable up to the last second anyway.
        timer = threading.Timer(stop_s, _give_up, args=(number, stop_s))
        timer.daemon = True
        timer.start()

    ends = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup has it
        ends.append(signal.SIGHUP)
    before = {each: signal.signal(each, handle) for each in ends}
    try:
        yield
    finally:
        for each, handler in before.items():
            # A second signal still ends the process while files are being closed.
            if not stop.is_set():
                signal.signal(each, handler)


def _give_up(number: int, stop_s: float) -> None:
    sys.stderr.write(f"error: the run did not end within {stop_s:g} s, so it is ended\n")
    sys.stderr.flush()
    _end_at_once(128 + number)


def _end_at_once(code: int) -> NoReturn:
    """End this process, and readers that hang: they would never hear that it is gone."""
    for reader in multiprocessing.active_children():
        reader.kill()
    os._exit(code)


def _wait_for_all(
    cameras: Sequence[LiveCamera], stop: threading.Event, *, timeout_s: float
) -> None:
    end_s = time.monotonic() + timeout_s
    while not stop.is_set():
        late = [each for each in (one.health() for one in cameras) if not each.state.delivers]
        if not late:
            return
        if time.monotonic() > end_s:
            told = ", ".join(f"{each.camera} is {each.state} ({each.reason})" for each in late)
            raise SourceError(
                f"not every camera delivers: {told}: mend it, or leave --require-all out"
            )
        stop.wait(0.1)


def _end_web(web: WebServer) -> None:
    web.stop(timeout_s=WEB_STOP_S)
