"""The log of edits beside the tables, ``edits.jsonl``, and making edits.

One JSON line an edit, only appended to. A line that a kill cut short never counted; the next
edit removes it.
"""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from pipeline.errors import EditError, SinkError
from pipeline.layout.edits import Author, Edit, EditKind, Edits
from pipeline.layout.files import as_json, read_lines, write_private
from pipeline.layout.run import EDITS
from pipeline.whole_lines import append_lines

__all__ = ["EditLog", "Editor"]

MAX_NAME_CHARACTERS = 80


class EditLog:
    """The edits of one folder. ``edits`` is replaced and never changed, so any thread may read.

    Args:
        folder: A run, an archive or a recording.

    Raises:
        ResultsError: The log is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / EDITS
        self._all = list(read_lines(self.path, Edit.from_json))
        self._unwritten = 0
        self.edits = Edits(self._all)

    def append(self, edit: Edit, *, later: bool = False) -> None:
        """Store an edit.

        Args:
            edit: The edit.
            later: Where it cannot be written now it counts all the same, and is written with
                the next one.

        Raises:
            SinkError: It cannot be written; nothing has changed.
        """
        edits = [*self._all, edit]
        unwritten = self._unwritten + 1
        lines = b"".join(_line(each) for each in edits[-unwritten:])
        try:
            append_lines(self.path, lines)
        except OSError as error:
            if not later:
                raise self._unwritable(error) from None
            self._take(edits, unwritten=unwritten)
        else:
            self._take(edits)

    def keep(self, numbers: Collection[int]) -> None:
        """Remove all edits but these, with what undid them; the file is replaced whole.

        Raises:
            SinkError: It cannot be written; nothing has changed.
        """
        kept = [e for e in self._all if (e.number if e.undoes is None else e.undoes) in numbers]
        if len(kept) == len(self._all):
            return
        write_private(self.path, b"".join(map(_line, kept)))
        self._take(kept)

    def _take(self, edits: list[Edit], *, unwritten: int = 0) -> None:
        self._all, self._unwritten = edits, unwritten
        self.edits = Edits(edits)

    def _unwritable(self, error: OSError) -> SinkError:
        reason = error.strerror or type(error).__name__
        return SinkError(f"{self.path} could not be written ({reason}): make room, then edit again")


class Editor:
    """Makes edits; each is checked against what is there, stored, and returned.

    Args:
        log: Where to; nobody else may edit the folder meanwhile.
        sightings_of: Returns the names of a shown identity's sightings.
        new_identity: Returns a number that nobody ever had.
        new_number: Returns the number of the next edit.
        clock: Seconds since the epoch.
    """

    def __init__(
        self,
        log: EditLog,
        *,
        sightings_of: Callable[[int], Collection[str]],
        new_identity: Callable[[], int],
        new_number: Callable[[], int] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._log = log
        self._sightings_of = sightings_of
        self._new_identity = new_identity
        self._new_number = new_number or (lambda: log.edits.last_number + 1)
        self._clock = clock

    def rename(self, identity: int, name: str, *, user: str = "") -> Edit:
        """Give an identity a name; an empty one takes it away.

        Raises:
            EditError: There is no such identity, or the name cannot be shown.
            SinkError: It cannot be stored.
        """
        shown, name = self._shown(identity), _clean(name)
        return self._store(EditKind.RENAME, shown, name=name, user=user)

    def merge(self, identity: int, other: int, *, user: str = "") -> Edit:
        """Have two identities be one person, who keeps the number and name of the first.

        Raises:
            EditError: There is no such identity, or they are the same already.
            SinkError: It cannot be stored.
        """
        left, gone = self._shown(identity), self._shown(other)
        if left == gone:
            raise EditError(f"identities {identity} and {other} are the same already")
        return self._store(EditKind.MERGE, left, other=gone, user=user)

    def split(self, identity: int, sightings: Sequence[str], *, user: str = "") -> Edit:
        """Make a new identity of some sightings of another one.

        Raises:
            EditError: There is no such identity, a sighting is not its, or all are chosen.
            SinkError: It cannot be stored.
        """
        shown, chosen = self._shown(identity), tuple(dict.fromkeys(sightings))
        own = set(self._sightings_of(shown))
        if not chosen:
            raise EditError(f"choose at least one sighting to split off identity {shown}")
        if strangers := [each for each in chosen if each not in own]:
            raise EditError(
                f"sighting {strangers[0]} is not one of identity {shown}: it has {_listed(own)}"
            )
        if own == set(chosen):
            raise EditError(
                f"these are all sightings of identity {shown}: at least one has to stay"
            )
        made = self._new_identity()
        return self._store(EditKind.SPLIT, made, other=shown, sightings=chosen, user=user)

    def undo(self, number: int | None = None, *, user: str = "") -> Edit:
        """Have an edit no longer count, whatever was edited since.

        Args:
            number: Which; ``None`` takes the newest by hand that was not undone.

        Raises:
            EditError: There is no such edit, or it was undone before.
            SinkError: It cannot be stored.
        """
        edits = self._log.edits
        edit = edits.last_by_hand() if number is None else edits.by_number.get(number)
        if edit is None:
            what = "to undo" if number is None else str(number)
            raise EditError(f"there is no edit {what}")
        if edit.undone:
            raise EditError(f"edit {number} was undone before")
        kind, undoes = EditKind.UNDO, edit.number
        return self._store(kind, edit.identity, other=edit.other, undoes=undoes, user=user)

    def edit_of(self, undo: Edit) -> Edit:
        """Return the edit that an undo took back."""
        assert undo.undoes is not None
        return self._log.edits.by_number[undo.undoes]

    def note_merge(self, identity: int, other: int, *, time_s: float) -> Edit:
        """Store that the matcher holds two identities for one; returns the edit."""
        number = self._new_number()
        edit = Edit(number, time_s, Author.MATCHER, EditKind.MERGE, identity, other)
        # A live run goes on while its disk is full.
        self._log.append(edit, later=True)
        return edit

    def _store(
        self,
        kind: EditKind,
        identity: int,
        *,
        other: int | None = None,
        name: str = "",
        sightings: tuple[str, ...] = (),
        undoes: int | None = None,
        user: str = "",
    ) -> Edit:
        edit = Edit(
            self._new_number(),
            self._clock(),
            Author.HAND,
            kind,
            identity,
            other,
            name,
            sightings,
            undoes,
            user=user,
        )
        self._log.append(edit)
        return edit

    def _shown(self, identity: int) -> int:
        """Return the identity shown for one that somebody named."""
        shown = self._log.edits.shown(identity)
        if not self._sightings_of(shown):
            raise EditError(f"there is no identity {identity}")
        return shown


def _line(edit: Edit) -> bytes:
    return as_json(edit.as_json(), indent=None)


def _listed(names: Collection[str]) -> str:
    shown = sorted(names)[:5]
    return ", ".join(shown) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _clean(name: str) -> str:
    """Return a name fit to be shown in one line.

    Raises:
        EditError: It is too long, or holds characters that change how others are read.
    """
    name = " ".join(name.split())
    if len(name) > MAX_NAME_CHARACTERS:
        raise EditError(f"a name has at most {MAX_NAME_CHARACTERS} characters, got {len(name)}")
    # Joiners belong to some scripts; control characters and changes of direction to none.
    strange = [c for c in name if unicodedata.category(c)[0] == "C" and c not in "\u200c\u200d"]
    if strange:
        raise EditError(f"a name cannot hold the character U+{ord(strange[0]):04X}")
    return name
