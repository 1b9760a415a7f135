"""Lines of the logs: tracks as CSV, events as JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from pipeline.datatypes import Event, FrameResult
from pipeline.layout.files import as_json
from pipeline.layout.recording import iso_utc, log_cell
from pipeline.layout.run import TRACK_COLUMNS
from pipeline.sinks.tables import track_rows

__all__ = ["event_line", "track_lines"]


def track_lines(results: Sequence[FrameResult], run: str, *, on_floor: bool) -> tuple[bytes, int]:
    """Return the lines of all tracks of some frames, and how many they are.

    Args:
        results: What was found; ``frame.time_s`` in seconds since the epoch.
        run: When the run began.
        on_floor: Whether they have places.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    count = 0
    for result in results:
        if not len(result.tracks):
            continue
        time = iso_utc(result.frame.time_s)
        for row in track_rows(result, on_floor=on_floor):
            known, places = row[: len(TRACK_COLUMNS)], row[len(TRACK_COLUMNS) :]
            writer.writerow([log_cell(str(known[0])), *known[1:], time, run, *places])
            count += 1
    return text.getvalue().encode(), count


def event_line(event: Event) -> bytes:
    """Return an event as one line of JSON."""
    return as_json(event.as_json(), indent=None)
