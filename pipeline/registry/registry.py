"""Sightings by the matcher, with edits by hand applied."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from pipeline.datatypes import Event, FrameResult
from pipeline.errors import SinkError
from pipeline.layout.database import Database
from pipeline.layout.edit_log import EditLog, Editor
from pipeline.layout.edits import Edit, sighting_name
from pipeline.layout.recording import REGISTRY
from pipeline.live_settings import WatchSettings
from pipeline.person_picture import PersonPicture
from pipeline.registry.alert_rate import Curve
from pipeline.registry.changes import Changes
from pipeline.registry.erasure import Erasure, LetGo
from pipeline.registry.live_zones import LiveZones
from pipeline.registry.retention import Retention
from pipeline.registry.store import Store
from pipeline.registry.tracks import Key
from pipeline.registry.watch import WatchList
from pipeline.zone_settings import ZoneMap

__all__ = ["Registry"]

FLUSH_S = 1.0
"""What a crash can cost, seconds."""
LOST_TRACKS = 100
"""More than all cameras begin in that time."""


class Registry:
    """The identity store of a live run, and the log of edits beside it.

    Identities have the registry's own numbers, from 1, never used twice: the matcher's
    numbers cannot be reserved for persons whom somebody splits off by hand. The processing
    thread calls ``write`` and ``show``; other threads edit, and read ``log`` and ``events``.

    Args:
        folder: Of the recording; must exist.
        keep_s: How long sightings, thumbnails and embeddings are kept, seconds; ``None`` is
            forever. Who has no sighting left is forgotten with name and edits.
        earlier: Events of earlier runs, oldest first.
        watch: When somebody on the watch list gives an alert.
        curve: Error rates of the weights, ``None`` where they are not known.
        cameras: Number of cameras.
        zones: Zones and lines by camera, and of the floor.
        y_up: As for ``ZoneCounter``.
        clock: Seconds since the epoch.

    Raises:
        InputError: The database or the log of edits cannot be opened, or is damaged.
    """

    def __init__(
        self,
        folder: Path,
        *,
        keep_s: float | None,
        earlier: Iterable[Event] = (),
        watch: WatchSettings | None = None,
        curve: Curve | None = None,
        cameras: int = 1,
        zones: Mapping[str, ZoneMap] | None = None,
        y_up: bool = True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.log = EditLog(folder)
        """All edits."""
        self._database = Database(folder / REGISTRY)
        self._store = Store(self._database, self.log.edits)
        self._editor = Editor(
            self.log,
            sightings_of=self._sightings_of,
            new_identity=lambda: self._store.take_number("identity"),
            new_number=lambda: self._store.take_number("edit"),
            clock=clock,
        )
        settings = watch or WatchSettings()
        self._watch = WatchList(self._store, settings, curve, cameras=cameras)
        self._zones = LiveZones(self._store, folder, zones or {}, y_up=y_up)
        self._changes = Changes(
            self._store,
            self.log,
            self._editor,
            watch=self._watch,
            zones=self._zones,
            earlier=earlier,
        )
        self._retention = Retention(self._store, self.log, self._changes.events, keep_s=keep_s)
        self._erasure = Erasure(self._store, self.log, self._changes, self._watch, self._zones)
        self._clock = clock
        self._flushed_s = clock()
        self._lock = threading.Lock()
        self._closed = False
        self.events = self._changes.events
        """The newest, oldest first."""
        with suppress(SinkError):  # noted by the store, and tried again
            self._store.commit()

    @property
    def trouble(self) -> str:
        """Why nothing can be stored just now, empty where all is well."""
        return self._store.trouble

    @property
    def newest_event(self) -> int:
        """Number of the newest event, 0 before the first."""
        return self._store.newest("event")

    @property
    def next_track(self) -> int:
        """The first number for the tracks of a new run, so that none is used twice.

        Each run begins at a round number. After a kill, tracks of its last second are not known.
        """
        newest = self._store.newest("track")
        return 1 if newest == 0 else math.ceil((newest + LOST_TRACKS) / 1000) * 1000 + 1

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
            "registry_identities_total": self._store.newest("identity"),
            "registry_events_total": self._store.newest("event"),
            "registry_open_tracks": len(self._changes.tracks),
            "registry_lost_statements_total": self._store.lost,
            "registry_trouble": float(bool(self._store.trouble)),
        }

    def write(self, results: Sequence[FrameResult], events: Sequence[Event]) -> list[Event]:
        """Store what the core found and return what changed, as it is shown to others.

        Never raises because a disk is full: what cannot be stored waits in memory, which is
        bounded, and ``trouble`` says so. To be called about once a second also when there is
        nothing to write. Edits by hand are not among the events; who makes them tells them.

        Args:
            results: As the core returns them, with the matcher's numbers.
            events: The matcher's, oldest first.
        """
        with self._lock:
            shown = self._changes.take(results, events)
            now_s = self._clock()
            if self._store.has_news or abs(now_s - self._flushed_s) >= FLUSH_S:
                self._flushed_s = now_s
                try:
                    self._flush()
                    self._retention.run(now_s)
                except SinkError:
                    # Noted and logged by the store; the next call tries again.
                    return shown
        return shown

    def show(self, results: Sequence[FrameResult]) -> list[FrameResult]:
        """Return results with the identities to show instead of the matcher's numbers.

        Args:
            results: As the core returns them; ``write`` them first.
        """
        with self._lock:
            return [
                replace(result, global_id=self._changes.shown_ids(result)) for result in results
            ]

    def name(self, identity: int) -> str:
        """Return what an identity is called, empty if it has no name. From any thread."""
        return self.log.edits.name(identity)

    def close(self) -> None:
        """Store what waits and close the file; a second call does nothing."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            try:
                self._flush(closing=True)
            except SinkError:
                self._store.give_up()
            finally:
                self._database.close()

    # Edits by hand; each returns the event to tell. See `Editor`.

    def rename(self, identity: int, name: str, *, user: str = "") -> Event:
        """Give an identity a name; an empty one takes it away."""
        return self._edited(lambda: self._editor.rename(identity, name, user=user))

    def merge(self, identity: int, other: int, *, user: str = "") -> Event:
        """Have ``other`` be the same person as ``identity``, whose number stays."""
        return self._edited(lambda: self._editor.merge(identity, other, user=user))

    def split(self, identity: int, sightings: Sequence[int], *, user: str = "") -> Event:
        """Make a new identity of some sightings, by their numbers, of another one."""

        def make() -> Edit:
            names = [self._name_of(each) for each in sightings]
            return self._editor.split(identity, names, user=user)

        return self._edited(make)

    def undo(self, edit: int, *, user: str = "") -> Event:
        """Have an edit no longer count, by hand or the matcher's, whatever was edited since."""
        return self._edited(lambda: self._editor.undo(edit, user=user))

    # The watch list; see `WatchList`

    @property
    def alert_threshold(self) -> float | None:
        """The least similarity that is an alert now, ``None`` where weights are not calibrated."""
        with self._lock:
            return self._watch.threshold

    def enrol(self, name: str, pictures: Sequence[PersonPicture]) -> int:
        """Look for somebody, or by more pictures for somebody who is looked for already."""
        with self._lock:
            return self._watch.enrol(name, pictures)

    def enrol_folder(self, people: Mapping[str, Sequence[PersonPicture]]) -> None:
        """Look for those of a folder, and no more for those that it had before."""
        with self._lock:
            self._watch.take_folder(people)

    def stop_watching(self, number: int) -> str:
        """Look for somebody no more; return what they were called."""
        with self._lock:
            return self._watch.remove(number)

    def answer_alert(self, alert: int, *, is_match: bool) -> None:
        """Take in what the operator says of an alert."""
        with self._lock:
            self._watch.answer(alert, is_match=is_match)

    # Erasing; see `Erasure`

    def let_go(self, identity: int) -> LetGo:
        """End somebody's tracks, so that nothing more is stored of them."""
        with self._lock:
            self._flush()
            return self._erasure.let_go(self.log.edits.shown(identity))

    def erase(self, identity: int, tracks: Collection[Key]) -> list[str]:
        """Erase what is stored of somebody; see `Erasure.erase`."""
        with self._lock:
            self._flush()
            return self._erasure.erase(self.log.edits.shown(identity), tracks)

    def zones_now(self) -> tuple[Mapping[str, ZoneMap], Mapping[str, int]]:
        """Return zones and lines by camera, and how many people are in each zone."""
        with self._lock:
            return self._zones.maps, self._zones.inside()

    def draw_zones(self, camera: str, drawn: ZoneMap) -> None:
        """Have a camera's zones and lines be these from now on."""
        with self._lock:
            self._zones.draw(camera, drawn)

    def _edited(self, make: Callable[[], Edit]) -> Event:
        with self._lock:
            self._flush()
            before = self.log.edits
            event = self._changes.take_edit(make(), before)
            try:
                self._store.commit()
            except SinkError:
                # The log has the edit; what follows from it for queries waits.
                return event
        return event

    def _sightings_of(self, shown: int) -> list[str]:
        sql = "SELECT camera, track FROM sightings WHERE shown = ?"
        rows = self._database.rows(sql, (shown,))
        return [sighting_name(row["camera"], row["track"]) for row in rows]

    def _name_of(self, sighting: int) -> str:
        sql = "SELECT camera, track FROM sightings WHERE sighting = ?"
        rows = self._database.rows(sql, (sighting,))
        return sighting_name(rows[0]["camera"], rows[0]["track"]) if rows else str(sighting)

    def _flush(self, *, closing: bool = False) -> None:
        # As if all tracks had paused, so that their last crops count.
        self._store.commit(self._changes.unsaved(float("inf") if closing else self._clock()))
        self._changes.note_saved()
