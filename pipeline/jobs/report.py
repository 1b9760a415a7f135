"""Writing the report of finished work."""

from __future__ import annotations

import logging
from pathlib import Path

from pipeline.build_report import read_reported
from pipeline.errors import ReidPipelineError
from pipeline.layout.files import write_atomically
from pipeline.report.page import render_report

__all__ = ["REPORT", "report_at_end", "write_report"]

log = logging.getLogger(__name__)

REPORT = "report.html"


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
