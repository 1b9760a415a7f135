"""What all edits come to: who stands for whom, and what everybody is called.

Edits are kept in the order in which they were made and are never changed; an undone one is
skipped. Whatever is shown follows from those that count, so undoing any of them, in any order,
is the same as never having made it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Author", "Edit", "EditKind", "Standing"]


class Author(StrEnum):
    """Who changed identities: a person by hand, or the matcher."""

    HAND = "hand"
    MATCHER = "matcher"


class EditKind(StrEnum):
    """What an edit does."""

    RENAME = "rename"
    MERGE = "merge"
    SPLIT = "split"


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
        undone: Whether it no longer counts.
    """

    number: int
    time_s: float
    author: Author
    kind: EditKind
    identity: int
    other: int | None = None
    name: str = ""
    undone: bool = False


class Standing:
    """Which identity stands for which, and their names, after a number of edits.

    Merged identities form trees, whose roots are shown. Not changed once it is made, so it
    may be read from any thread.

    Args:
        edits: In the order in which they were made.
    """

    def __init__(self, edits: Iterable[Edit] = ()) -> None:
        self._heir: dict[int, int] = {}
        self._name: dict[int, str] = {}
        for edit in edits:
            if edit.undone:
                continue
            if edit.kind is EditKind.RENAME:
                self._name[self.of(edit.identity)] = edit.name
            elif edit.kind is EditKind.MERGE and edit.other is not None:
                self._merge(self.of(edit.other), self.of(edit.identity))

    def of(self, identity: int) -> int:
        """Return the identity that is shown for this one."""
        while identity in self._heir:
            identity = self._heir[identity]
        return identity

    def name(self, identity: int) -> str:
        """Return what the identity shown for this one is called, empty if nobody named it."""
        return self._name.get(self.of(identity), "")

    def own_name(self, identity: int) -> str:
        """Return what an identity is called itself, also where another one stands for it."""
        return self._name.get(identity, "")

    def named(self) -> dict[int, str]:
        """Return the names of all shown identities that have one."""
        return {
            number: name
            for number, name in self._name.items()
            if name and self.of(number) == number
        }

    def gone(self) -> frozenset[int]:
        """Return the identities for which another one stands."""
        return frozenset(self._heir)

    def members(self, identity: int) -> list[int]:
        """Return all identities that went into the one shown for this one, itself included."""
        root = self.of(identity)
        return sorted({root, *(each for each in self._heir if self.of(each) == root)})

    def changed_since(self, before: Standing) -> list[int]:
        """Return the identities for which another one is shown than before."""
        known = self._heir.keys() | before._heir.keys()
        return sorted(each for each in known if self.of(each) != before.of(each))

    def _merge(self, gone: int, left: int) -> None:
        if gone == left:
            return
        self._heir[gone] = left
        # A name that a person gave is not lost when the matcher joins its bearer to another.
        if not self._name.get(left):
            self._name[left] = self._name.get(gone, "")
