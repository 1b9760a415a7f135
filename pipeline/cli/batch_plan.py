"""What a batch is going to do: which files can be read, and how much video there is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from rich.markup import escape
from rich.table import Table

from pipeline.cli.terminal import Console
from pipeline.jobs.batch import ArchivePlan

__all__ = ["plan_as_json", "show_plan"]


def show_plan(plan: ArchivePlan) -> None:
    """Print a row for each camera on stderr."""
    table = Table(title=escape(f"names: {plan.footage.origin}"))
    table.add_column("camera")
    for name in ("files", "damaged", "from (UTC)", "to (UTC)", "video", "chunks, about"):
        table.add_column(name, justify="right")
    for each in _cameras(plan):
        row = [each.camera, str(each.files), str(each.damaged)]
        row += [f"{each.start:%Y-%m-%d %H:%M:%S}", f"{each.end:%Y-%m-%d %H:%M:%S}"]
        table.add_row(*row, str(timedelta(seconds=round(each.video_s))), str(each.chunks))
    console = Console(stderr=True)
    console.print(table)
    for file in (file for file, length_s in plan.lengths.items() if not length_s):
        text = f"{file}: its length is not known, it states none that can be"
        console.print(text, highlight=False, markup=False)


def plan_as_json(plan: ArchivePlan) -> list[dict[str, Any]]:
    """Return the rows as JSON holds them, with times as ISO 8601 in UTC."""
    return [
        asdict(each) | {"start": each.start.isoformat(), "end": each.end.isoformat()}
        for each in _cameras(plan)
    ]


@dataclass(frozen=True, slots=True)
class _Camera:
    camera: str
    files: int
    damaged: int
    start: datetime
    end: datetime
    video_s: float
    chunks: int
    """About: files are cut at their key frames."""


def _cameras(plan: ArchivePlan) -> Iterator[_Camera]:
    recordings, lengths = plan.footage.recordings, plan.lengths
    for camera in sorted({each.camera for each in recordings}):
        own = [each for each in recordings if each.camera == camera]
        good = [each for each in own if each.file not in plan.damaged]
        yield _Camera(
            camera,
            files=len(own),
            damaged=len(own) - len(good),
            start=own[0].start,
            end=max(each.start + timedelta(seconds=lengths.get(each.file, 0.0)) for each in own),
            video_s=sum(lengths[each.file] for each in good),
            chunks=sum(max(1, round(lengths[each.file] / plan.batch.chunk_s)) for each in good),
        )
