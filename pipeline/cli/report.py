"""`reid-pipeline report`: one page that shows what finished work found."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.terminal import Console
from pipeline.foreign import is_same
from pipeline.jobs.outputs import check_files
from pipeline.jobs.report import write_report
from pipeline.layout.run import REPORT

__all__ = ["report"]


def report(
    where: Annotated[Path, typer.Argument(help="The --out folder of `run`, `batch` or `live`.")],
    *,
    out: Annotated[
        Path | None, typer.Option(help="File to write; none = report.html in the folder.")
    ] = None,
) -> None:
    """Write one HTML page of what was found that needs no other file and no network."""
    is_usual = out is None or is_same(out, where / REPORT)
    check_files([None if is_usual else out], [where])
    path = write_report(where, None if is_usual else out)
    Console().print(f"Written to {path}", highlight=False, markup=False)
