"""What a batch is going to do: which files can be read, and how much video there is."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipeline.archive.footage import Footage
from pipeline.errors import SourceError
from pipeline.settings import Settings
from pipeline.sources import VideoFile

__all__ = ["look_at", "show_plan"]


def look_at(
    footage: Footage, folder: Path, settings: Settings
) -> tuple[dict[str, float], dict[str, str]]:
    """Return the length of each file in seconds, and why files cannot be used."""
    lengths: dict[str, float] = {}
    damaged: dict[str, str] = {}
    for each in footage.recordings:
        try:
            video = VideoFile(
                each.camera, folder / each.file, max_pixels=settings.source.max_pixels
            )
        except SourceError as error:
            damaged[each.file] = str(error)
        else:
            lengths[each.file] = video.duration_s or 0.0
    return lengths, damaged


def show_plan(
    footage: Footage, lengths: dict[str, float], damaged: dict[str, str], *, chunk_s: float
) -> None:
    """Print a row for each camera on stderr.

    Args:
        footage: All files.
        lengths: Seconds of each file that can be used.
        damaged: Why each other file cannot.
        chunk_s: Length of the parts in which files are looked at.
    """
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
    Console(stderr=True).print(table)
