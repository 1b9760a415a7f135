"""Numbers, edits and what waits to be written: the registry's memory over its database."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from pipeline.errors import SinkError
from pipeline.registry.database import Database, Statement
from pipeline.registry.edits import Author, Edit, EditKind, Standing
from pipeline.registry.statements import add_edit, add_matched, count, refresh, show_owner

__all__ = ["Book"]

logger = logging.getLogger(__name__)

COUNTERS = ("identity", "sighting", "edit", "event", "session")
MOST_WAITING = 50_000
"""Statements that wait while the disk is full; beyond, the oldest are lost and counted."""
MOST_CACHED = 100_000
"""Numbers of the matcher that are remembered; others are looked up."""


class Book:
    """Hands out numbers, knows who is who, and stores all of it together.

    Not safe for threads by itself; the registry's lock guards it. ``standing`` may be read
    from any thread, as it is replaced and never changed.

    Args:
        database: Where it rests.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.trouble = ""
        self.lost = 0
        self._next = dict.fromkeys(COUNTERS, 1)
        self._next |= {row["name"]: row["next"] for row in database.rows("SELECT * FROM counters")}
        self._matched: dict[int, int] = {}
        self._waiting: list[Statement] = []
        self._touched: set[int] = set()
        self.edits: dict[int, Edit] = {}
        self.standing = Standing()
        self.session = self.take_number("session")
        self.reload_edits()

    # Numbers

    def take_number(self, counter: str) -> int:
        """Return a number that was never handed out before."""
        number = self._next[counter]
        self._next[counter] += 1
        return number

    def newest(self, counter: str) -> int:
        """Return the number that was handed out last, 0 before the first."""
        return self._next[counter] - 1

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
                self._waiting.append(add_matched(matcher_id, identity))
            self._matched[matcher_id] = identity
        return identity

    def forget_matched(self) -> None:
        """Look up the matcher's numbers anew, after some were deleted."""
        if not self._waiting:
            self._matched.clear()

    # Edits

    def reload_edits(self) -> None:
        """Read all edits from the database."""
        self.edits = {
            row["edit"]: Edit(
                row["edit"],
                row["time_s"],
                Author(row["author"]),
                EditKind(row["kind"]),
                row["identity"],
                row["other"],
                row["name"],
                bool(row["undone"]),
            )
            for row in self.database.rows("SELECT * FROM edits ORDER BY edit")
        }
        self.standing = Standing(self.edits.values())

    def with_edit(self, edit: Edit) -> dict[int, Edit]:
        """Return all edits as they are with one more, or with one changed."""
        return {**self.edits, edit.number: edit}

    def restand(self, edits: dict[int, Edit]) -> tuple[Standing, list[Statement]]:
        """Return what other edits come to, and what that changes in the database."""
        standing = Standing(edits.values())
        moved = standing.changed_since(self.standing)
        for identity in moved:
            self._touched |= {standing.of(identity), self.standing.of(identity)}
        return standing, [show_owner(identity, standing.of(identity)) for identity in moved]

    def add_matcher_merge(self, time_s: float, *, left: int, gone: int) -> Edit:
        """Take in that the matcher holds two identities for one."""
        number = self.take_number("edit")
        edit = Edit(number, time_s, Author.MATCHER, EditKind.MERGE, left, gone)
        edits = self.with_edit(edit)
        standing, statements = self.restand(edits)
        self._waiting += [*add_edit(edit), *statements]
        self.edits, self.standing = edits, standing
        return edit

    # Writing

    def later(self, *statements: Statement) -> None:
        """Have statements written with the next commit."""
        self._waiting += statements

    def touch(self, *identities: int | None) -> None:
        """Note that the sightings of shown identities changed."""
        self._touched |= {each for each in identities if each is not None}

    @property
    def has_news(self) -> bool:
        """Whether something waits that should not wait long."""
        return bool(self._waiting)

    def commit(self, statements: Iterable[Statement] = ()) -> None:
        """Write what waits and then ``statements``, all or nothing.

        Raises:
            SinkError: It cannot be written now; what waits goes on waiting.
        """
        # Making the statements touches identities and may wait for more to be written.
        asked = list(statements)
        summed = [statement for each in sorted(self._touched) for statement in refresh(each)]
        everything = [*self._waiting, *asked, *summed, *count(self._next)]
        try:
            self.database.write(everything)
        except SinkError as error:
            self._note_trouble(str(error))
            raise
        self._waiting.clear()
        self._touched.clear()
        if len(self._matched) > MOST_CACHED:
            self._matched.clear()
        if self.trouble:
            logger.info("registry %s is written again", self.database.path)
            self.trouble = ""

    def give_up(self) -> None:
        """Say what is lost as the registry closes while it cannot be written."""
        logger.error("%s; the last sightings and events are lost", self.trouble)

    def _note_trouble(self, trouble: str) -> None:
        if not self.trouble:
            logger.warning("%s", trouble)
        self.trouble = trouble
        surplus = len(self._waiting) - MOST_WAITING
        if surplus > 0:
            del self._waiting[:surplus]
            self.lost += surplus
