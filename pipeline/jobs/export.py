"""Writing boxes for other tools."""

from __future__ import annotations

from pathlib import Path

from pipeline.exports.writing import ExportFormat, export_boxes
from pipeline.results import open_results

__all__ = ["export"]


def export(where: Path, out: Path, *, kind: ExportFormat) -> tuple[int, int]:
    """Write boxes with tracks and identities; return how many sequences and boxes.

    Args:
        where: Folder of a run, an archive or a recording.
        out: Folder to make; it appears whole or not at all.
        kind: Format to write.

    Raises:
        ResultsError: ``where`` is none of these, is not finished, or damaged.
        OutputError: ``out`` is there already, or cannot be made.
        SinkError: It cannot be written.
    """
    return export_boxes(open_results(where), out, kind=kind)
