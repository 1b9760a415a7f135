"""`reid-pipeline batch`: a folder of many files and cameras, in units that survive anything."""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console

from pipeline import __version__
from pipeline.archive.footage import Footage, Recording, find_footage, read_manifest
from pipeline.archive.journal import Unit
from pipeline.archive.schedule import Schedule
from pipeline.archive_settings import BatchSettings
from pipeline.build_archive import ArchiveJob, ArchiveWorker, describe_models, resolve_archive
from pipeline.cli.batch_plan import look_at, show_plan
from pipeline.cli.batch_progress import BatchProgress
from pipeline.cli.outputs import check_folder
from pipeline.cli.run_report import note_on_detector
from pipeline.errors import DecodeError, OutputError, SettingsError, SourceError
from pipeline.jobs.report import report_at_end
from pipeline.layout.run import REPORT
from pipeline.run.engines import Engine, InProcess, Processes
from pipeline.run.ray_engine import RayCluster
from pipeline.settings import Settings, load_settings
from pipeline.sources.camera_list import VIDEO_SUFFIXES

__all__ = ["batch"]

log = logging.getLogger(__name__)


class EngineName(StrEnum):
    """What the work runs on."""

    process = "process"
    processes = "processes"
    ray = "ray"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the work runs, which changes no result."""

    engine: EngineName
    workers: int
    address: str | None
    gpus: float


def batch(  # noqa: PLR0917 - typer makes options of them
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
    config: Annotated[Path | None, typer.Option(help="Settings as YAML, see `config`.")] = None,
    detector: Annotated[
        str | None, typer.Option(help="Person detector, as for `run`.", show_default=False)
    ] = None,
    detections: Annotated[
        Path | None,
        typer.Option(
            help="Saved boxes (CSV) instead of a detector; `camera` holds the file's path.",
            show_default=False,
        ),
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(help="Re-identification weights.", show_default=False)
    ] = None,
    threshold: Annotated[
        float | None, typer.Option(help="Cosine similarity from which on two are one person.")
    ] = None,
    blur_faces: Annotated[
        bool | None,
        typer.Option(
            "--blur-faces/--show-faces",
            help="Blur the heads of everybody who was found, in thumbnails and report.",
            show_default=False,
        ),
    ] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = None,
    chunk_s: Annotated[
        float, typer.Option(help="Files are cut at the first key frame after so many seconds.")
    ] = 60.0,
    engine: Annotated[
        EngineName, typer.Option(help="One process, several, or a Ray cluster.")
    ] = EngineName.process,
    workers: Annotated[
        int, typer.Option(min=1, help="Processes, or actors of the cluster.")
    ] = os.cpu_count() or 1,
    address: Annotated[
        str | None, typer.Option(help="Of the Ray cluster; none = a new one, here.")
    ] = None,
    gpus: Annotated[
        float, typer.Option(min=0, help="Share of a GPU that each actor of the cluster takes.")
    ] = 0.0,
    plan: Annotated[bool, typer.Option("--plan", help="Show the plan and do nothing.")] = False,
) -> None:
    """Process all videos of a folder, go on after interruptions, and add files later."""
    if manifest is not None and pattern is not None:
        raise SettingsError("give --pattern or --manifest, not both")
    footage = (
        find_footage(folder, suffixes=VIDEO_SUFFIXES, pattern=pattern)
        if manifest is None
        else read_manifest(manifest, folder)
    )
    flags: dict[str, dict[str, Any]] = {
        "detect": {"weights": detector, "detections": detections},
        "embed": {"weights": weights},
        "match": {"threshold": threshold},
        "output": {"blur_heads": blur_faces},
        "runner": {"device": device},
    }
    given = {
        section: {name: value for name, value in values.items() if value is not None}
        for section, values in flags.items()
    }
    cameras = sorted({each.camera for each in footage.recordings})
    given["cameras"] = [{"name": name, "source": str(folder)} for name in cameras]  # type: ignore[assignment]
    settings = load_settings(config, given)
    batch_settings = _batch_settings(chunk_s)
    check_folder(out)
    _check_out(out)
    lengths, damaged = look_at(footage, folder, settings)
    show_plan(footage, lengths, damaged, chunk_s=chunk_s)
    if plan:
        return
    if not lengths:
        reason = next(iter(damaged.values()))
        raise SourceError(f"none of the {len(damaged)} files can be read; the first: {reason}")
    place = _Place(engine, 1 if engine is EngineName.process else workers, address, gpus)
    if (note := note_on_detector(settings)) is not None:
        Console(stderr=True).print(note, highlight=False)
    _process(footage, folder, out, settings, batch_settings, place, lengths, damaged)


def _process(  # noqa: PLR0917
    footage: Footage,
    folder: Path,
    out: Path,
    settings: Settings,
    batch_settings: BatchSettings,
    place: _Place,
    lengths: dict[str, float],
    damaged: dict[str, str],
) -> None:
    weights_sha256, thresholds = describe_models(settings)
    files = tuple(sorted(each.file for each in footage.recordings))
    job = ArchiveJob(
        folder.absolute(), out.absolute(), settings, batch_settings, weights_sha256, files
    )
    with job.journal.held():
        _refuse_other_settings(job)
        usable = [each for each in footage.recordings if each.file not in damaged]
        schedule = Schedule(usable, job.journal)
        job.journal.drop_outdated(footage.recordings)
        job.folder.write_record(_record(job, footage, schedule, damaged, status="incomplete"))
        _do_units(schedule, job, place, lengths)
        # Parts of files that were given up in the middle.
        job.journal.drop_outdated(footage.recordings)
        bad = damaged | schedule.failed
        for file, reason in bad.items():
            log.warning("%s was skipped: %s", file, reason)
        for file, found in schedule.finished.items():
            for text in found["warnings"]:
                log.warning("%s: %s", file, text)
        if not schedule.finished:
            raise DecodeError(f"none of the {len(files)} files could be processed: see above")
        people, threshold = resolve_archive(job.folder, settings, thresholds=thresholds)
        record = _record(job, footage, schedule, bad, status="complete")
        record |= {"threshold": threshold, "identities": people}
        job.folder.write_record(record | {"warnings": list(thresholds.warnings)})
        report_at_end(out)
    tracklets = sum(found["tracklets"] for found in schedule.finished.values())
    Console().print(
        f"{len(schedule.finished)} files, {tracklets} tracklets, {people} identities, "
        f"{len(bad)} files skipped; written to {out}, report in {out / REPORT}",
        highlight=False,
        markup=False,
    )


def _do_units(
    schedule: Schedule, job: ArchiveJob, place: _Place, lengths: dict[str, float]
) -> None:
    units = list(schedule.first())
    to_do = {unit.recording.file: lengths[unit.recording.file] for unit in units}
    engine = _engine(place, functools.partial(ArchiveWorker, job))
    with BatchProgress(to_do, workers=place.workers) as progress:

        def on_result(worker: int, unit: Unit, result: dict[str, Any]) -> list[Unit]:
            progress.update(worker, unit, result)
            return schedule.after(unit, result)

        def on_lost(unit: Unit) -> None:
            schedule.fail(unit, "the workers that had it died, perhaps for lack of memory")

        engine.run(units, on_result=on_result, on_lost=on_lost)


def _engine(place: _Place, make: Callable[[], Callable[[Unit], Any]]) -> Engine:
    if place.engine is EngineName.process:
        return InProcess(make)
    if place.engine is EngineName.processes:
        return Processes(make, workers=place.workers)
    return RayCluster(make, workers=place.workers, address=place.address, gpus=place.gpus)


def _batch_settings(chunk_s: float) -> BatchSettings:
    try:
        return BatchSettings(chunk_s=chunk_s)
    except ValidationError:
        raise SettingsError(f"--chunk-s {chunk_s:g}: expected seconds, more than 0") from None


def _check_out(out: Path) -> None:
    """Refuse a folder that holds something else than an archive."""
    foreign = out.is_dir() and any(out.iterdir()) and not (out / "work").is_dir()
    if foreign:
        raise OutputError(f"output {out} holds files but no archive: choose another --out")


def _refuse_other_settings(job: ArchiveJob) -> None:
    digest = job.folder.record().get("digest", job.digest)
    if digest != job.digest:
        raise OutputError(
            f"archive {job.out} was made with other settings of detection, tracking or embedding: "
            "choose another --out, or give the same ones again"
        )


def _record(
    job: ArchiveJob, footage: Footage, schedule: Schedule, bad: dict[str, str], *, status: str
) -> dict[str, Any]:
    return {
        "status": status,
        "version": __version__,
        "videos": str(job.videos),
        "names": footage.origin,
        "digest": job.digest,
        "weights_sha256": job.weights_sha256,
        "cameras": sorted({each.camera for each in footage.recordings}),
        "settings": job.settings.model_dump(mode="json"),
        "batch": job.batch.model_dump(mode="json"),
        "files": [_file_entry(each, schedule, bad) for each in footage.recordings],
    }


def _file_entry(each: Recording, schedule: Schedule, bad: dict[str, str]) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "file": each.file,
        "camera": each.camera,
        "start": each.start.isoformat(),
    }
    if each.file in bad:
        return entry | {"status": "skipped", "reason": bad[each.file]}
    found = schedule.finished.get(each.file)
    return entry | ({"status": "pending"} if found is None else {"status": "done", **found})
