"""Lines of the logs: tracks as CSV, events as JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from pipeline.datatypes import Event, FrameResult
from pipeline.layout.files import as_json
from pipeline.layout.recording import iso_utc, log_cell
from pipeline.sinks.tables import track_rows

__all__ = ["event_line", "track_lines"]


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
            writer.writerow([log_cell(str(row[0])), *row[1:], time, run])
            count += 1
    return text.getvalue().encode(), count


def event_line(event: Event) -> bytes:
    """Return an event as one line of JSON."""
    return as_json(event.as_json(), indent=None)
