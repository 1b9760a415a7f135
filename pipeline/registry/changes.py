"""From the matcher to the registry: tracks with identities, and events."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from pipeline.datatypes import UNASSIGNED, Event, FrameResult, IntArray
from pipeline.layout.database import Statement
from pipeline.layout.edit_log import EditLog, Editor
from pipeline.layout.edits import Edit, Edits, edit_event, sighting_name
from pipeline.registry.live_zones import LiveZones
from pipeline.registry.store import Store, place
from pipeline.registry.tracks import Key, OpenTrack, OpenTracks, save_track
from pipeline.registry.watch import WatchList

__all__ = ["MAX_EVENTS", "Changes"]

MAX_EVENTS = 5000
"""Events kept in memory for pages that come back; the recording has all."""


class Changes:
    """Follows the tracks of all cameras and says which identity each of them shows.

    Args:
        store: Numbers, and where sightings go.
        log: All edits.
        editor: Stores the matcher's merges.
        watch: Who is looked for.
        zones: Where people are counted.
        earlier: Events of earlier runs, oldest first.
    """

    def __init__(
        self,
        store: Store,
        log: EditLog,
        editor: Editor,
        *,
        watch: WatchList,
        zones: LiveZones,
        earlier: Iterable[Event] = (),
    ) -> None:
        self._store = store
        self._log = log
        self._editor = editor
        self._watch = watch
        self._zones = zones
        self._saving: list[tuple[OpenTrack, bool]] = []
        self.tracks = OpenTracks()
        self.events = deque(earlier, MAX_EVENTS)
        """The newest, oldest first."""

    def take(self, results: Sequence[FrameResult], events: Sequence[Event]) -> list[Event]:
        """Take in what the core found and return the events as they are shown."""
        in_view: set[Key] = set()
        for result in results:
            for track in self.tracks.see(result):
                in_view.add((track.camera, track.track_id))
                self._store.note_track(track.track_id)
        shown = [each for event in events for each in self._shown_events(event, in_view)]
        # In the order of their names: how cameras take turns changes no result.
        seen = [self.tracks.known(key) for key in sorted(in_view)]
        for alert in self._watch.look((each, self.shown(each)) for each in seen):
            shown.append(self._numbered(alert))
            self._watch.store_alert(shown[-1])
        for result in results:
            ids = self.shown_ids(result)
            shown += [self._numbered(each) for each in self._zones.see(result, ids)]
        if results:
            gone = self.tracks.close_old(max(result.frame.time_s for result in results))
            self._watch.forget_tracks(gone)
        return shown

    def take_edit(self, edit: Edit, before: Edits) -> Event:
        """Have an edit that was made by hand show everywhere, and return its event."""
        self._store.settle(before, self._edits)
        return self._numbered(edit_event(edit, before, self._edits))

    def shown_ids(self, result: FrameResult) -> IntArray:
        """Return ``(N,)`` the identities to show for the rows of a result."""
        camera = result.frame.camera
        tracks, matched = result.tracks.track_id.tolist(), result.global_id.tolist()
        ids = [
            self._edits.identity_of(sighting_name(camera, track), self._found(number))
            for track, number in zip(tracks, matched, strict=True)
        ]
        return np.array(ids, np.int64)

    def shown(self, track: OpenTrack) -> int:
        """Return the identity that a track shows, ``UNASSIGNED`` where nothing is decided."""
        return self._edits.identity_of(track.name, self._found(track.matched))

    def unsaved(self, now_s: float) -> Iterator[Statement]:
        """Yield what brings the database up to date."""
        self._saving = []
        for track in self.tracks:
            embedding = track.has_better_embedding(now_s)
            if track.is_sighting and (track.dirty or embedding):
                self._saving.append((track, embedding))
                found = _row(self._found(track.matched))
                owner = self._edits.given.get(track.name, found)
                shown = _row(self.shown(track))
                yield from save_track(
                    track, found=found, owner=owner, shown=shown, embedding=embedding
                )

    def note_saved(self) -> None:
        """Note that the database has all that ``unsaved`` yielded."""
        for track, embedding in self._saving:
            track.dirty, track.jpeg = False, None
            if embedding:
                track.stored_weight = track.weight

    def forget(self, identities: Collection[int], tracks: Collection[Key]) -> None:
        """Forget the events about some identities and tracks."""
        kept = [
            each
            for each in self.events
            if (each.camera, each.track_id) not in tracks
            and each.global_id not in identities
            and each.other_id not in identities
        ]
        self.events.clear()
        self.events.extend(kept)

    @property
    def _edits(self) -> Edits:
        return self._log.edits

    def _found(self, matched: int) -> int:
        return UNASSIGNED if matched == UNASSIGNED else self._store.identity_of(matched)

    # The matcher's events

    def _shown_events(self, event: Event, in_view: set[Key]) -> Iterator[Event]:
        """Yield an event as it is shown: nothing where the edits by hand said so before."""
        key = (event.camera, event.track_id)
        if event.kind == "merge":
            yield from self._merge(event)
            return
        if event.camera and key not in in_view:
            self._reassign(key, event)
        before = self._found(event.other_id)
        other = UNASSIGNED if before == UNASSIGNED else self._edits.shown(before)
        found = self._store.identity_of(event.global_id)
        identity = self._edits.identity_of(sighting_name(*key), found)
        if identity == other:
            return
        yield self._numbered(
            replace(
                event,
                global_id=identity,
                other_id=other,
                from_camera=self._camera_before(identity, event),
                name=self._edits.name(identity),
                other_name="" if other == UNASSIGNED else self._edits.name(other),
                embedding=self._embedding_of(key),
            )
        )

    def _embedding_of(self, key: Key) -> bytes | None:
        track = self.tracks.get(key)
        if track is None or track.embedding_sum is None:
            return None
        norm = np.linalg.norm(track.embedding_sum)
        return (track.embedding_sum / norm).astype("<f4").tobytes() if norm else None

    def _merge(self, event: Event) -> Iterator[Event]:
        left, gone = (self._found(each) for each in (event.global_id, event.other_id))
        before = self._edits
        edit = self._editor.note_merge(left, gone, time_s=event.time_s)
        self._store.settle(before, self._edits)
        if before.shown(left) != before.shown(gone):
            yield self._numbered(edit_event(edit, before, self._edits))

    def _numbered(self, event: Event) -> Event:
        track = self.tracks.get((event.camera, event.track_id))
        path = None if track is None else track.path.path()
        place = None if path is None else path.at(event.time_s)
        number = self._store.take_number("event")
        event = replace(event, number=number, place=place and tuple(round(x, 2) for x in place))
        self.events.append(replace(event, pictures=None, embedding=None))
        return event

    def _reassign(self, key: Key, event: Event) -> None:
        """Give a track that is not in view to whom the matcher now says it belongs."""
        # A split that names nobody else took the track from its identity; else it goes to it.
        left_alone = event.kind == "split" and event.other_id == UNASSIGNED
        matched = UNASSIGNED if left_alone else event.global_id
        track = self.tracks.get(key)
        if track is not None:
            track.matched, track.dirty = matched, True
            track.is_sighting |= matched != UNASSIGNED
        else:
            self._store.later(place(*key, _row(self._found(matched)), self._edits))

    def _camera_before(self, identity: int, event: Event) -> str:
        """Return where a person was seen last, other than in the camera of the event."""
        if event.kind != "hand_over":
            return ""
        live = [
            (track.last_s, track.camera)
            for track in self.tracks
            if track.camera != event.camera and self.shown(track) == identity
        ]
        if live:
            return max(live)[1]
        rows = self._store.database.rows(
            "SELECT camera FROM sightings WHERE shown = ? AND camera <> ? "
            "ORDER BY last_s DESC LIMIT 1",
            (identity, event.camera),
        )
        return rows[0]["camera"] if rows else ""


def _row(identity: int) -> int | None:
    return None if identity == UNASSIGNED else identity
