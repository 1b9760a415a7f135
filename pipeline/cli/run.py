"""`reid-pipeline run`: the main job, from video files to one identity per person."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.cli.flags import refuse_flags
from pipeline.cli.json_output import JsonOption, file_of, write_json
from pipeline.cli.options import (
    ConfidenceOption,
    ConfigOption,
    DetectorOption,
    DeviceOption,
    ThresholdOption,
    WeightsOption,
)
from pipeline.cli.progress import RunProgress
from pipeline.cli.run_report import (
    identities_as_json,
    identity_table,
    note_on_detector,
    where_to_look,
)
from pipeline.cli.terminal import Console
from pipeline.jobs.inputs import settings_for
from pipeline.jobs.outputs import check_files
from pipeline.jobs.run import process_videos
from pipeline.sources.live.opening import is_live

__all__ = ["run"]

log = logging.getLogger(__name__)

DEFAULT_OUT = Path("runs") / "latest"


def run(  # noqa: PLR0917 - typer makes options of them
    context: typer.Context,
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
    config: ConfigOption = None,
    out: Annotated[Path, typer.Option(help="Folder for everything that is written.")] = DEFAULT_OUT,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace what an earlier run left in --out.")
    ] = False,
    detector: DetectorOption = None,
    detections: Annotated[
        Path | None,
        typer.Option(help="Saved boxes (CSV or MOT) instead of a detector.", show_default=False),
    ] = None,
    confidence: ConfidenceOption = None,
    nms_iou: Annotated[
        float | None, typer.Option(help="IoU threshold of non-maximum suppression, 0 to 1.")
    ] = None,
    image_size: Annotated[
        int | None, typer.Option(help="Longer side of the detector's input, pixels.")
    ] = None,
    weights: WeightsOption = None,
    threshold: ThresholdOption = None,
    gallery: Annotated[
        Path | None,
        typer.Option(
            help="Gallery file: read if it exists, written at the end.",
            show_default=False,
        ),
    ] = None,
    device: DeviceOption = None,
    batch_size: Annotated[
        int | None, typer.Option(help="Number of frames in a batch of the detector.")
    ] = None,
    max_seconds: Annotated[
        float | None, typer.Option(help="Stop each camera after this time of its video.")
    ] = None,
    video: Annotated[
        bool | None,
        typer.Option("--video/--no-video", help="Write annotated video.", show_default=False),
    ] = None,
    blur_faces: Annotated[
        bool | None,
        typer.Option(
            "--blur-faces/--show-faces",
            help="Blur the heads of all detected persons, in video and pictures.",
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
    json: JsonOption = None,
) -> None:
    """Find everybody in the videos and give each person one identity over all cameras.

    Given the addresses of cameras (rtsp://...), it watches them live, as `live` does.
    """
    given: dict[str, Any] = {
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
    }
    settings = settings_for(cams or [], base=config, given=given)
    if all(is_live(camera.source) for camera in settings.cameras):
        useless = [
            "overwrite",
            "max_seconds",
            "detections",
            "json",
            *(["resolve"] if resolve else []),
        ]
        refuse_flags(context, *useless, because="cannot be used with live cameras")
        from pipeline.cli import live  # noqa: PLC0415 - a server's packages, only paid when used

        given["live.recording.video"] = video
        settings = settings_for(cams or [], base=config, given=given)
        live_out = live.DEFAULT_OUT if out == DEFAULT_OUT else out
        live.show_live(settings, live_out, gallery=gallery)
        return
    inputs = [Path(each) for each in (config, *(cams or [])) if each is not None]
    check_files([file_of(json)], [*inputs, detections, weights, gallery], into=out)
    note = note_on_detector(settings)
    with RunProgress(note) as progress:
        warnings = process_videos(
            settings,
            out,
            overwrite=overwrite,
            gallery=gallery,
            on_start=progress.start,
            on_progress=progress.show,
            inputs=inputs,
        )
    for warning in warnings:
        log.warning("%s", warning)
    from pipeline.results import open_results  # noqa: PLC0415 - start-up time

    results = open_results(out)
    if write_json(json, identities_as_json(results), private=True):
        console = Console()
        console.print(identity_table(results))
        console.print(where_to_look(out), highlight=False)
