"""Edits by hand: rename, merge, split and undo."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import replace

from pipeline.errors import EditError
from pipeline.registry.book import Book
from pipeline.registry.database import Statement
from pipeline.registry.edits import Author, Edit, EditKind
from pipeline.registry.sightings import Sightings
from pipeline.registry.statements import add_edit, add_event, give, undo
from pipeline.registry.telling import Told, told_event

__all__ = ["Corrections"]

LONGEST_NAME = 80


class Corrections:
    """Makes edits and undoes them, on top of everything that is stored.

    All calls need the database to be up to date with the tracks, and raise ``SinkError``
    without having changed anything where an edit cannot be stored.

    Args:
        book: Numbers and edits.
        sightings: The tracks being seen, which edits change too.
    """

    def __init__(self, book: Book, sightings: Sightings) -> None:
        self._book = book
        self._sightings = sightings

    def rename(self, identity: int, name: str, *, time_s: float) -> Told:
        """Give an identity a name; an empty one takes it away."""
        edit = self._new(EditKind.RENAME, self._shown(identity), time_s, name=_clean(name))
        return self._store(edit, edit.kind, [*add_edit(edit)], time_s)

    def merge(self, identity: int, other: int, *, time_s: float) -> Told:
        """Have two identities be one person, who keeps the number and name of the first."""
        left, gone = self._shown(identity), self._shown(other)
        if left == gone:
            raise EditError(f"identities {identity} and {other} are the same already")
        edit = self._new(EditKind.MERGE, left, time_s, other=gone)
        return self._store(edit, edit.kind, [*add_edit(edit)], time_s)

    def split(self, identity: int, sightings: Sequence[int], *, time_s: float) -> Told:
        """Make a new identity of some sightings of another one."""
        shown, chosen = self._shown(identity), set(sightings)
        rows = self._book.database.rows("SELECT sighting FROM sightings WHERE shown = ?", (shown,))
        own = {int(row["sighting"]) for row in rows}
        if not chosen:
            raise EditError(f"choose at least one sighting to split off identity {shown}")
        if strangers := chosen - own:
            raise EditError(f"sighting {min(strangers)} is not one of identity {shown}")
        if chosen == own:
            raise EditError(f"these are all sightings of identity {shown}: leave it at least one")
        made = self._book.take_number("identity")
        edit = self._new(EditKind.SPLIT, made, time_s, other=shown)
        given: dict[int, int | None] = dict.fromkeys(sorted(chosen), made)
        return self._store(edit, edit.kind, [*add_edit(edit, tuple(given))], time_s, given)

    def undo(self, number: int, *, time_s: float) -> Told:
        """Have an edit no longer count, whatever was edited since."""
        edit = self._book.edits.get(number)
        if edit is None:
            raise EditError(f"there is no edit {number}")
        if edit.undone:
            raise EditError(f"edit {number} was undone before")
        given = self._given_without(edit) if edit.kind is EditKind.SPLIT else {}
        return self._store(replace(edit, undone=True), "undo", [undo(number)], time_s, given)

    def _new(
        self,
        kind: EditKind,
        identity: int,
        time_s: float,
        *,
        other: int | None = None,
        name: str = "",
    ) -> Edit:
        number = self._book.take_number("edit")
        return Edit(number, time_s, Author.HAND, kind, identity, other, name)

    def _store(
        self,
        edit: Edit,
        what: str,
        statements: list[Statement],
        time_s: float,
        given: dict[int, int | None] | None = None,
    ) -> Told:
        """Store an edit, new or undone, with all that follows from it."""
        given = given or {}
        edits = self._book.with_edit(edit)
        before = self._book.standing
        standing, moves = self._book.restand(edits)
        for sighting, owner in given.items():
            found, shown_before = self._found_and_shown(sighting)
            owner_now = found if owner is None else owner
            shown = None if owner_now is None else standing.of(owner_now)
            moves.append(give(sighting, given=owner, shown=shown))
            self._book.touch(shown_before, shown)
        other = None if edit.other is None else before.of(edit.other)
        told = told_event(
            self._book.take_number("event"),
            time_s,
            what,
            standing.of(edit.identity),
            name=standing.name(edit.identity),
            author=Author.HAND,
            other=other if what != "undo" else edit.other,
            other_name="" if edit.other is None else before.own_name(edit.other),
            edit=edit.number,
        )
        self._book.commit([*statements, *moves, add_event(told, sighting=None)])
        self._book.edits, self._book.standing = edits, standing
        for track in self._sightings.tracks:
            if track.sighting in given:
                track.given = given[track.sighting]
            track.stored_as = self._sightings.shown(track)
        return told

    def _given_without(self, edit: Edit) -> dict[int, int | None]:
        """Return whose the sightings of a split are by hand if it does not count."""
        rows = self._book.database.rows(
            "SELECT x.sighting, (SELECT e.identity FROM edited_sightings y JOIN edits e "
            "USING (edit) WHERE y.sighting = x.sighting AND e.undone = 0 AND e.edit <> ?1 "
            "ORDER BY e.edit DESC LIMIT 1) AS given FROM edited_sightings x WHERE x.edit = ?1",
            (edit.number,),
        )
        return {row["sighting"]: row["given"] for row in rows}

    def _found_and_shown(self, sighting: int) -> tuple[int | None, int | None]:
        rows = self._book.database.rows(
            "SELECT found, shown FROM sightings WHERE sighting = ?", (sighting,)
        )
        return (rows[0]["found"], rows[0]["shown"]) if rows else (None, None)

    def _shown(self, identity: int) -> int:
        """Return the identity shown for one that somebody named."""
        shown = self._book.standing.of(identity)
        if not self._book.database.rows("SELECT 1 FROM people WHERE identity = ?", (shown,)):
            raise EditError(f"there is no identity {identity}")
        return shown


def _clean(name: str) -> str:
    """Return a name fit to be shown in one line.

    Raises:
        EditError: It is too long, or holds characters that change how others are read.
    """
    name = " ".join(name.split())
    if len(name) > LONGEST_NAME:
        raise EditError(f"a name has at most {LONGEST_NAME} characters, got {len(name)}")
    # Joiners belong to some scripts; control characters and changes of direction to none.
    strange = [c for c in name if unicodedata.category(c)[0] == "C" and c not in "\u200c\u200d"]
    if strange:
        raise EditError(f"a name cannot hold the character U+{ord(strange[0]):04X}")
    return name
