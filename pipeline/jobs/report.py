"""Writing the report page of results."""

from __future__ import annotations

import logging
from pathlib import Path

from pipeline.errors import ReidPipelineError
from pipeline.layout.files import write_atomically
from pipeline.layout.run import REPORT

__all__ = ["report_at_end", "write_report"]

log = logging.getLogger(__name__)


def write_report(where: Path, out: Path | None = None) -> Path:
    """Write the report of finished work; only the owner may read the pictures in it.

    Args:
        where: Folder of a run, an archive or a recording.
        out: File to write; ``None`` = ``report.html`` in the folder.

    Returns:
        The file that was written.

    Raises:
        ResultsError: The folder is none of these, or is damaged.
        SinkError: The page cannot be written.
    """
    from pipeline.report.page import render_report  # noqa: PLC0415 - start-up time of a run
    from pipeline.results import open_results  # noqa: PLC0415

    path = where / REPORT if out is None else out
    page = render_report(open_results(where))
    write_atomically(path, page.encode("utf-8", "backslashreplace"), private=True)
    return path


def report_at_end(out: Path) -> bool:
    """Write the report of work that is complete without it; log a failure, return ``False``."""
    try:
        write_report(out)
    except ReidPipelineError as error:
        log.warning("%s is complete, but its report could not be written: %s", out, error)
        return False
    return True
