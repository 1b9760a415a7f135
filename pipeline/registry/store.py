"""The registry in memory: numbers, and what is still to be written to its database."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

from pipeline.errors import SinkError
from pipeline.layout.database import Database, Statement
from pipeline.layout.edits import Edits, sighting_name

__all__ = ["Store", "place"]

logger = logging.getLogger(__name__)

MAX_WAITING = 50_000
"""Statements that wait while the disk is full; beyond, the oldest are lost and counted."""
MAX_CACHED = 100_000
"""Numbers of the matcher that are remembered; others are looked up."""
UNSETTLE = "UPDATE sightings SET owner = found, shown = found WHERE owner IS NOT found"
UNMERGE = "UPDATE sightings SET shown = owner WHERE shown IS NOT owner"


class Store:
    """Hands out numbers, and writes; not safe for threads by itself.

    Args:
        database: Where it rests.
        edits: All that were made before; whoever edits calls ``settle``.
    """

    def __init__(self, database: Database, edits: Edits) -> None:
        self.database = database
        self.trouble = ""
        self.lost = 0
        stored = {row["name"]: row["next"] for row in database.rows("SELECT * FROM counters")}
        self._next: dict[str, int] = dict.fromkeys(("identity", "edit", "event", "track"), 1)
        self._next |= stored
        # Edits may have been made while no live run was there to count them.
        self._next["identity"] = max(self._next["identity"], edits.last_identity + 1)
        self._next["edit"] = max(self._next["edit"], edits.last_number + 1)
        self._matched: dict[int, int] = {}
        self._waiting: list[Statement] = [(UNSETTLE, ()), (UNMERGE, ())]
        self.settle(Edits(), edits)

    def take_number(self, counter: str) -> int:
        """Return a number that was never handed out before."""
        number = self._next[counter]
        self._next[counter] += 1
        return number

    def newest(self, counter: str) -> int:
        """Return the number that was handed out last, 0 before the first."""
        return self._next[counter] - 1

    def note_track(self, number: int) -> None:
        """Note that a track has a number, so that no later run gives it out again."""
        self._next["track"] = max(self._next["track"], number + 1)

    def identity_of(self, matcher_id: int) -> int:
        """Return the identity behind a number of the matcher, a new one if it is unknown."""
        identity = self._matched.get(matcher_id)
        if identity is None:
            found = self.database.rows(
                "SELECT identity FROM matched WHERE matcher_id = ?", (matcher_id,)
            )
            if found:
                identity = int(found[0]["identity"])
            else:
                identity = self.take_number("identity")
                self.later(("INSERT INTO matched VALUES (?, ?)", (matcher_id, identity)))
            self._matched[matcher_id] = identity
        return identity

    def forget_matched(self) -> None:
        """Look up the matcher's numbers anew, after some were deleted."""
        if not self._waiting:
            self._matched.clear()

    def settle(self, before: Edits, after: Edits) -> None:
        """Have stored sightings show what other edits than before come to, once committed."""
        for identity in after.changed_since(before):
            sql = "UPDATE sightings SET shown = ? WHERE owner = ?"
            self.later((sql, (after.shown(identity), identity)))
        names = before.given.keys() | after.given.keys()
        for name in sorted(n for n in names if before.given.get(n) != after.given.get(n)):
            camera, _, track = name.rpartition("/")
            rows = self.database.rows(
                "SELECT found FROM sightings WHERE camera = ? AND track = ?", (camera, int(track))
            )
            for row in rows:
                self.later(place(camera, int(track), row["found"], after))

    def later(self, *statements: Statement) -> None:
        """Have statements written with the next commit."""
        self._waiting += statements

    @property
    def has_news(self) -> bool:
        """Whether something waits that should not wait long."""
        return bool(self._waiting)

    def commit(self, statements: Iterable[Statement] = ()) -> None:
        """Write what waits and then ``statements``, all or nothing.

        Raises:
            SinkError: It cannot be written now; what waits goes on waiting.
        """
        # Making the statements may have more written.
        asked = list(statements)
        try:
            self.database.write([*self._waiting, *asked, *self._count()])
        except SinkError as error:
            self._note_trouble(str(error))
            raise
        self._waiting.clear()
        if len(self._matched) > MAX_CACHED:
            self._matched.clear()
        if self.trouble:
            logger.info("registry %s is written again", self.database.path)
            self.trouble = ""

    def give_up(self) -> None:
        """Say what is lost as the registry closes while it cannot be written."""
        logger.error("%s; the last sightings are lost", self.trouble)

    def _count(self) -> Iterator[Statement]:
        for name, number in self._next.items():
            yield "INSERT OR REPLACE INTO counters VALUES (?, ?)", (name, number)

    def _note_trouble(self, trouble: str) -> None:
        if not self.trouble:
            logger.warning("%s", trouble)
        self.trouble = trouble
        surplus = len(self._waiting) - MAX_WAITING
        if surplus > 0:
            del self._waiting[:surplus]
            self.lost += surplus


def place(camera: str, track: int, found: int | None, edits: Edits) -> Statement:
    """Return what stores whose a track is: as the matcher found, and after all edits."""
    owner = edits.given.get(sighting_name(camera, track), found)
    shown = None if owner is None else edits.shown(owner)
    sql = "UPDATE sightings SET found = ?, owner = ?, shown = ? WHERE camera = ? AND track = ?"
    return sql, (found, owner, shown, camera, track)
