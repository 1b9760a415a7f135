"""`reid-pipeline report`: one page that tells what a run found."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pipeline.report.page import render_report
from pipeline.sinks.run_folder import write_atomically

__all__ = ["REPORT", "report", "write_report"]

REPORT = "report.html"


def report(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
    *,
    out: Annotated[
        Path | None, typer.Option(help="File to write; none = report.html in the run's folder.")
    ] = None,
) -> None:
    """Write one HTML page of a run that needs no other file and no network."""
    path = run / REPORT if out is None else out
    write_report(run, path)
    Console().print(f"Written to {path}", highlight=False, markup=False)


def write_report(run: Path, path: Path) -> None:
    """Write the report of a run; as it holds pictures of people, only the owner may read it.

    Raises:
        InputError: The folder is no run's, or is damaged.
        SinkError: The page cannot be written.
    """
    write_atomically(path, render_report(run).encode(), private=True)
