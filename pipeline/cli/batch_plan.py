"""What a batch is going to do: which files can be read, and how much video there is."""

from __future__ import annotations

from datetime import timedelta

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipeline.jobs.batch import ArchivePlan

__all__ = ["show_plan"]


def show_plan(plan: ArchivePlan) -> None:
    """Print a row for each camera on stderr."""
    footage, lengths, damaged = plan.footage, plan.lengths, plan.damaged
    chunk_s = plan.batch.chunk_s
    table = Table(title=escape(f"names: {footage.origin}"))
    table.add_column("camera")
    for name in ("files", "damaged", "from (UTC)", "to (UTC)", "video", "chunks, about"):
        table.add_column(name, justify="right")
    for camera in sorted({each.camera for each in footage.recordings}):
        own = [each for each in footage.recordings if each.camera == camera]
        good = [each for each in own if each.file not in damaged]
        seconds = sum(lengths[each.file] for each in good)
        chunks = sum(max(1, round(lengths[each.file] / chunk_s)) for each in good)
        end = max(each.start + timedelta(seconds=lengths.get(each.file, 0.0)) for each in own)
        row = [camera, str(len(own)), str(len(own) - len(good))]
        row += [f"{own[0].start:%Y-%m-%d %H:%M:%S}", f"{end:%Y-%m-%d %H:%M:%S}"]
        table.add_row(*row, str(timedelta(seconds=round(seconds))), str(chunks))
    console = Console(stderr=True)
    console.print(table)
    for file in (file for file, length_s in lengths.items() if not length_s):
        text = f"{file}: its length is not known, it states none that can be"
        console.print(text, highlight=False, markup=False)
