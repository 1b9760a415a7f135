"""`reid-pipeline batch`: a folder of many files and cameras, in units that survive anything."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from pipeline.archive.journal import Unit
from pipeline.archive_settings import BatchSettings
from pipeline.cli.batch_plan import plan_as_json, show_plan
from pipeline.cli.batch_progress import BatchProgress
from pipeline.cli.flags import refuse_flags
from pipeline.cli.json_output import JsonOption, file_of, write_json
from pipeline.cli.options import (
    ConfigOption,
    DetectorOption,
    DeviceOption,
    ThresholdOption,
    WeightsOption,
)
from pipeline.cli.run_report import note_on_detector
from pipeline.cli.terminal import Console
from pipeline.errors import SettingsError
from pipeline.foreign import MARK
from pipeline.jobs.batch import find_videos, plan_archive, process_archive
from pipeline.jobs.inputs import settings_for
from pipeline.jobs.outputs import check_files
from pipeline.jobs.workplace import EngineName, Workplace
from pipeline.layout.run import REPORT
from pipeline.settings import read_yaml
from pipeline.sources.camera_list import read_calibrations, resolve_floor

__all__ = ["batch"]

log = logging.getLogger(__name__)


def batch(  # noqa: PLR0917 - typer makes options of them
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Folder that holds the videos.")],
    out: Annotated[Path, typer.Option(help="Folder of the archive; made, resumed or extended.")],
    pattern: Annotated[
        str | None,
        typer.Option(
            help="Names of the files: {camera}/{start:%Y%m%d_%H%M%S}.mp4; none = guess it.",
            show_default=False,
        ),
    ] = None,
    manifest: Annotated[
        Path | None,
        typer.Option(help="CSV path,camera,start instead of a pattern.", show_default=False),
    ] = None,
    config: ConfigOption = None,
    floor: Annotated[
        Path | None,
        typer.Option(help="Camera list with floor_points or calibration.", show_default=False),
    ] = None,
    detector: DetectorOption = None,
    detections: Annotated[
        Path | None,
        typer.Option(
            help="Saved boxes (CSV) instead of a detector; `camera` holds the file's path.",
            show_default=False,
        ),
    ] = None,
    weights: WeightsOption = None,
    threshold: ThresholdOption = None,
    blur_faces: Annotated[
        bool | None,
        typer.Option(
            "--blur-faces/--show-faces",
            help="Blur the heads of all detected persons, in thumbnails and report.",
            show_default=False,
        ),
    ] = None,
    device: DeviceOption = None,
    chunk_s: Annotated[
        float, typer.Option(help="Files are cut at the first key frame after so many seconds.")
    ] = 60.0,
    engine: Annotated[
        EngineName, typer.Option(help="One process, several, or a Ray cluster.")
    ] = "process",
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Processes, or actors of the cluster; none = one per processor."),
    ] = None,
    address: Annotated[
        str | None, typer.Option(help="Of the Ray cluster; none = a new one, here.")
    ] = None,
    gpus: Annotated[
        float | None,
        typer.Option(min=0, help="Share of a GPU that each actor of the cluster takes."),
    ] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Show the plan and do nothing.")] = False,
    json: JsonOption = None,
) -> None:
    """Process all videos of a folder, go on after interruptions, and add files later."""
    read = [folder, manifest, config, floor, detections, weights]
    check_files([file_of(json)], read, into=out)
    if manifest is not None and pattern is not None:
        raise SettingsError("give --pattern or --manifest, not both")
    of_others = [] if engine == "ray" else ["address", "gpus"]
    of_others += ["workers"] if engine == "process" else []
    refuse_flags(context, *of_others, because=f"changes nothing with --engine {engine}")
    count = 1 if engine == "process" else workers or os.cpu_count() or 1
    place = Workplace(engine, count, address, gpus or 0.0)
    footage = find_videos(folder, pattern=pattern, manifest=manifest)
    if config is not None and "cameras" in read_yaml(config):
        raise SettingsError(
            f"{config}: `batch` learns its cameras from the names of the files: leave `cameras` out"
        )
    names = sorted({each.camera for each in footage.recordings})
    known = {} if floor is None else read_calibrations(floor, names)
    shared = None if floor is None else resolve_floor([str(floor)])
    settings = settings_for(
        [],
        base=config,
        given={
            "detect.weights": detector,
            "detect.detections": detections,
            "embed.weights": weights,
            "match.threshold": threshold,
            "output.blur_heads": blur_faces,
            "runner.device": device,
            "floor": None if shared is None else shared.model_dump(),
        },
        cameras=[{"name": name, "source": str(folder)} | known.get(name, {}) for name in names],
    )
    prepared = plan_archive(folder, footage, out, settings, _batch_settings(chunk_s))
    show_plan(prepared)
    for note in footage.notes:
        log.warning("%s", note)
    content: dict[str, Any] = {"written_by": f"{MARK} batch", "plan": plan_as_json(prepared)}
    if plan:
        write_json(json, content)
        return
    with ExitStack() as stack:
        bars: list[BatchProgress] = []

        def start(seconds_of_file: Mapping[str, float], workers: int) -> None:
            if (note := note_on_detector(settings)) is not None:
                Console(stderr=True).print(note, highlight=False)
            bars.append(stack.enter_context(BatchProgress(seconds_of_file, workers=workers)))

        def show(worker: int, unit: Unit, result: Mapping[str, Any]) -> None:
            bars[0].update(worker, unit, result)

        done = process_archive(prepared, out, place, on_start=start, on_unit=show)
    for file, reason in done.skipped.items():
        log.warning("%s was skipped: %s", file, reason)
    for text in done.warnings:
        log.warning("%s", text)
    content["done"] = asdict(done) | {"path": str(done.path)}
    if not write_json(json, content):
        return
    Console().print(
        f"{done.files} files, {done.tracklets} tracklets, {done.identities} identities, "
        f"{len(done.skipped)} files skipped; written to {out}"
        + (f", report in {out / REPORT}" if done.has_report else ""),
        highlight=False,
        markup=False,
    )


def _batch_settings(chunk_s: float) -> BatchSettings:
    try:
        return BatchSettings(chunk_s=chunk_s)
    except ValidationError:
        raise SettingsError(f"--chunk-s {chunk_s:g}: expected seconds, more than 0") from None
