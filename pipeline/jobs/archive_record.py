"""The record of an archive, ``archive.json``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.archive.footage import Footage, Recording
from pipeline.archive.schedule import Schedule
from pipeline.floor.placing import Floor
from pipeline.jobs.archive_worker import ArchiveJob
from pipeline.version import __version__

__all__ = ["archive_record"]


def archive_record(
    job: ArchiveJob,
    footage: Footage,
    schedule: Schedule,
    skipped: Mapping[str, str],
    *,
    status: str,
) -> dict[str, Any]:
    """Return what ``archive.json`` says of files, settings and models.

    Args:
        job: What is done.
        footage: All files.
        schedule: What was done of them.
        skipped: Files that cannot be used, and why.
        status: ``incomplete`` or ``complete``.
    """
    floor = Floor(job.settings.cameras)
    found = ((each.camera, schedule.finished.get(each.file, {})) for each in footage.recordings)
    sizes = {camera: tuple(own["size"]) for camera, own in found if "size" in own}
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
        **({"floor": floor.seen(sizes)} if floor else {}),
        "files": [_file_entry(each, schedule, skipped) for each in footage.recordings],
    }


def _file_entry(each: Recording, schedule: Schedule, skipped: Mapping[str, str]) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "file": each.file,
        "camera": each.camera,
        "start": each.start.isoformat(),
    }
    if each.file in skipped:
        return entry | {"status": "skipped", "reason": skipped[each.file]}
    found = schedule.finished.get(each.file)
    return entry | ({"status": "pending"} if found is None else {"status": "done", **found})
