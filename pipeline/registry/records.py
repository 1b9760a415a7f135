"""What the registry holds, for pages and programs that read it."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.registry.book import Book
from pipeline.registry.database import Database
from pipeline.registry.edits import Edit, EditKind
from pipeline.registry.telling import Told

__all__ = ["PersonRecord", "Records", "SightingRecord"]


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """One identity and where it was.

    Attributes:
        identity: Its number.
        name: What it is called, empty if nobody named it.
        first_s: When it was first seen, seconds since the epoch.
        last_s: When it was last seen.
        sightings: How often it was seen: tracks, of all cameras.
        cameras: Where, in alphabetical order.
        last_camera: Where last.
        portrait: The sighting with the best thumbnail.
        merged: Other numbers that it also had.
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


@dataclass(frozen=True, slots=True)
class SightingRecord:
    """One track of one identity.

    Attributes:
        sighting: Its number.
        identity: Whose it is.
        name: What that identity is called, empty if nobody named it.
        camera: Where.
        first_s: From when, seconds since the epoch.
        last_s: Until when.
        frames: Boxes in that time.
        by_hand: Whether somebody said by hand whose it is.
    """

    sighting: int
    identity: int
    name: str
    camera: str
    first_s: float
    last_s: float
    frames: int
    by_hand: bool


class Records:
    """Reads the registry from any thread, without holding up who writes.

    Args:
        database: Where it rests; what was written in the last second may be missing.
        book: Who is who.
    """

    def __init__(self, database: Database, book: Book) -> None:
        self._database = database
        self._book = book

    def people(
        self, *, limit: int, search: str = "", seen_before_s: float | None = None
    ) -> list[PersonRecord]:
        """Return identities, those seen last first.

        Args:
            limit: Most identities.
            search: Part of a name, or a number; empty finds everybody.
            seen_before_s: Only those last seen before that, to turn pages.
        """
        where, parameters = ["1"], list[Any]()
        if seen_before_s is not None:
            where.append("last_s < ?")
            parameters.append(seen_before_s)
        if search:
            numbers = self._found_by(search)
            where.append(f"identity IN ({','.join('?' * len(numbers))})")
            parameters += numbers
        return self._people(" AND ".join(where), parameters, limit)

    def count(self) -> int:
        """Return how many identities there are, merged ones counted once."""
        return int(self._rows("SELECT count(*) AS persons FROM people", [])[0]["persons"])

    def person(self, identity: int) -> PersonRecord | None:
        """Return one identity, by any number that it ever had; ``None`` if nobody has it."""
        found = self._people("identity = ?", [self._book.standing.of(identity)], 1)
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
            parameters.append(self._book.standing.of(identity))
        standing = self._book.standing
        rows = self._rows(
            f"SELECT * FROM sightings WHERE {where} AND last_s >= ? AND first_s <= ? "
            "ORDER BY last_s DESC, sighting DESC LIMIT ?",
            [*parameters, since_s, until_s, limit],
        )
        return [
            SightingRecord(
                row["sighting"],
                row["shown"],
                standing.name(row["shown"]),
                row["camera"],
                row["first_s"],
                row["last_s"],
                row["frames"],
                row["given"] is not None,
            )
            for row in rows
        ]

    def thumbnail(self, sighting: int) -> bytes | None:
        """Return a sighting's thumbnail as JPEG, ``None`` if it has none."""
        rows = self._rows("SELECT jpeg FROM thumbnails WHERE sighting = ?", [sighting])
        return bytes(rows[0]["jpeg"]) if rows else None

    def events(self, *, limit: int, after: int = 0, newest: bool = False) -> list[Told]:
        """Return events with a number above ``after``, oldest first.

        Args:
            limit: Most events.
            after: Number of the last event that is known already.
            newest: Where there are more than ``limit``, whether the newest ones are meant.
        """
        rows = self._rows(
            f"SELECT * FROM events WHERE event > ? ORDER BY event {'DESC' if newest else 'ASC'} "
            "LIMIT ?",
            [after, limit],
        )
        told = [self._told(row) for row in rows]
        return told[::-1] if newest else told

    def edits(self, *, limit: int) -> list[Edit]:
        """Return edits by hand and merges of the matcher, newest first."""
        return sorted(self._book.edits.values(), key=lambda edit: -edit.number)[:limit]

    def _found_by(self, search: str) -> list[int]:
        standing, wanted = self._book.standing, search.strip().casefold()
        found = {n for n, name in standing.named().items() if wanted in name.casefold()}
        digits = wanted.lstrip("#")
        if digits.isdecimal() and len(digits) < 18:
            found.add(standing.of(int(digits)))
        # SQLite takes some thousands of parameters; nobody reads so many rows.
        return sorted(found)[:500]

    def _people(self, where: str, parameters: Sequence[Any], limit: int) -> list[PersonRecord]:
        rows = self._rows(
            f"SELECT p.*, (SELECT group_concat(DISTINCT camera) FROM sightings "
            "WHERE shown = p.identity) AS cameras, (SELECT camera FROM sightings "
            "WHERE shown = p.identity ORDER BY last_s DESC LIMIT 1) AS last_camera "
            f"FROM people p WHERE {where} ORDER BY last_s DESC, identity LIMIT ?",
            [*parameters, limit],
        )
        standing = self._book.standing
        return [
            PersonRecord(
                row["identity"],
                standing.name(row["identity"]),
                row["first_s"],
                row["last_s"],
                row["sightings"],
                tuple(sorted(row["cameras"].split(","))),
                row["last_camera"],
                row["portrait"],
                tuple(n for n in standing.members(row["identity"]) if n != row["identity"]),
            )
            for row in rows
        ]

    def _told(self, row: sqlite3.Row) -> Told:
        standing = self._book.standing
        other = row["other"]
        name = standing.name(row["identity"])
        edit = self._book.edits.get(row["edit"])
        if row["kind"] == EditKind.RENAME and edit is not None:
            # What it was about, whatever was edited since.
            name = edit.name
        return {
            "event": row["event"],
            "time": row["time_s"],
            "kind": row["kind"],
            "identity": row["identity"],
            "name": name,
            "other": other,
            "other_name": None if other is None else standing.own_name(other),
            "camera": row["camera"],
            "from": row["came_from"],
            "track": row["track"],
            "author": row["author"],
            "edit": row["edit"],
        }

    def _rows(self, sql: str, parameters: Sequence[Any]) -> list[sqlite3.Row]:
        with self._database.reader() as connection:
            return connection.execute(sql, parameters).fetchall()
