"""`reid-pipeline report`: one page that shows what finished work found."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pipeline.jobs.outputs import check_files
from pipeline.jobs.report import write_report

__all__ = ["report"]


def report(
    where: Annotated[Path, typer.Argument(help="The --out folder of `run`, `batch` or `live`.")],
    *,
    out: Annotated[
        Path | None, typer.Option(help="File to write; none = report.html in the folder.")
    ] = None,
) -> None:
    """Write one HTML page of what was found that needs no other file and no network."""
    check_files([out], [where])
    path = write_report(where, out)
    Console().print(f"Written to {path}", highlight=False, markup=False)
