"""`reid-pipeline export`: the boxes of finished work in the formats of other tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.terminal import Console
from pipeline.exports.writing import ExportFormat
from pipeline.jobs.export import export as export_job

__all__ = ["export"]


def export(
    where: Annotated[Path, typer.Argument(help="Folder of a run, an archive or a recording.")],
    *,
    kind: Annotated[
        ExportFormat,
        typer.Option("--format", help="What other tools read; docs/exports.md describes each."),
    ],
    out: Annotated[Path, typer.Option(help="Folder to make; it must not hold anything yet.")],
) -> None:
    """Write boxes with tracks and identities for other tools."""
    sequences, boxes = export_job(where, out, kind=kind)
    Console().print(
        f"{boxes} boxes of {sequences} sequences written to {out}", highlight=False, markup=False
    )
