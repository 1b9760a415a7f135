"""`reid-pipeline report`: one page that tells what a run or an archive found."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pipeline.build_report import read_reported
from pipeline.cli.folders import refuse_live
from pipeline.cli.outputs import check_file
from pipeline.errors import ReidPipelineError
from pipeline.layout.files import write_atomically
from pipeline.report.page import render_report

__all__ = ["REPORT", "report", "report_at_end", "write_report"]

log = logging.getLogger(__name__)

REPORT = "report.html"


def report(
    where: Annotated[Path, typer.Argument(help="Folder of a finished run, or of an archive.")],
    *,
    out: Annotated[
        Path | None, typer.Option(help="File to write; none = report.html in the folder.")
    ] = None,
) -> None:
    """Write one HTML page of a run or an archive that needs no other file and no network."""
    refuse_live(where)
    path = where / REPORT if out is None else out
    if out is not None:
        check_file(out)
    write_report(where, path)
    Console().print(f"Written to {path}", highlight=False, markup=False)


def write_report(where: Path, path: Path) -> None:
    """Write the report of a run or an archive; only the owner may read the pictures in it.

    Raises:
        InputError: The folder is neither, or is damaged.
        SinkError: The page cannot be written.
    """
    write_atomically(path, render_report(read_reported(where)).encode(), private=True)


def report_at_end(out: Path) -> None:
    """Write the report of what is complete without it, so that a failure is only told."""
    try:
        write_report(out, out / REPORT)
    except ReidPipelineError as error:
        log.warning("%s is complete, but its report could not be written: %s", out, error)
