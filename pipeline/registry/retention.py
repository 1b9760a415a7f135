"""Deletes old sightings in small steps."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection

from pipeline.datatypes import Event
from pipeline.layout.database import Statement
from pipeline.layout.edit_log import EditLog
from pipeline.registry.store import Store

__all__ = ["Retention"]

EVERY_S = 10.0
"""Time between two rounds."""
MAX_AT_ONCE = 1000
"""Sightings that one round deletes; it must not hold up the processing."""
OWNED = (
    "SELECT 1 FROM sightings WHERE owner = ?1 UNION ALL SELECT 1 FROM sightings WHERE found = ?1"
)


class Retention:
    """Deletes sightings with their pictures and embeddings by age, and whoever has none left.

    Args:
        store: Numbers and the database.
        log: All edits.
        events: Those in memory, oldest first.
        keep_s: How long everything is kept, seconds; ``None`` is forever.
    """

    def __init__(
        self, store: Store, log: EditLog, events: deque[Event], *, keep_s: float | None
    ) -> None:
        self._store = store
        self._events = events
        self._log = log
        self._keep_s = keep_s
        self._done_s = float("-inf")

    def run(self, now_s: float) -> None:
        """Do one round if it is due; what is in view must have been stored before.

        Raises:
            SinkError: The database, or the log of edits, cannot be written.
        """
        if self._keep_s is None or abs(now_s - self._done_s) < EVERY_S:
            return
        self._done_s = now_s
        while self._events and self._events[0].time_s < now_s - self._keep_s:
            self._events.popleft()
        rows = self._store.database.rows(
            "SELECT sighting, shown FROM sightings WHERE last_s < ? LIMIT ?",
            (now_s - self._keep_s, MAX_AT_ONCE),
        )
        self._store.later(("DELETE FROM zone_hours WHERE hour < ?", (now_s - self._keep_s,)))
        if not rows:
            return
        self._store.commit(
            ("DELETE FROM sightings WHERE sighting = ?", (row["sighting"],)) for row in rows
        )
        self._forget({row["shown"] for row in rows if row["shown"] is not None})
        self._log.keep(self._log.edits.needed(exists=self._owns, has_sighting=self._is_stored))

    def _forget(self, people: Collection[int]) -> None:
        """Delete the matcher's numbers of those who have no sighting left."""
        statements: list[Statement] = [
            ("DELETE FROM matched WHERE identity = ?", (member,))
            for person in sorted(people)
            if not self._store.database.rows("SELECT 1 FROM people WHERE identity = ?", (person,))
            for member in self._log.edits.members(person)
        ]
        self._store.commit(statements)
        self._store.forget_matched()

    def _owns(self, identity: int) -> bool:
        return bool(self._store.database.rows(f"{OWNED} LIMIT 1", (identity,)))

    def _is_stored(self, sighting: str) -> bool:
        camera, _, track = sighting.rpartition("/")
        sql = "SELECT 1 FROM sightings WHERE camera = ? AND track = ?"
        return bool(self._store.database.rows(sql, (camera, int(track))))
