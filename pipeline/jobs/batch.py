"""The archive job: processes folders of many files in units that survive interruptions."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.archive.footage import Footage, find_footage, read_manifest
from pipeline.archive.journal import LOCK, Unit
from pipeline.archive.resolution import read_earlier, read_tracklets, write_identities
from pipeline.archive.schedule import Schedule
from pipeline.archive_settings import BatchSettings
from pipeline.build import embedder_hash
from pipeline.build_calibration import Thresholds, matching_thresholds
from pipeline.devices import resolve_device
from pipeline.embed.loading import load_embedder
from pipeline.errors import DecodeError, OutputError, SourceError
from pipeline.floor.placing import Floor
from pipeline.jobs.archive_record import archive_record
from pipeline.jobs.archive_worker import ArchiveJob, ArchiveWorker
from pipeline.jobs.outputs import check_folder
from pipeline.jobs.report import report_at_end
from pipeline.jobs.workplace import Workplace
from pipeline.layout.archive import ArchiveFolder
from pipeline.match.offline import place_warnings, resolve
from pipeline.settings import Settings
from pipeline.sources import VideoFile
from pipeline.sources.camera_list import VIDEO_SUFFIXES

__all__ = [
    "ArchivePlan",
    "FinishedArchive",
    "describe_models",
    "find_videos",
    "plan_archive",
    "process_archive",
]


@dataclass(frozen=True, slots=True)
class ArchivePlan:
    """What is to be done, and what can be.

    Attributes:
        videos: Folder of the videos.
        footage: All files in it.
        settings: Of the stages.
        batch: Of the archive.
        lengths: Seconds of each file that can be used.
        damaged: Why each other file cannot.
    """

    videos: Path
    footage: Footage
    settings: Settings
    batch: BatchSettings
    lengths: Mapping[str, float]
    damaged: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FinishedArchive:
    """What became of an archive.

    Attributes:
        path: Its folder.
        files: How many files are in it.
        tracklets: How many tracks were found in them.
        identities: How many persons those are.
        skipped: Files that are not in it, and why.
        warnings: What came up in the files, each with its name.
        has_report: Whether its report could be written.
    """

    path: Path
    files: int
    tracklets: int
    identities: int
    skipped: Mapping[str, str]
    warnings: Sequence[str]
    has_report: bool


OnStart = Callable[[Mapping[str, float], int], None]
OnUnit = Callable[[int, Unit, Mapping[str, Any]], None]


def find_videos(
    videos: Path, *, pattern: str | None = None, manifest: Path | None = None
) -> Footage:
    """Return the videos of a folder with the camera and the start time of each.

    Args:
        videos: The folder.
        pattern: Of the names, such as ``{camera}/{start:%Y%m%d_%H%M%S}.mp4``; none = guess it.
        manifest: CSV ``path,camera,start`` in place of a pattern.

    Raises:
        SourceError: There is no video, or camera and start of one are not known.
    """
    if manifest is not None:
        return read_manifest(manifest, videos)
    return find_footage(videos, suffixes=VIDEO_SUFFIXES, pattern=pattern)


def plan_archive(
    videos: Path, footage: Footage, out: Path, settings: Settings, batch: BatchSettings
) -> ArchivePlan:
    """Look which files can be read, and how long they are. Nothing is written.

    Raises:
        OutputError: ``out`` cannot be the folder of this archive.
    """
    check_folder(out)
    folder = ArchiveFolder(out)
    is_begun = folder.record_path.is_file() or (folder.work_path / LOCK).is_file()
    # One that was ended before its record was written leaves an empty folder.
    if not is_begun and any(not each.is_dir() for each in out.rglob("*")):
        raise OutputError(f"output {out} holds files but no archive: choose another --out")
    Floor(settings.cameras)  # a calibration that cannot be used is told before any work starts
    lengths: dict[str, float] = {}
    damaged: dict[str, str] = {}
    for each in footage.recordings:
        try:
            path, limit = videos / each.file, settings.source.max_pixels
            video = VideoFile(each.camera, path, max_pixels=limit)
        except SourceError as error:
            damaged[each.file] = str(error)
        else:
            lengths[each.file] = video.duration_s or 0.0
    return ArchivePlan(videos, footage, settings, batch, lengths, damaged)


def process_archive(
    plan: ArchivePlan,
    out: Path,
    place: Workplace | None = None,
    *,
    on_start: OnStart = lambda _seconds_of_file, _workers: None,
    on_unit: OnUnit = lambda _worker, _unit, _result: None,
) -> FinishedArchive:
    """Process all files that are new, and resolve identities over the whole archive.

    Args:
        plan: What to do.
        out: Folder of the archive; made, resumed or extended.
        place: Where the work runs; here, in this process, unless given.
        on_start: Called with the seconds of each file that is to be processed, and the number of
            workers.
        on_unit: Called with the number of a worker, the unit that it did, and what it found.

    Raises:
        ReidPipelineError: Bad input, or the archive cannot be written.
    """
    if not plan.lengths:
        reason = next(iter(plan.damaged.values()))
        raise SourceError(f"none of the {len(plan.damaged)} files can be read; the first: {reason}")
    place = place or Workplace()
    weights_sha256, thresholds = describe_models(plan.settings)
    recordings = plan.footage.recordings
    files = tuple(sorted(each.file for each in recordings))
    job = ArchiveJob(
        plan.videos.absolute(), out.absolute(), plan.settings, plan.batch, weights_sha256, files
    )
    with job.journal.held(), _interruption_noted(job):
        _try_networks(plan, job)
        _refuse_other_settings(job)
        schedule = Schedule([each for each in recordings if each.file in plan.lengths], job.journal)
        job.journal.drop_outdated(recordings)
        job.folder.write_record(
            archive_record(job, plan.footage, schedule, plan.damaged, status="incomplete")
        )
        units = list(schedule.first())
        on_start(
            {unit.recording.file: plan.lengths[unit.recording.file] for unit in units},
            place.workers,
        )
        _do_units(units, schedule, job, place, on_unit)
        # Parts of files that were given up in the middle.
        job.journal.drop_outdated(recordings)
        skipped = {**plan.damaged, **schedule.failed}
        if not schedule.finished:
            reason = next(iter(skipped.values()))
            raise DecodeError(
                f"none of the {len(files)} files could be processed; the first: {reason}"
            )
        people, threshold, doubts = _resolve(job.folder, plan.settings, thresholds=thresholds)
        record = archive_record(job, plan.footage, schedule, skipped, status="complete")
        record |= {"threshold": threshold, "identities": people}
        job.folder.write_record(
            record | {"warnings": [*thresholds.warnings, *doubts, *plan.footage.notes]}
        )
        has_report = report_at_end(out)
    tracklets = sum(found["tracklets"] for found in schedule.finished.values())
    warnings = [
        f"{file}: {text}" for file, found in schedule.finished.items() for text in found["warnings"]
    ]
    return FinishedArchive(
        out, len(schedule.finished), tracklets, people, skipped, warnings, has_report
    )


def _try_networks(plan: ArchivePlan, job: ArchiveJob) -> None:
    """See that the networks work before anything of outdated files is removed.

    Raises:
        ModelError: One does not.
    """
    first = next(each for each in plan.footage.recordings if each.file in plan.lengths)
    header = VideoFile(
        first.file, plan.videos / first.file, max_pixels=plan.settings.source.max_pixels
    ).header
    ArchiveWorker(job).rehearse(first, (header.width, header.height))


@contextmanager
def _interruption_noted(job: ArchiveJob) -> Iterator[None]:
    """Have the record say so where a signal ends the work; the next call goes on from there."""
    try:
        yield
    except KeyboardInterrupt:
        record = job.folder.record()
        if record.get("status") == "incomplete":
            job.folder.write_record(record | {"status": "interrupted"})
        raise


def describe_models(settings: Settings) -> tuple[str, Thresholds]:
    """Return the SHA-256 of the weights, and what gives the threshold among so many tracklets.

    Raises:
        ModelError: The weights cannot be used.
    """
    embedder = load_embedder(settings.embed, device=resolve_device(settings.runner.device))
    return embedder_hash(embedder), matching_thresholds(settings, embedder)


def _resolve(
    folder: ArchiveFolder, settings: Settings, *, thresholds: Thresholds
) -> tuple[int, float, list[str]]:
    """Resolve identities over the archive; return how many there are, the threshold, and warnings.

    Numbers that were given out before stay with the group that shares most boxes with them.

    Raises:
        InputError: The archive is damaged.
        SinkError: The identities cannot be written.
    """
    tracklets, names = read_tracklets(folder)
    before, first_free = read_earlier(folder)
    earlier = {
        (each.camera, each.track_id): before[name]
        for each, name in zip(tracklets, names, strict=True)
        if name in before
    }
    threshold = thresholds(len(tracklets))
    match = thresholds.weighed(settings.match)
    identities = resolve(
        tracklets,
        match,
        threshold=threshold,
        earlier=earlier,
        first_free=first_free,
    )
    people = write_identities(folder, identities, tracklets, names, first_free=first_free)
    return people, threshold, place_warnings(tracklets, match, threshold=threshold)


def _do_units(
    units: list[Unit], schedule: Schedule, job: ArchiveJob, place: Workplace, on_unit: OnUnit
) -> None:
    def on_result(worker: int, unit: Unit, result: dict[str, Any]) -> list[Unit]:
        on_unit(worker, unit, result)
        return schedule.after(unit, result)

    def on_lost(unit: Unit) -> None:
        schedule.fail(unit, "the workers that had it died, perhaps for lack of memory")

    engine = place.engine_for(functools.partial(ArchiveWorker, job))
    engine.run(units, on_result=on_result, on_lost=on_lost)


def _refuse_other_settings(job: ArchiveJob) -> None:
    digest = job.folder.record().get("digest", job.digest)
    if digest != job.digest:
        raise OutputError(
            f"archive {job.out} was made with other settings of detection, tracking or embedding: "
            "choose another --out, or give the same ones again"
        )
