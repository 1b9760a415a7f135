"""Who was seen where and when, as the matcher says and as people correct it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from pipeline.datatypes import Event, FrameResult
from pipeline.errors import SinkError
from pipeline.registry.book import Book
from pipeline.registry.corrections import Corrections
from pipeline.registry.database import Database
from pipeline.registry.records import Records
from pipeline.registry.retention import Retention
from pipeline.registry.sightings import Sightings
from pipeline.registry.telling import Told

__all__ = ["Registry"]

FLUSH_S = 1.0
"""What a crash can cost, seconds."""


class Registry:
    """Stores sightings, thumbnails, names, events and edits by hand, and shows what they say.

    Identities have the registry's own numbers, from 1, never used twice: the matcher's
    numbers cannot be reserved for persons whom somebody splits off by hand. The processing
    thread calls ``write`` and ``show``; other threads edit, and read ``records``.

    Args:
        path: SQLite file; made if it is not there, readable by its owner alone.
        keep_s: How long sightings, thumbnails and events are kept, seconds; ``None`` is forever.
            Who has no sighting left is forgotten with name and edits.
        clock: Seconds since the epoch.

    Raises:
        InputError: The file cannot be opened or is no registry.
    """

    def __init__(
        self, path: Path, *, keep_s: float | None, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = Database(path)
        self._book = Book(self._database)
        self._sightings = Sightings(self._book)
        self._corrections = Corrections(self._book, self._sightings)
        self._retention = Retention(self._book, self._sightings, keep_s=keep_s)
        self._clock = clock
        self._flushed_s = clock()
        self._lock = threading.Lock()
        self._closed = False
        self.records = Records(self._database, self._book)
        """What is stored, to be read from any thread."""

    @property
    def trouble(self) -> str:
        """Why nothing can be stored just now, empty where all is well."""
        return self._book.trouble

    @property
    def newest_event(self) -> int:
        """Number of the newest event, 0 before the first."""
        return self._book.newest("event")

    @property
    def next_matcher_number(self) -> int:
        """The first number that no matcher used for anybody who is still stored.

        A matcher that starts without its gallery, or with an older one, must go on from here.
        """
        with self._lock:
            rows = self._database.rows("SELECT max(matcher_id) AS newest FROM matched")
        return int(rows[0]["newest"] or 0) + 1

    def figures(self) -> dict[str, float]:
        """Return how the registry is doing, to be shown as metrics."""
        return {
            "identities": float(self.records.count()),
            "registry_identities_total": self._book.newest("identity"),
            "registry_sightings_total": self._book.newest("sighting"),
            "registry_events_total": self._book.newest("event"),
            "registry_open_tracks": len(self._sightings.tracks),
            "registry_lost_statements_total": self._book.lost,
            "registry_trouble": float(bool(self._book.trouble)),
        }

    def write(self, results: Sequence[FrameResult], events: Sequence[Event]) -> list[Told]:
        """Store what the core found and return what changed, as it is told to others.

        Never raises because a disk is full: what cannot be stored waits in memory, which is
        bounded, and ``trouble`` says so. To be called about once a second also when there is
        nothing to write. Edits by hand are not among the events; who makes them tells them.

        Args:
            results: As the core returns them, with the matcher's numbers.
            events: The matcher's, oldest first.
        """
        with self._lock:
            told = self._sightings.take(results, events)
            now_s = self._clock()
            if self._book.has_news or abs(now_s - self._flushed_s) >= FLUSH_S:
                self._flushed_s = now_s
                try:
                    self._flush()
                    self._retention.run(now_s)
                except SinkError:
                    # Noted and logged by the book; the next call tries again.
                    return told
        return told

    def show(self, results: Sequence[FrameResult]) -> list[FrameResult]:
        """Return results with the identities to show instead of the matcher's numbers.

        Args:
            results: As the core returns them; ``write`` them first.
        """
        with self._lock:
            return [
                replace(result, global_id=self._sightings.shown_ids(result)) for result in results
            ]

    def name(self, identity: int) -> str:
        """Return what an identity is called, empty if nobody named it. From any thread."""
        return self._book.standing.name(identity)

    def close(self) -> None:
        """Store what waits and close the file; a second call does nothing."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            try:
                self._flush()
            except SinkError:
                self._book.give_up()
            finally:
                self._database.close()

    # Edits by hand; each returns the event to tell.

    def rename(self, identity: int, name: str) -> Told:
        """Give an identity a name; an empty one takes it away.

        Raises:
            EditError: There is no such identity, or the name cannot be shown.
            SinkError: It cannot be stored.
        """
        with self._editing() as edit:
            return edit.rename(identity, name, time_s=self._clock())

    def merge(self, identity: int, other: int) -> Told:
        """Have ``other`` be the same person as ``identity``, whose number stays.

        Raises:
            EditError: There is no such identity, or they are the same already.
            SinkError: It cannot be stored.
        """
        with self._editing() as edit:
            return edit.merge(identity, other, time_s=self._clock())

    def split(self, identity: int, sightings: Sequence[int]) -> Told:
        """Make a new identity of some sightings of another one.

        Raises:
            EditError: There is no such identity, a sighting is not its, or all are chosen.
            SinkError: It cannot be stored.
        """
        with self._editing() as edit:
            return edit.split(identity, sightings, time_s=self._clock())

    def undo(self, edit: int) -> Told:
        """Have an edit no longer count, by hand or the matcher's, whatever was edited since.

        Raises:
            EditError: There is no such edit, or it was undone before.
            SinkError: It cannot be stored.
        """
        with self._editing() as corrections:
            return corrections.undo(edit, time_s=self._clock())

    @contextmanager
    def _editing(self) -> Iterator[Corrections]:
        with self._lock:
            self._flush()
            yield self._corrections

    def _flush(self) -> None:
        self._book.commit(self._sightings.unsaved())
        self._sightings.note_saved()
