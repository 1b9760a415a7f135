"""`reid-pipeline run`: the main job, from video files to one identity per person."""

from __future__ import annotations

import logging
import time
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pipeline.build import Stages, build_sources, build_stages
from pipeline.cli.live import DEFAULT_OUT as DEFAULT_LIVE_OUT
from pipeline.cli.live import watch
from pipeline.cli.progress import CameraProgress
from pipeline.cli.run_options import settings_for_run
from pipeline.cli.run_report import identity_table, note_on_detector, record_at_end, record_at_start
from pipeline.datatypes import Frame
from pipeline.errors import ReidPipelineError, SettingsError, SinkError
from pipeline.jobs.report import report_at_end
from pipeline.protocols import Sink
from pipeline.run.offline import Outcome, run_offline
from pipeline.settings import Settings
from pipeline.sinks.annotated import render_videos
from pipeline.sinks.gallery import Gallery
from pipeline.sinks.run_folder import RunFolder
from pipeline.sinks.tables import EventLog, Tables
from pipeline.sources import VideoFile
from pipeline.sources.live.opening import is_live

__all__ = ["process", "run"]

log = logging.getLogger(__name__)

DEFAULT_OUT = Path("runs") / "latest"


def run(  # noqa: PLR0917 - typer makes options of them
    cams: Annotated[
        list[str] | None,
        typer.Option(
            "--cams",
            help="Video files, folders, globs, a camera list (YAML), or addresses of live cameras; "
            "several may follow.",
            metavar="SOURCE...",
            show_default=False,
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(help="Settings as YAML (see `config`); flags override them."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for everything that is written.")] = DEFAULT_OUT,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace what an earlier run left in --out.")
    ] = False,
    detector: Annotated[
        str | None,
        typer.Option(
            help="Person detector: a YOLO name (yolo11n.pt), file or OpenVINO folder; none = built-in.",
            show_default=False,
        ),
    ] = None,
    detections: Annotated[
        Path | None,
        typer.Option(help="Saved boxes (CSV or MOT) instead of a detector.", show_default=False),
    ] = None,
    confidence: Annotated[
        float | None, typer.Option(help="Least score of a detected person, 0 to 1.")
    ] = None,
    nms_iou: Annotated[
        float | None, typer.Option(help="Overlap from which on two boxes are one, 0 to 1.")
    ] = None,
    image_size: Annotated[
        int | None, typer.Option(help="Longer side of the detector's input, pixels.")
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(help="Re-identification weights instead of the package's own."),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(help="Cosine similarity from which on tracklets are one person, -1 to 1."),
    ] = None,
    gallery: Annotated[
        Path | None,
        typer.Option(
            help="File of known persons: read if it is there, written at the end.",
            show_default=False,
        ),
    ] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = None,
    batch_size: Annotated[
        int | None, typer.Option(help="Frames that go through the detector at once.")
    ] = None,
    max_seconds: Annotated[
        float | None, typer.Option(help="Stop every camera after this much of its time.")
    ] = None,
    video: Annotated[
        bool | None,
        typer.Option("--video/--no-video", help="Write annotated video.", show_default=False),
    ] = None,
    blur_faces: Annotated[
        bool | None,
        typer.Option(
            "--blur-faces/--show-faces",
            help="Blur the heads of everybody who was found, in video and pictures.",
            show_default=False,
        ),
    ] = None,
    resolve: Annotated[
        bool | None,
        typer.Option(
            "--resolve/--no-resolve",
            help="Resolve identities over the whole run at its end, or keep the online ones.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Find everybody in the videos and give each person one identity over all cameras.

    Given the addresses of cameras (rtsp://...), it watches them live, as `live` does.
    """
    settings = settings_for_run(
        config=config,
        cams=cams or [],
        flags={
            "detect.weights": detector,
            "detect.detections": detections,
            "detect.confidence": confidence,
            "detect.nms_iou": nms_iou,
            "detect.image_size": image_size,
            "embed.weights": weights,
            "match.threshold": threshold,
            "match.resolve": resolve,
            "runner.device": device,
            "runner.batch_size": batch_size,
            "source.max_seconds": max_seconds,
            "output.video": video,
            "output.blur_heads": blur_faces,
        },
    )
    if not any(is_live(camera.source) for camera in settings.cameras):
        process(settings, out, overwrite=overwrite, gallery=gallery)
        return
    given: dict[str, object] = {
        "--overwrite": overwrite,
        "--max-seconds": max_seconds,
        "--resolve": resolve,
        "--detections": detections,
    }
    if of_no_use := [name for name, value in given.items() if value]:
        raise SettingsError(
            f"{', '.join(of_no_use)} cannot be used with live cameras: leave it out"
        )
    watch(settings, DEFAULT_LIVE_OUT if out == DEFAULT_OUT else out, gallery=gallery)


def process(settings: Settings, out: Path, *, overwrite: bool, gallery: Path | None = None) -> None:
    """Run the whole job: everything is checked before anything is written.

    Args:
        settings: What to do.
        out: Folder for everything that is written.
        overwrite: Whether what an earlier run left there may be replaced.
        gallery: File of known persons, read if it is there and written at the end.

    Raises:
        ReidPipelineError: Bad input, or a run that failed; its record then says so.
    """
    sources = build_sources(settings)
    folder = RunFolder(out, overwrite=overwrite)
    stages = build_stages(settings, gallery=gallery)
    if (note := note_on_detector(settings)) is not None:
        Console(stderr=True).print(note, highlight=False)
    folder.start(record_at_start(settings, stages, sources))
    try:
        outcome = _find_everybody(settings, stages, sources, out)
        warnings = [*stages.warnings]
        warnings += [f"{source.camera}: {text}" for source in sources for text in source.warnings]
        warnings += [f"{c.camera}: {c.failure}" for c in outcome.counts.values() if c.failure]
        warnings += stages.pipeline.warnings()
        if settings.output.video:
            outcome.seconds["video"] = _draw(settings, sources, out, outcome)
        if stages.gallery is not None:
            stages.gallery.save(stages.matcher.gallery(outcome.identities))
    except ReidPipelineError as error:
        _record_failure(folder, str(error))
        raise
    folder.finish("complete", record_at_end(outcome, warnings))
    report_at_end(out)
    for warning in warnings[len(stages.warnings) :]:  # those were logged before the work
        log.warning("%s", warning)
    console = Console()
    console.print(identity_table(outcome))
    console.print(f"Written to {out}", highlight=False)


def _find_everybody(
    settings: Settings, stages: Stages, sources: list[VideoFile], out: Path
) -> Outcome:
    with ExitStack() as stack:
        events = stack.enter_context(closing(EventLog(out)))
        sinks: list[Sink] = [Tables(out), _gallery(settings, out)]
        for sink in sinks:
            stack.enter_context(closing(sink))
        progress = stack.enter_context(CameraProgress(sources, title="finding people"))
        return run_offline(
            stages.pipeline,
            sources,
            sinks,
            batch_size=settings.runner.batch_size,
            queue_frames=settings.source.queue_frames,
            on_progress=progress.update,
            on_events=events.write,
        )


def _gallery(settings: Settings, out: Path) -> Gallery:
    output = settings.output
    return Gallery(out, crops=output.gallery_crops, blur_heads=output.blur_heads)


def _draw(settings: Settings, sources: list[VideoFile], out: Path, outcome: Outcome) -> float:
    """Write the annotated video; return the seconds it took."""
    started = time.perf_counter()
    with CameraProgress(sources, title="drawing video ") as progress:
        drawn = dict.fromkeys(outcome.counts, 0)

        def show(frame: Frame) -> None:
            drawn[frame.camera] += 1
            done = drawn[frame.camera] == outcome.counts[frame.camera].frames
            progress.show(frame.camera, frames=drawn[frame.camera], time_s=frame.time_s, done=done)

        render_videos(sources, out / "tracks.csv", out, settings.output, on_frame=show)
    return time.perf_counter() - started


def _record_failure(folder: RunFolder, reason: str) -> None:
    """Note in the record why the run failed; where the disk is full, it stays incomplete."""
    with suppress(SinkError):
        folder.finish("failed", {"reason": reason})
