"""Edits of identities by hand, and the identities that result from them.

Edits are kept in the order in which they were made and are never changed; an undone one is
skipped. Whatever is shown follows from those that count, so undoing any of them, in any order,
is the same as never having made it. The tables keep the identities that the matcher found.

A sighting, one track of one camera, goes by its name: `sighting_name` in runs and recordings,
``tracklet_id`` in archives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from pipeline.datatypes import UNASSIGNED, Event

__all__ = ["Author", "Edit", "EditKind", "Edits", "edit_event", "sighting_name"]


class Author(StrEnum):
    """Who changed identities: a person by hand, or the matcher."""

    HAND = "hand"
    MATCHER = "matcher"


class EditKind(StrEnum):
    """What an edit does."""

    RENAME = "rename"
    MERGE = "merge"
    SPLIT = "split"
    UNDO = "undo"


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit of identities.

    Attributes:
        number: Its place in the order of all edits, from 1.
        time_s: When it was made, seconds since the epoch.
        author: Who made it.
        kind: What it does.
        identity: Who it is about: renamed, who is left of a merge, who a split made.
        other: Who went into ``identity``, or lost sightings to it; ``None`` for a rename.
        name: The new name; empty takes the name away.
        sightings: Names of those that a split moved.
        undoes: Number of the edit that an undo takes back.
        undone: Whether it no longer counts.
        user: Who made it by hand on a page, empty where nobody signed in.
    """

    number: int
    time_s: float
    author: Author
    kind: EditKind
    identity: int
    other: int | None = None
    name: str = ""
    sightings: tuple[str, ...] = ()
    undoes: int | None = None
    undone: bool = False
    user: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return what a line of the log holds."""
        return {
            "edit": self.number,
            "time": round(self.time_s, 3),
            "author": str(self.author),
            "kind": str(self.kind),
            "global_id": self.identity,
            "other_id": self.other,
            "name": self.name,
            "sightings": list(self.sightings),
            "undoes": self.undoes,
            "user": self.user,
        }

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Edit:
        """Return what ``as_json`` described; raises ``KeyError``, ``TypeError``, ``ValueError``."""
        return cls(
            number=int(fields["edit"]),
            time_s=float(fields["time"]),
            author=Author(fields["author"]),
            kind=EditKind(fields["kind"]),
            identity=int(fields["global_id"]),
            other=None if fields["other_id"] is None else int(fields["other_id"]),
            name=str(fields["name"]),
            sightings=tuple(map(str, fields["sightings"])),
            undoes=None if fields["undoes"] is None else int(fields["undoes"]),
            user=str(fields.get("user", "")),  # logs of earlier versions have none
        )


class Edits:
    """Which identity stands for which, whose split sightings are, and all names.

    Merged identities form trees, whose roots are shown. Not changed once it is made, so it
    may be read from any thread.

    Args:
        edits: In the order in which they were made.
    """

    def __init__(self, edits: Iterable[Edit] = ()) -> None:
        self.by_number: dict[int, Edit] = {}
        """All edits, undone ones marked; undoes themselves are not among them."""
        self.last_number = 0
        self.last_identity = 0
        """The largest number of an identity in any edit; those of a split are in no table."""
        self.given: dict[str, int] = {}
        """By sighting, whose it is by hand."""
        self._heir: dict[int, int] = {}
        self._name: dict[int, str] = {}
        for edit in edits:
            self.last_number = max(self.last_number, edit.number)
            self.last_identity = max(self.last_identity, edit.identity, edit.other or 0)
            if edit.kind is not EditKind.UNDO:
                self.by_number[edit.number] = edit
            elif edit.undoes in self.by_number:
                undone = self.by_number[edit.undoes]
                self.by_number[edit.undoes] = replace(undone, undone=True)
        for edit in self.by_number.values():
            if not edit.undone:
                self._apply(edit)

    def shown(self, identity: int) -> int:
        """Return the identity that is shown for this one."""
        while identity in self._heir:
            identity = self._heir[identity]
        return identity

    def identity_of(self, sighting: str, found: int) -> int:
        """Return the identity to show for a sighting that the matcher gave to ``found``."""
        owner = self.given.get(sighting, found)
        return UNASSIGNED if owner == UNASSIGNED else self.shown(owner)

    def name(self, identity: int) -> str:
        """Return what the identity shown for this one is called, empty if it has no name."""
        return self._name.get(self.shown(identity), "")

    def own_name(self, identity: int) -> str:
        """Return what an identity is called itself, also where another one stands for it."""
        return self._name.get(identity, "")

    def named(self) -> dict[int, str]:
        """Return the names of all shown identities that have one."""
        return {
            number: name
            for number, name in self._name.items()
            if name and self.shown(number) == number
        }

    def found_by(self, search: str) -> set[int]:
        """Return the shown identities whose name holds a text, and the one that has it as its number."""
        wanted = search.strip().casefold()
        found = {number for number, name in self.named().items() if wanted in name.casefold()}
        digits = wanted.lstrip("#")
        if digits.isdecimal() and len(digits) < 18:
            found.add(self.shown(int(digits)))
        return found

    def members(self, identity: int) -> list[int]:
        """Return all identities that went into the one shown for this one, itself included."""
        root = self.shown(identity)
        return sorted({root, *(each for each in self._heir if self.shown(each) == root)})

    def changed_since(self, before: Edits) -> list[int]:
        """Return the identities for which another one is shown than before."""
        known = self._heir.keys() | before._heir.keys()
        return sorted(each for each in known if self.shown(each) != before.shown(each))

    def last_by_hand(self) -> Edit | None:
        """Return the newest edit by hand that counts."""
        counting = [e for e in self.by_number.values() if e.author is Author.HAND and not e.undone]
        return counting[-1] if counting else None

    def confirmed(self) -> set[int]:
        """Return the shown identities that somebody named, merged or split by hand."""
        return {
            self.shown(number)
            for edit in self.by_number.values()
            if edit.author is Author.HAND and not edit.undone
            for number in (edit.identity, edit.other)
            if number is not None
        }

    def needed(
        self, *, exists: Callable[[int], bool], has_sighting: Callable[[str], bool]
    ) -> set[int]:
        """Return the numbers of the edits that still say something after an erasure.

        A name goes with its bearer, a split with its last sighting, a merge with the person
        or once the identity that went into another has nothing left and is in no other edit.

        Args:
            exists: Whether an identity owns a sighting that is left: found or given by hand.
            has_sighting: Whether a sighting is left.
        """
        needed = set()
        for edit in self.by_number.values():
            members = self.members(edit.identity)
            if edit.kind is EditKind.SPLIT:
                stays = any(has_sighting(each) for each in edit.sightings)
            else:
                stays = any(exists(each) for each in members)
            if stays and edit.kind is EditKind.MERGE and edit.other is not None:
                stays = exists(edit.other) or self._is_mentioned(edit.other, beside=edit)
            if stays:
                needed.add(edit.number)
        return needed

    def _is_mentioned(self, identity: int, *, beside: Edit) -> bool:
        return any(
            identity in {each.identity, each.other}
            for each in self.by_number.values()
            if each is not beside
        )

    def _apply(self, edit: Edit) -> None:
        if edit.kind is EditKind.RENAME:
            self._name[self.shown(edit.identity)] = edit.name
        elif edit.kind is EditKind.SPLIT:
            self.given |= dict.fromkeys(edit.sightings, edit.identity)
        elif edit.other is not None:
            self._merge(self.shown(edit.other), self.shown(edit.identity))

    def _merge(self, gone: int, left: int) -> None:
        if gone == left:
            return
        self._heir[gone] = left
        # A name that a person gave is not lost when the matcher joins its bearer to another.
        if not self._name.get(left):
            self._name[left] = self._name.get(gone, "")


def sighting_name(camera: str, track_id: int) -> str:
    """Return how edits and searches call a track of a run or a recording: ``lobby/3``."""
    return f"{camera}/{track_id}"


def edit_event(edit: Edit, before: Edits, after: Edits) -> Event:
    """Return the event that tells of an edit.

    Args:
        edit: As it was stored; an undo tells of what it undid.
        before: All edits before it.
        after: All edits with it.
    """
    of = edit
    if edit.undoes is not None:
        of = before.by_number[edit.undoes]
        other = of.other
    else:
        other = None if edit.other is None else before.shown(edit.other)
    return Event(
        edit.time_s,
        str(edit.kind),
        after.shown(of.identity),
        other_id=UNASSIGNED if other is None else other,
        name=after.name(of.identity),
        other_name="" if of.other is None else before.own_name(of.other),
        author=str(edit.author),
        user=edit.user,
        edit=of.number,
    )
