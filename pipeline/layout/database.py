"""The identity store of a recording: SQLite with a write-ahead log, readable by its owner alone.

The live run writes it; whoever reads it meanwhile waits for nobody.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from pipeline.errors import ResultsError, SinkError
from pipeline.layout.store_schema import SCHEMA

__all__ = ["ORPHANS", "Database", "Statement", "erasing", "fold_log", "open_reader"]

Statement = tuple[str, Sequence[Any]]
"""SQL and its parameters."""

FORMAT = 2
BUSY_S = 5.0
"""How long to wait for another program that has the file open, for example a backup."""
FOLD_S, FOLD_AGAIN_S = 60.0, 0.1
"""How long to try to fold the log in, and the time between two tries."""

ORPHANS = (
    "DELETE FROM matched WHERE identity NOT IN (SELECT found FROM sightings WHERE found NOTNULL) "
    "AND identity NOT IN (SELECT owner FROM sightings WHERE owner NOTNULL)"
)
"""Deletes the matcher's numbers of whoever has no sighting left."""
ERASE = (
    """
    DELETE FROM watched_pictures WHERE sighting =
        (SELECT sighting FROM sightings WHERE camera = ? AND track = ?)
    """,
    """
    DELETE FROM watched WHERE NOT is_of_folder AND watched IN
        (SELECT watched FROM alerts WHERE camera = ? AND track = ? AND is_match = 1)
    """,
    "DELETE FROM sightings WHERE camera = ? AND track = ?",
)
UNPICTURED = "DELETE FROM watched WHERE watched NOT IN (SELECT watched FROM watched_pictures)"
SUM_UP = (
    "DELETE FROM people WHERE identity IN (SELECT identity FROM changed)",
    """
    INSERT INTO people SELECT shown, min(first_s), max(last_s), count(*), (
        SELECT sighting FROM sightings best WHERE best.shown = each.shown
        ORDER BY quality DESC, sighting LIMIT 1
    ) FROM sightings each WHERE shown IN (SELECT identity FROM changed) GROUP BY shown
    """,
    "DELETE FROM changed",
)


class Database:
    """One connection that writes, and others that read meanwhile.

    Args:
        path: The file; made if it is not there.

    Raises:
        ResultsError: The file cannot be opened, is no registry, or one of another version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            # SQLite gives its log files the rights that this one has.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._writer = sqlite3.connect(
                path, timeout=BUSY_S, isolation_level=None, check_same_thread=False
            )
            self._prepare()
        except OSError as error:
            raise ResultsError(
                f"registry {path} cannot be opened ({error.strerror}): choose another file"
            ) from None
        except sqlite3.Error as error:
            raise ResultsError(
                f"registry {path} cannot be used ({error}): move it away, or choose another file"
            ) from None

    def write(self, statements: Iterable[Statement]) -> None:
        """Carry out statements and sum up whom they changed, all or none of it.

        Raises:
            SinkError: The file cannot be written; nothing in it has changed.
        """
        try:
            self._writer.execute("BEGIN IMMEDIATE")
            for sql, parameters in statements:
                self._writer.execute(sql, parameters)
            for sql in SUM_UP:
                self._writer.execute(sql)
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

    def close(self) -> None:
        """Close the file; its log is folded into it."""
        self._writer.close()

    def _prepare(self) -> None:
        self._writer.row_factory = sqlite3.Row
        found = _check_format(self._writer, may_be_new_identity=True)
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


def erasing(tracks: Iterable[tuple[str, int]]) -> Iterator[Statement]:
    """Yield what erases sightings, with what the watch list has of whom they show.

    That is pictures that were taken from them, and whoever gave an alert that was answered by
    yes, unless the folder of ``--watch`` has them, which would bring them back.

    Args:
        tracks: Cameras and numbers.
    """
    for track in sorted(tracks):
        for sql in ERASE:
            yield sql, track
    yield UNPICTURED, ()
    yield ORPHANS, ()


def fold_log(path: Path) -> None:
    """Fold the write-ahead log into a registry that is in use; what was deleted is in neither.

    Raises:
        SinkError: That cannot be done now.
    """
    end_s = time.monotonic() + FOLD_S
    while True:
        problem = "it is being read"
        try:
            with closing(sqlite3.connect(path, timeout=BUSY_S)) as connection:
                if not connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                    return
        except sqlite3.Error as error:
            problem = str(error)
        # SQLite waits for readers, but not for the writer's own folding.
        if time.monotonic() > end_s:
            raise SinkError(f"registry {path} could not be written ({problem}): try again")
        time.sleep(FOLD_AGAIN_S)


@contextmanager
def open_reader(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a connection that only reads and waits for no writer; its rows go by name.

    Raises:
        ResultsError: It is no registry, or one of another version, or is damaged.
    """
    uri = path.resolve().as_uri() + "?mode=ro"
    try:
        with closing(sqlite3.connect(uri, uri=True, timeout=BUSY_S)) as connection:
            connection.row_factory = sqlite3.Row
            _check_format(connection)
            yield connection
    except sqlite3.Error as error:
        raise ResultsError(f"registry {path} cannot be read ({error}): restore it") from None


def _check_format(connection: sqlite3.Connection, *, may_be_new_identity: bool = False) -> int:
    found = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if found != FORMAT and not (may_be_new_identity and found == 0):
        raise sqlite3.DatabaseError(f"it has format {found}, this version reads {FORMAT}")
    return found
