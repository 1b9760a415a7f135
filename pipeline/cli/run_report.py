"""What a run says about itself: its record and the final table."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

from rich.table import Table

from pipeline import __version__
from pipeline.build import Stages
from pipeline.datatypes import UNDECIDED
from pipeline.runners.offline import Outcome
from pipeline.settings import Settings
from pipeline.sources import VideoFile

__all__ = ["identity_table", "note_on_detector", "record_at_end", "record_at_start"]

RECORDED_PACKAGES = ("torch", "openvino", "ultralytics", "av", "opencv-python", "numpy")


def record_at_start(
    settings: Settings, stages: Stages, sources: Sequence[VideoFile]
) -> dict[str, Any]:
    """Return what ``run.json`` says before the first frame."""
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
    }


def record_at_end(outcome: Outcome, warnings: Sequence[str]) -> dict[str, Any]:
    """Return what ``run.json`` says when everything is written."""
    people = {i.global_id for i in outcome.identities.by_track.values()} - {UNDECIDED}
    return {
        "finished": _now(),
        "seconds": {part: round(seconds, 3) for part, seconds in outcome.seconds.items()},
        "identities": len(people),
        "cameras": [
            {
                "camera": count.camera,
                "frames": count.frames,
                "boxes": count.boxes,
                "tracks": sum(camera == count.camera for camera, _ in outcome.identities.by_track),
                "last_s": round(count.last_s, 4),
            }
            for count in outcome.counts.values()
        ],
        "warnings": list(warnings),
    }


def identity_table(outcome: Outcome) -> Table:
    """Return the identities: in which cameras they were seen, when, and for how long."""
    table = Table(title="People", title_justify="left")
    for name in ("ID", "seen in", "first", "last", "in view", "tracks"):
        table.add_column(name, justify="left" if name == "seen in" else "right")
    seen: dict[int, list[tuple[str, float, float]]] = {}
    for (camera, _), identity in outcome.identities.by_track.items():
        if identity.global_id != UNDECIDED:
            seen.setdefault(identity.global_id, []).append(
                (camera, identity.first_s, identity.last_s)
            )
    for global_id, tracks in sorted(seen.items()):
        order = sorted(tracks, key=lambda each: each[1])
        table.add_row(
            str(global_id),
            ", ".join(dict.fromkeys(camera for camera, _, _ in order)),
            f"{order[0][1]:.1f} s",
            f"{max(last for _, _, last in order):.1f} s",
            f"{sum(last - first for _, first, last in order):.1f} s",
            str(len(order)),
        )
    return table


def note_on_detector(settings: Settings) -> str | None:
    """Return what users of the built-in detector should know, nothing for those of another."""
    if settings.detect.weights is not None or settings.detect.detections is not None:
        return None
    return "Built-in detector; for difficult footage use --detector yolo11s.pt"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
