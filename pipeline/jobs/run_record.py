"""The record of a run, ``run.json``."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

from pipeline import __version__
from pipeline.build import Stages
from pipeline.datatypes import UNASSIGNED
from pipeline.match.offline import count_people
from pipeline.runners.offline import Outcome
from pipeline.settings import Settings
from pipeline.sources import VideoFile

__all__ = ["record_at_end", "record_at_start"]

RECORDED_PACKAGES = ("torch", "openvino", "ultralytics", "av", "opencv-python", "numpy")


def record_at_start(
    settings: Settings, stages: Stages, sources: Sequence[VideoFile]
) -> dict[str, Any]:
    """Return what ``run.json`` says before the first frame."""
    sizes = {each.camera: (each.header.width, each.header.height) for each in sources}
    return {
        "versions": {
            "reid-pipeline": __version__,
            "python": platform.python_version(),
            **{name: metadata.version(name) for name in RECORDED_PACKAGES},
        },
        "started": _now(),
        "weights_sha256": stages.weights_sha256,
        "settings": settings.model_dump(mode="json"),
        "resolved": {
            "device": stages.device,
            "detector": stages.detector,
            "embedder": stages.embedder,
            "threshold": stages.threshold,
        },
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
        tracklets = outcome.tracklets
        counts = [
            count_people(tracklets, settings.match, threshold=threshold)
            for threshold in stages.count_thresholds(len(tracklets))
        ]
        interval = [min(len(people), *counts), max(len(people), *counts)]
    return {
        "finished": _now(),
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


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
