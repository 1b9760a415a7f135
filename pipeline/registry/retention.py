"""Deletes old sightings in small steps."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection

from pipeline.datatypes import Event
from pipeline.layout.database import Statement
from pipeline.layout.edit_log import EditLog
from pipeline.registry.erasure import drop_edits
from pipeline.registry.store import Store

__all__ = ["Retention"]

EVERY_S = 10.0
"""Time between two rounds."""
MAX_AT_ONCE = 1000
"""Sightings that one round deletes; it must not hold up the processing."""


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
        begin = (now_s - self._keep_s,)
        self._store.later(("DELETE FROM zone_counts WHERE hour < ?", begin))
        self._store.later(("DELETE FROM zone_stays WHERE hour < ?", begin))
        if not rows:
            return
        self._store.commit(
            ("DELETE FROM sightings WHERE sighting = ?", (row["sighting"],)) for row in rows
        )
        self._forget({row["shown"] for row in rows if row["shown"] is not None})
        drop_edits(self._store, self._log)

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
