"""The record of a run, ``run.json``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.build import Stages
from pipeline.datatypes import UNASSIGNED
from pipeline.jobs.made_with import made_with, now
from pipeline.match.offline import count_people
from pipeline.runners.offline import Outcome
from pipeline.settings import Settings
from pipeline.sources import VideoFile

__all__ = ["record_at_end", "record_at_start"]


def record_at_start(
    settings: Settings, stages: Stages, sources: Sequence[VideoFile]
) -> dict[str, Any]:
    """Return what ``run.json`` says before the first frame."""
    sizes = {each.camera: (each.header.width, each.header.height) for each in sources}
    return {
        **made_with(stages),
        "settings": settings.model_dump(mode="json"),
        "inputs": [
            {
                "camera": source.camera,
                "source": str(source.path),
                "bytes": source.path.stat().st_size,
                "width": source.header.width,
                "height": source.header.height,
                "duration_s": source.duration_s,
            }
            for source in sources
        ],
        **({"floor": stages.floor.seen(sizes)} if stages.floor else {}),
    }


def record_at_end(
    outcome: Outcome, settings: Settings, stages: Stages, warnings: Sequence[str]
) -> dict[str, Any]:
    """Return what ``run.json`` says when everything is written."""
    people = {i.global_id for i in outcome.identities.by_track.values()} - {UNASSIGNED}
    interval = None
    if settings.match.resolve and stages.count_thresholds is not None:
        loose, strict = stages.count_thresholds(len(outcome.tracklets))
        counts = count_people(outcome.tracklets, settings.match, loose=loose, strict=strict)
        interval = [min(len(people), *counts), max(len(people), *counts)]
    return {
        "finished": now(),
        "seconds": {part: round(seconds, 3) for part, seconds in outcome.seconds.items()},
        "identities": len(people),
        "identities_interval": interval,
        "cameras": [
            {
                "camera": count.camera,
                "frames": count.frames,
                "boxes": count.boxes,
                "tracks": sum(camera == count.camera for camera, _ in outcome.identities.by_track),
                "first_s": count.first_s,
                "last_s": round(count.last_s, 4),
                "sizes": count.sizes,
            }
            for count in outcome.counts.values()
        ],
        "warnings": list(warnings),
    }
