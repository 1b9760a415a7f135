"""The tables of a run: tracks as they are found, identities and embeddings at its end."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TextIO

import numpy as np

from pipeline.datatypes import Event, FrameResult, Identities, Tracklet
from pipeline.layout.files import cannot_write
from pipeline.layout.run import EVENTS_JSONL, TRACK_COLUMNS, TRACKS_CSV
from pipeline.places import PLACE_COLUMNS, cell
from pipeline.sinks.gaps import Gaps

__all__ = ["EventLog", "Tables", "track_rows"]

FLUSH_S = 1.0
"""Wall time after which written rows are on their way to the disk."""


class Tables:
    """Writes ``tracks.csv`` as the run goes; all other tables, and final ids, at its end.

    Args:
        folder: The run's folder.
        on_floor: Whether a camera is calibrated: then the tables have places.
    """

    def __init__(self, folder: Path, *, on_floor: bool = False) -> None:
        self._folder = folder
        self._on_floor = on_floor
        self._columns = [*TRACK_COLUMNS, *(PLACE_COLUMNS if on_floor else ())]
        self._path = folder / TRACKS_CSV
        try:
            self._file: TextIO = self._path.open("w", encoding="utf-8", newline="")
        except OSError as error:
            raise cannot_write(self._path, error) from None
        self._rows = csv.writer(self._file, lineterminator="\n")
        self._flushed_s = float("-inf")  # the first rows are there to be read at once
        self._rows.writerow(self._columns)
        self._waiting = False
        self._gaps = Gaps(folder)

    def write(self, result: FrameResult) -> None:
        """Append a row for every track of a frame that was looked at, with the identity known so far.

        Raises:
            SinkError: The disk is full or gone.
        """
        try:
            if not result.is_carried:
                self._rows.writerows(track_rows(result, on_floor=self._on_floor))
            self._gaps.see(result)
            self._waiting = self._waiting or bool(len(result.tracks))
            if self._waiting and time.monotonic() - self._flushed_s >= FLUSH_S:
                self._file.flush()
                self._flushed_s, self._waiting = time.monotonic(), False
        except OSError as error:
            raise cannot_write(self._path, error) from None

    def finish(self, identities: Identities, tracklets: Sequence[Tracklet]) -> None:
        """Rewrite the tracks with final identities and write the tables about tracklets.

        The rewritten tracks have a row of score 0 for every box that a track lacks, see `Gaps`.

        Raises:
            SinkError: The disk is full or gone; ``tracks.csv`` then keeps its online ids.
        """
        from pipeline.sinks.final_tables import FinalTables  # noqa: PLC0415 - start-up time of a run

        self._close_tracks()
        FinalTables(self._folder, self._gaps, on_floor=self._on_floor).write(identities, tracklets)

    def close(self) -> None:
        """Close ``tracks.csv``."""
        self._gaps.close()
        self._close_tracks()

    def _close_tracks(self) -> None:
        try:
            self._file.close()
        except OSError as error:
            raise cannot_write(self._path, error) from None


class EventLog:
    """Appends changes of identities to ``events.jsonl`` as they come.

    Args:
        folder: The run's folder.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / EVENTS_JSONL
        self._count = 0
        try:
            self._file = self._path.open("w", encoding="utf-8")
        except OSError as error:
            raise cannot_write(self._path, error) from None

    def write(self, events: Sequence[Event]) -> None:
        """Append events, oldest first.

        Raises:
            SinkError: The disk is full or gone.
        """
        try:
            for event in events:
                self._count += 1
                line = json.dumps(replace(event, number=self._count).as_json(), ensure_ascii=False)
                self._file.write(line + "\n")
            if events:
                self._file.flush()
        except OSError as error:
            raise cannot_write(self._path, error) from None

    def close(self) -> None:
        """Close the file."""
        try:
            self._file.close()
        except OSError as error:
            raise cannot_write(self._path, error) from None


def track_rows(result: FrameResult, *, on_floor: bool) -> Iterator[tuple[str | int, ...]]:
    """Yield a row of ``TRACK_COLUMNS`` for every track of a frame, in order of their numbers.

    With ``on_floor``, ``PLACE_COLUMNS`` follow, empty where no place is known.
    """
    camera, index, time_s = result.frame.camera, result.frame.index, f"{result.frame.time_s:.4f}"
    xywh = result.tracks.xyxy.copy()
    xywh[:, 2:] -= xywh[:, :2]
    order = np.argsort(result.tracks.track_id, kind="stable")
    places = result.tracks.places
    known = np.full((len(order), 3), np.nan) if places is None else places.cells()
    for row in order.tolist():
        x, y, w, h = xywh[row].tolist()
        yield (
            camera,
            index,
            time_s,
            int(result.tracks.track_id[row]),
            int(result.global_id[row]),
            f"{x:.2f}",
            f"{y:.2f}",
            f"{w:.2f}",
            f"{h:.2f}",
            f"{float(result.tracks.score[row]):.4f}",
            *(map(cell, known[row].tolist()) if on_floor else ()),
        )
