"""History of a recording by pages, for the web page: by queries, as a recording may be of weeks."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipeline.datatypes import UNASSIGNED, Event
from pipeline.layout.database import open_reader
from pipeline.layout.edit_log import EditLog
from pipeline.layout.edits import Edit, EditKind, Edits, sighting_name
from pipeline.layout.recording import REGISTRY
from pipeline.places import PATH_COLUMNS

__all__ = ["History", "PersonRecord", "SightingRecord"]

PLACED = ", ".join(PATH_COLUMNS)


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """One identity and where it was.

    Attributes:
        identity: Its number.
        name: What it is called, empty if it has no name.
        first_s: When it was first seen, seconds since the epoch.
        last_s: When it was last seen.
        sightings: How often it was seen: tracks, of all cameras.
        cameras: Where, in alphabetical order.
        last_camera: Where last.
        portrait: The sighting with the best thumbnail.
        merged: Other numbers that it also had.
        x_m: Where they were last on the floor, metres; ``None`` where it is not known.
        y_m: The other way.
        uncertainty_m: Deviation of that place, metres.
        speed_m_s: Median speed of that track.
    """

    identity: int
    name: str
    first_s: float
    last_s: float
    sightings: int
    cameras: tuple[str, ...]
    last_camera: str
    portrait: int
    merged: tuple[int, ...]
    x_m: float | None = None
    y_m: float | None = None
    uncertainty_m: float | None = None
    speed_m_s: float | None = None


@dataclass(frozen=True, slots=True)
class SightingRecord:
    """One track of one identity.

    Attributes:
        sighting: Its number.
        identity: Whose it is.
        name: What that identity is called, empty if it has no name.
        camera: Where.
        first_s: From when, seconds since the epoch.
        last_s: Until when.
        frames: Boxes in that time.
        by_hand: Whether somebody said by hand whose it is.
        x_m: Where they were last on the floor, metres; ``None`` where it is not known.
        y_m: The other way.
        uncertainty_m: Deviation of that place, metres.
        speed_m_s: Median speed of that track.
    """

    sighting: int
    identity: int
    name: str
    camera: str
    first_s: float
    last_s: float
    frames: int
    by_hand: bool
    x_m: float | None = None
    y_m: float | None = None
    uncertainty_m: float | None = None
    speed_m_s: float | None = None


class History:
    """Reads identities and sightings from any thread, without holding up the run that writes them.

    Args:
        folder: The recording; what was written in the last second may be missing.
        log: Its edits; a live run passes the one that it appends to.
        events: The newest, oldest first; appended to meanwhile.
    """

    def __init__(self, folder: Path, log: EditLog, events: deque[Event]) -> None:
        self._path = folder / REGISTRY
        self._log = log
        self._events = events

    @property
    def _edits(self) -> Edits:
        return self._log.edits

    def people(
        self, *, limit: int, search: str = "", seen_before_s: float | None = None
    ) -> list[PersonRecord]:
        """Return identities, those seen last first.

        Args:
            limit: Maximum number of identities.
            search: Part of a name, or a number; empty finds everybody.
            seen_before_s: Only those last seen before that, to turn pages.
        """
        where, parameters = ["1"], list[Any]()
        if seen_before_s is not None:
            where.append("p.last_s < ?")
            parameters.append(seen_before_s)
        if search:
            # SQLite takes some thousands of parameters; nobody reads so many rows.
            numbers = sorted(self._edits.found_by(search))[:500]
            where.append(f"p.identity IN ({','.join('?' * len(numbers))})")
            parameters += numbers
        return self._people(" AND ".join(where), parameters, limit)

    def count(self) -> int:
        """Return how many identities there are, merged ones counted once."""
        return int(self._rows("SELECT count(*) AS persons FROM people", [])[0]["persons"])

    def person(self, identity: int) -> PersonRecord | None:
        """Return one identity, by any number that it ever had; ``None`` if nobody has it."""
        found = self._people("p.identity = ?", [self._edits.shown(identity)], 1)
        return found[0] if found else None

    def sightings(
        self,
        *,
        limit: int,
        identity: int | None = None,
        since_s: float = float("-inf"),
        until_s: float = float("inf"),
    ) -> list[SightingRecord]:
        """Return sightings that overlap a span of time, newest first."""
        where, parameters = "shown IS NOT NULL", list[Any]()
        if identity is not None:
            where = "shown = ?"
            parameters.append(self._edits.shown(identity))
        edits = self._edits
        rows = self._rows(
            f"SELECT s.*, {PLACED} FROM sightings s LEFT JOIN places USING (sighting) WHERE {where} AND last_s >= ? AND first_s <= ? "  # nosec B608 # texts of this file
            "ORDER BY last_s DESC, s.sighting DESC LIMIT ?",
            [*parameters, since_s, until_s, limit],
        )
        return [
            SightingRecord(
                row["sighting"],
                row["shown"],
                edits.name(row["shown"]),
                row["camera"],
                row["first_s"],
                row["last_s"],
                row["frames"],
                sighting_name(row["camera"], row["track"]) in edits.given,
                *(row[name] for name in PATH_COLUMNS),
            )
            for row in rows
        ]

    def thumbnail(self, sighting: int) -> bytes | None:
        """Return a sighting's thumbnail as JPEG, ``None`` if it has none."""
        rows = self._rows("SELECT jpeg FROM thumbnails WHERE sighting = ?", [sighting])
        return bytes(rows[0]["jpeg"]) if rows else None

    def events(self, *, limit: int, after: int = 0, newest: bool = False) -> list[Event]:
        """Return events with a number above ``after``, oldest first, with the names of now.

        Args:
            limit: Maximum number of events.
            after: Number of the last event that is known already.
            newest: Where there are more than ``limit``, whether the newest ones are meant.
        """
        found = [each for each in self._events.copy() if each.number > after]
        return [self._with_names(each) for each in (found[-limit:] if newest else found[:limit])]

    def edits(self, *, limit: int) -> list[Edit]:
        """Return edits by hand and merges of the matcher, newest first."""
        return sorted(self._edits.by_number.values(), key=lambda edit: -edit.number)[:limit]

    def _people(self, where: str, parameters: Sequence[Any], limit: int) -> list[PersonRecord]:
        rows = self._rows(
            f"SELECT p.*, {PLACED}, newest.camera AS last_camera, "  # nosec B608 # texts of this file
            "(SELECT group_concat(DISTINCT camera) FROM sightings WHERE shown = p.identity) AS cameras "
            "FROM people p JOIN sightings newest ON newest.sighting = (SELECT sighting FROM sightings "
            "WHERE shown = p.identity ORDER BY last_s DESC LIMIT 1) "
            "LEFT JOIN places ON places.sighting = newest.sighting "
            f"WHERE {where} ORDER BY p.last_s DESC, p.identity LIMIT ?",
            [*parameters, limit],
        )
        edits = self._edits
        return [
            PersonRecord(
                row["identity"],
                edits.name(row["identity"]),
                row["first_s"],
                row["last_s"],
                row["sightings"],
                tuple(sorted(row["cameras"].split(","))),
                row["last_camera"],
                row["portrait"],
                tuple(n for n in edits.members(row["identity"]) if n != row["identity"]),
                *(row[name] for name in PATH_COLUMNS),
            )
            for row in rows
        ]

    def _with_names(self, event: Event) -> Event:
        edits = self._edits
        edit = edits.by_number.get(event.edit)
        # A rename tells what it was about, whatever was edited since.
        renamed = event.kind == EditKind.RENAME and edit is not None
        name = edit.name if renamed and edit is not None else edits.name(event.global_id)
        other = "" if event.other_id == UNASSIGNED else edits.own_name(event.other_id)
        return replace(event, name=name, other_name=other)

    def _rows(self, sql: str, parameters: Sequence[Any]) -> list[sqlite3.Row]:
        with open_reader(self._path) as connection:
            return connection.execute(sql, parameters).fetchall()
