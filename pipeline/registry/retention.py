"""Forgetting what is too old, a little at a time."""

from __future__ import annotations

from pipeline.registry.book import Book
from pipeline.registry.database import Statement
from pipeline.registry.sightings import Sightings

__all__ = ["Retention"]

EVERY_S = 10.0
"""Time between two rounds."""
MOST_AT_ONCE = 1000
"""Sightings, and events, that one round deletes; it must not hold up the processing."""

OLD_EVENTS = "DELETE FROM events WHERE event IN (SELECT event FROM events WHERE time_s < ? LIMIT ?)"
IDLE_MERGES = (
    "DELETE FROM edits WHERE author = 'matcher' AND NOT EXISTS "
    "(SELECT 1 FROM sightings s WHERE ifnull(s.given, s.found) = edits.other) AND NOT EXISTS "
    "(SELECT 1 FROM sightings s JOIN edited_sightings USING (sighting) "
    "WHERE s.found = edits.other) AND NOT EXISTS (SELECT 1 FROM edits e "
    "WHERE e.edit <> edits.edit AND edits.other IN (e.identity, e.other))"
)
"""Merges of the matcher whose gone half is mentioned nowhere else: they say nothing any more."""


class Retention:
    """Deletes sightings, thumbnails and events by age, and whoever has no sighting left.

    Args:
        book: Numbers and edits.
        sightings: The tracks being seen.
        keep_s: How long everything is kept, seconds; ``None`` is forever.
    """

    def __init__(self, book: Book, sightings: Sightings, *, keep_s: float | None) -> None:
        self._book = book
        self._sightings = sightings
        self._keep_s = keep_s
        self._done_s = float("-inf")

    def run(self, now_s: float) -> None:
        """Do one round if it is due.

        Raises:
            SinkError: The database cannot be written.
        """
        if self._keep_s is None or abs(now_s - self._done_s) < EVERY_S:
            return
        self._done_s = now_s
        before_s = now_s - self._keep_s
        rows = self._book.database.rows(
            "SELECT sighting, shown FROM sightings WHERE last_s < ? LIMIT ?",
            (before_s, MOST_AT_ONCE),
        )
        statements: list[Statement] = [(OLD_EVENTS, (before_s, MOST_AT_ONCE))]
        statements += [
            (f"DELETE FROM {table} WHERE sighting = ?", (row["sighting"],))
            for row in rows
            for table in ("thumbnails", "edited_sightings", "sightings")
        ]
        people = {int(row["shown"]) for row in rows if row["shown"] is not None}
        self._book.touch(*people)
        self._book.commit(statements)
        self._forget_people(people)

    def _forget_people(self, people: set[int]) -> None:
        """Delete names, edits and numbers of those who have no sighting left."""
        statements: list[Statement] = []
        in_view = {self._sightings.shown(track) for track in self._sightings.tracks}
        for person in sorted(people - in_view):
            if self._book.database.rows("SELECT 1 FROM people WHERE identity = ?", (person,)):
                continue
            for member in self._book.standing.members(person):
                statements += [
                    ("DELETE FROM edits WHERE identity = ?", (member,)),
                    ("DELETE FROM matched WHERE identity = ?", (member,)),
                ]
        statements.append((IDLE_MERGES, ()))
        self._book.commit(statements)
        self._book.reload_edits()
        self._book.forget_matched()
