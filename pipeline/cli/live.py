"""`reid-pipeline live`: cameras watched for as long as they and the machine last."""

from __future__ import annotations

import logging
import multiprocessing
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from setproctitle import setproctitle

from pipeline.cli.flags import refuse_flags
from pipeline.cli.live_log import live_log
from pipeline.cli.live_view import LiveScreen
from pipeline.cli.options import (
    ConfidenceOption,
    ConfigOption,
    DetectorOption,
    DeviceOption,
    ThresholdOption,
    TokenOption,
    UsersOption,
    WeightsOption,
)
from pipeline.cli.run_report import note_on_detector
from pipeline.cli.terminal import Console
from pipeline.errors import SettingsError
from pipeline.jobs.inputs import settings_for
from pipeline.jobs.live import watch_cameras
from pipeline.jobs.live_system import LiveSystem
from pipeline.runners.memory import limit_kept_memory
from pipeline.settings import Settings
from pipeline.sources.stream_address import secrets_of

__all__ = ["DEFAULT_OUT", "live", "show_live"]

DEFAULT_OUT = Path("runs") / "live"
RTSP = re.compile("rtsps?://", re.IGNORECASE)


def live(  # noqa: PLR0917 - typer makes options of them
    context: typer.Context,
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
    config: ConfigOption = None,
    out: Annotated[
        Path,
        typer.Option(help="Folder of recordings and identities; a restart goes on with it."),
    ] = DEFAULT_OUT,
    realtime: Annotated[
        bool,
        typer.Option("--realtime", help="Play video files in place of cameras, in real time."),
    ] = False,
    loop: Annotated[
        bool, typer.Option("--loop", help="With --realtime: play files again and again.")
    ] = False,
    require_all: Annotated[
        bool, typer.Option("--require-all", help="Exit at once unless all cameras deliver frames.")
    ] = False,
    serve: Annotated[
        bool,
        typer.Option("--serve/--no-serve", help="Show a page in the browser.", show_default=True),
    ] = True,
    host: Annotated[
        str | None, typer.Option(help="Address of the page; all but 127.0.0.1 need a token.")
    ] = None,
    port: Annotated[int | None, typer.Option(help="Port of the page.")] = None,
    token: TokenOption = None,
    users: UsersOption = None,
    video: Annotated[
        bool | None,
        typer.Option("--video/--no-video", help="Record annotated video.", show_default=False),
    ] = None,
    blur_faces: Annotated[
        bool | None,
        typer.Option(
            "--blur-faces/--show-faces",
            help="Blur the heads of everybody who was found, on the page and in recordings.",
            show_default=False,
        ),
    ] = None,
    transport: Annotated[
        str | None, typer.Option(help="How RTSP cameras send: tcp or udp.")
    ] = None,
    detector: DetectorOption = None,
    confidence: ConfidenceOption = None,
    weights: WeightsOption = None,
    threshold: ThresholdOption = None,
    gallery: Annotated[
        Path | None,
        typer.Option(help="Gallery file; none = the one in --out.", show_default=False),
    ] = None,
    device: DeviceOption = None,
    watch: Annotated[
        Path | None,
        typer.Option(
            help="Folder of people to look for: NAME.jpg, or NAME/*.jpg for several pictures.",
            show_default=False,
        ),
    ] = None,
    archive: Annotated[
        list[Path] | None,
        typer.Option(
            help="Finished run, archive or recording that the page may search; several may be given.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Watch cameras live: one identity per person, a page in the browser, recordings."""
    settings = settings_for(
        cams or [],
        base=config,
        given={
            "detect.weights": detector,
            "detect.confidence": confidence,
            "embed.weights": weights,
            "match.threshold": threshold,
            "runner.device": device,
            "output.blur_heads": blur_faces,
            "live.source.transport": transport,
            "live.source.loop_files": loop or None,
            "live.web.host": host,
            "live.web.port": port,
            "live.web.token": token,
            "live.web.users": None if users is None else str(users),
            "live.recording.video": video,
        },
    )
    sources = [camera.source for camera in settings.cameras]
    if loop and not realtime:
        raise SettingsError(
            "--loop plays files, which needs --realtime: add it, or leave --loop out"
        )
    if not any(RTSP.match(source) for source in sources):
        refuse_flags(context, "transport", because="is for cameras at rtsp:// addresses")
    if not serve:
        off = "belongs to the page, which --no-serve turns off"
        refuse_flags(context, "host", "port", "token", "users", "archive", because=off)
    show_live(
        settings,
        out,
        gallery=gallery,
        watch=watch,
        archives=archive or (),
        realtime=realtime,
        serve=serve,
        require_all=require_all,
    )


def show_live(
    settings: Settings,
    out: Path,
    *,
    gallery: Path | None = None,
    watch: Path | None = None,
    archives: Sequence[Path] = (),
    realtime: bool = False,
    serve: bool = True,
    require_all: bool = False,
) -> None:
    """Watch cameras until a signal comes, and show in the terminal how they are doing.

    Args:
        settings: What to do.
        out: Folder of recordings and identities.
        gallery: File of the known persons, ``None`` for the one in ``out``.
        watch: Folder of pictures of those who are looked for.
        archives: Finished work that the page may search.
        realtime: Whether files may stand in for cameras.
        serve: Whether there is a page.
        require_all: Whether every camera has to deliver at the start.

    Raises:
        ReidPipelineError: Bad input, or nothing could be processed any more.
    """
    # Arguments of a process are for everybody to see, and they may hold passwords.
    setproctitle("reid-pipeline live")
    limit_kept_memory()
    secrets = {secret for camera in settings.cameras for secret in secrets_of(camera.source)}
    console = Console(stderr=True)
    stop = threading.Event()
    with live_log(console, secrets), ExitStack() as stack:
        screens: list[LiveScreen] = []

        def start(system: LiveSystem, url: str) -> None:
            if (note := note_on_detector(settings)) is not None:
                console.print(note, highlight=False)
            count = len(settings.cameras)
            watched = "1 camera" if count == 1 else f"{count} cameras"
            console.print(f"Watching {watched}, {'page: ' + url if url else 'no page'}")
            stack.enter_context(_signals(stop, stop_s=settings.live.runner.stop_s))
            screen = LiveScreen(system.run, url=url, console=console, clock_s=time.monotonic())
            screens.append(stack.enter_context(screen))

        def show(system: LiveSystem) -> None:
            screens[0].show(system.recorder.state, clock_s=time.monotonic())

        watch_cameras(
            settings,
            out,
            stop,
            gallery=gallery,
            watch=watch,
            archives=archives,
            realtime=realtime,
            serve=serve,
            require_all=require_all,
            on_start=start,
            on_tick=show,
        )
    console.print(f"Written to {out}", highlight=False)
    # All is closed; taking down the libraries' threads would take seconds more.
    logging.shutdown()
    sys.stdout.flush()
    os._exit(0)


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
