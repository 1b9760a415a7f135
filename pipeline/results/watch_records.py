"""Read access to the watch list and its alerts, for the page and the API."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.datatypes import FloatArray
from pipeline.layout.database import open_reader
from pipeline.layout.recording import REGISTRY

__all__ = ["AlertRecord", "WatchRecords", "WatchedRecord"]


@dataclass(frozen=True, slots=True)
class WatchedRecord:
    """Somebody who is looked for.

    Attributes:
        watched: Their number on the list.
        name: What alerts call them.
        is_of_folder: Whether the folder of ``--watch`` has them.
        pictures: How many there are of them.
        alerts: How many there were.
        last_alert_s: When the last one was, seconds since the epoch; ``None`` before the first.
    """

    watched: int
    name: str
    is_of_folder: bool
    pictures: int
    alerts: int
    last_alert_s: float | None


@dataclass(frozen=True, slots=True)
class AlertRecord:
    """One alert: somebody who is looked for was seen.

    Attributes:
        alert: Its number, that of its event.
        time_s: When, seconds since the epoch.
        watched: Who, by number on the list.
        name: What they are called.
        camera: Where.
        identity: Which identity that track shows now, ``None`` where it is not decided.
        similarity: Cosine of the track and the enrolled pictures.
        is_match: What the operator said, ``None`` while nobody did.
    """

    alert: int
    time_s: float
    watched: int
    name: str
    camera: str
    identity: int | None
    similarity: float
    is_match: bool | None


class WatchRecords:
    """Reads the watch list from any thread, without holding up who writes.

    Args:
        folder: The recording; what was found in the last second may be missing.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / REGISTRY

    def people(self) -> list[WatchedRecord]:
        """Return who is looked for, by name."""
        rows = self._rows(
            "SELECT watched, w.name, is_of_folder, (SELECT count(*) FROM watched_pictures p WHERE "
            "p.watched = w.watched) AS pictures, count(event) AS alerts, max(time_s) AS last_s "
            "FROM watched w LEFT JOIN alerts USING (watched) GROUP BY watched "
            "ORDER BY w.name COLLATE NOCASE",
        )
        return [
            WatchedRecord(
                row["watched"],
                row["name"],
                bool(row["is_of_folder"]),
                row["pictures"],
                row["alerts"],
                row["last_s"],
            )
            for row in rows
        ]

    def alerts(self, *, limit: int, before: int | None = None) -> list[AlertRecord]:
        """Return alerts, newest first; ``before`` is the number of one, to turn pages."""
        rows = self._rows(
            "SELECT a.*, s.shown FROM alerts a LEFT JOIN sightings s USING (camera, track) "
            "WHERE event < ? ORDER BY event DESC LIMIT ?",
            2**53 if before is None else before,
            limit,
        )
        return [
            AlertRecord(
                row["event"],
                row["time_s"],
                row["watched"],
                row["name"],
                row["camera"],
                row["shown"],
                row["similarity"],
                None if row["is_match"] is None else bool(row["is_match"]),
            )
            for row in rows
        ]

    def alert_picture(self, alert: int) -> bytes | None:
        """Return what was seen as JPEG, ``None`` where there is no such alert."""
        return self._picture("SELECT jpeg FROM alerts WHERE event = ?", alert)

    def picture(self, watched: int) -> bytes | None:
        """Return the first picture of somebody who is looked for, ``None`` if nobody is."""
        sql = "SELECT jpeg FROM watched_pictures WHERE watched = ? ORDER BY picture LIMIT 1"
        return self._picture(sql, watched)

    def vector(self, sighting: int) -> FloatArray | None:
        """Return the ``(D,)`` unit embedding of a sighting, ``None`` where it has none."""
        rows = self._rows("SELECT vector FROM embeddings WHERE sighting = ?", sighting)
        return np.frombuffer(rows[0]["vector"], np.float32) if rows else None

    def _picture(self, sql: str, number: int) -> bytes | None:
        rows = self._rows(sql, number)
        return bytes(rows[0]["jpeg"]) or None if rows else None

    def _rows(self, sql: str, *parameters: int) -> list[sqlite3.Row]:
        with open_reader(self._path) as reader:
            return reader.execute(sql, parameters).fetchall()
