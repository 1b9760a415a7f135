"""The registry's file: SQLite with a write-ahead log, readable by its owner alone."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from pipeline.errors import InputError, SinkError

__all__ = ["Database", "Statement"]

Statement = tuple[str, Sequence[Any]]
"""SQL and its parameters."""

FORMAT = 1
BUSY_S = 5.0
"""How long to wait for another program that has the file open, for example a backup."""

SCHEMA = """
CREATE TABLE counters (name TEXT PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID;

-- The matcher's numbers and the ones that are shown. Persons split off by hand have none of
-- the matcher's, so the two cannot be the same.
CREATE TABLE matched (matcher_id INTEGER PRIMARY KEY, identity INTEGER NOT NULL UNIQUE);

-- One row for every track of an identity. `found` is whose the matcher says it is, `given`
-- whose somebody says by hand, `shown` what follows from both after all merges.
CREATE TABLE sightings (
    sighting INTEGER PRIMARY KEY,
    session INTEGER NOT NULL,
    camera TEXT NOT NULL,
    track INTEGER NOT NULL,
    found INTEGER,
    given INTEGER,
    shown INTEGER,
    first_s REAL NOT NULL,
    last_s REAL NOT NULL,
    frames INTEGER NOT NULL,
    quality REAL NOT NULL
);
CREATE INDEX sightings_by_track ON sightings (session, camera, track);
CREATE INDEX sightings_by_shown ON sightings (shown, last_s);
CREATE INDEX sightings_by_owner ON sightings (ifnull(given, found));
CREATE INDEX sightings_by_time ON sightings (last_s);
CREATE TABLE thumbnails (sighting INTEGER PRIMARY KEY, jpeg BLOB NOT NULL);

-- What the sightings of each shown identity come to; kept up to date with them.
CREATE TABLE people (
    identity INTEGER PRIMARY KEY,
    first_s REAL NOT NULL,
    last_s REAL NOT NULL,
    sightings INTEGER NOT NULL,
    portrait INTEGER NOT NULL
);
CREATE INDEX people_by_time ON people (last_s);

CREATE TABLE edits (
    edit INTEGER PRIMARY KEY,
    time_s REAL NOT NULL,
    author TEXT NOT NULL,
    kind TEXT NOT NULL,
    identity INTEGER NOT NULL,
    other INTEGER,
    name TEXT NOT NULL,
    undone INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE edited_sightings (
    edit INTEGER NOT NULL, sighting INTEGER NOT NULL, PRIMARY KEY (edit, sighting)
) WITHOUT ROWID;
CREATE INDEX edited_sightings_by_sighting ON edited_sightings (sighting, edit);

CREATE TABLE events (
    event INTEGER PRIMARY KEY,
    time_s REAL NOT NULL,
    kind TEXT NOT NULL,
    identity INTEGER NOT NULL,
    other INTEGER,
    camera TEXT,
    track INTEGER,
    came_from TEXT,
    sighting INTEGER,
    author TEXT NOT NULL,
    edit INTEGER
);
CREATE INDEX events_by_time ON events (time_s);
"""


class Database:
    """One connection that writes, and others that read meanwhile.

    Args:
        path: The file; made if it is not there.

    Raises:
        InputError: The file cannot be opened, is no registry, or one of a newer version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # SQLite gives its log files the rights that this one has.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._writer = sqlite3.connect(
                path, timeout=BUSY_S, isolation_level=None, check_same_thread=False
            )
            self._prepare()
        except OSError as error:
            raise InputError(
                f"registry {path} cannot be opened ({error.strerror}): choose another file"
            ) from None
        except sqlite3.Error as error:
            raise InputError(
                f"registry {path} cannot be used ({error}): move it away, or choose another file"
            ) from None

    def write(self, statements: Iterable[Statement]) -> None:
        """Carry out statements, all or none of them.

        Raises:
            SinkError: The file cannot be written; nothing in it has changed.
        """
        try:
            self._writer.execute("BEGIN IMMEDIATE")
            for sql, parameters in statements:
                self._writer.execute(sql, parameters)
            self._writer.execute("COMMIT")
        except sqlite3.Error as error:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            raise SinkError(
                f"registry {self.path} could not be written ({error}): make room on its disk; "
                "it goes on by itself"
            ) from None

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[sqlite3.Row]:
        """Return what a query finds, by the writing connection."""
        return self._writer.execute(sql, parameters).fetchall()

    @contextmanager
    def reader(self) -> Iterator[sqlite3.Connection]:
        """Open a connection that only reads; it never waits for the writer, nor the other way."""
        uri = self.path.resolve().as_uri() + "?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=BUSY_S)) as connection:
            connection.row_factory = sqlite3.Row
            yield connection

    def close(self) -> None:
        """Close the file; its log is folded into it."""
        self._writer.close()

    def _prepare(self) -> None:
        self._writer.row_factory = sqlite3.Row
        found = self._writer.execute("PRAGMA user_version").fetchone()[0]
        if found not in (0, FORMAT):
            raise sqlite3.DatabaseError(f"it has format {found}, this version reads {FORMAT}")
        for pragma in (
            "journal_mode = WAL",
            # What is committed outlives the process; only a power cut can cost the last second.
            "synchronous = NORMAL",
            # Pictures of people that were deleted must not linger in free pages.
            "secure_delete = ON",
            "journal_size_limit = 16777216",
        ):
            self._writer.execute(f"PRAGMA {pragma}")
        if found == 0:
            self._writer.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {FORMAT}; COMMIT;")
