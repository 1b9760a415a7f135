"""`reid-pipeline export`: the boxes of a run or an archive in the formats of other tools."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pipeline.cli.folders import refuse_live
from pipeline.exports.sequences import read_sequences
from pipeline.exports.writing import ExportFormat, export_boxes

__all__ = ["export"]


def export(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run, or of an archive.")],
    *,
    kind: Annotated[
        ExportFormat, typer.Option("--format", help="MOT Challenge text, COCO-style JSON or CSV.")
    ],
    out: Annotated[Path, typer.Option(help="Folder to make; it must not hold anything yet.")],
) -> None:
    """Write boxes with tracks and identities for other tools."""
    refuse_live(run)
    sequences, boxes = export_boxes(functools.partial(read_sequences, run), out, kind=kind)
    Console().print(
        f"{boxes} boxes of {sequences} sequences written to {out}", highlight=False, markup=False
    )
