"""Lines of the logs: tracks as CSV, events as JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence

from pipeline.datatypes import FrameResult
from pipeline.layout.run import TRACK_COLUMNS
from pipeline.sinks.live.file_names import iso_utc
from pipeline.sinks.tables import track_rows

__all__ = ["LOG_COLUMNS", "event_line", "track_lines"]

LOG_COLUMNS = [*TRACK_COLUMNS, "time", "run"]
"""Those of a run's ``tracks.csv``, the time as a calendar has it, and when the run began.

Frames and tracks are counted from the beginning of a run, so only together with ``run`` do they
say which one is meant.
"""
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
"""Spreadsheets take a cell that begins like this for a formula, and work it out."""


def track_lines(results: Sequence[FrameResult], run: str) -> tuple[bytes, int]:
    """Return the lines of all tracks of some frames, and how many they are.

    Args:
        results: What was found; ``frame.time_s`` in seconds since the epoch.
        run: When the run began.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    count = 0
    for result in results:
        if not len(result.tracks):
            continue
        time = iso_utc(result.frame.time_s)
        for row in track_rows(result):
            writer.writerow([*map(_cell, row[:1]), *row[1:], time, run])
            count += 1
    return text.getvalue().encode(), count


def event_line(event: Mapping[str, object]) -> bytes:
    """Return an event as one line of JSON; what JSON does not know is written as text."""
    return (json.dumps(dict(event), ensure_ascii=False, default=str) + "\n").encode()


def _cell(value: object) -> str:
    """Return a name as a cell that no spreadsheet works out."""
    text = str(value)
    return f"'{text}" if text.startswith(FORMULA_SIGNS) else text
