"""The matcher's side of the registry: tracks become sightings, its events become told ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from pipeline.datatypes import UNDECIDED, Event, FrameResult, IntArray
from pipeline.registry.book import Book
from pipeline.registry.database import Statement
from pipeline.registry.edits import Author
from pipeline.registry.open_tracks import Key, OpenTrack, OpenTracks
from pipeline.registry.statements import add_event, move, save_track
from pipeline.registry.telling import Told, told_event

__all__ = ["Sightings"]


class Sightings:
    """Follows the tracks of all cameras and says which identity each of them shows.

    Args:
        book: Numbers and edits.
    """

    def __init__(self, book: Book) -> None:
        self._book = book
        self.tracks = OpenTracks()

    def take(self, results: Sequence[FrameResult], events: Sequence[Event]) -> list[Told]:
        """Take in what the core found and return the events to tell."""
        in_view: set[Key] = set()
        for result in results:
            for track in self.tracks.see(result):
                in_view.add((track.camera, track.track_id))
                if track.matched != UNDECIDED and not track.sighting:
                    track.sighting = self._book.take_number("sighting")
        told = [each for event in events for each in self._tell(event, in_view)]
        if results:
            self.tracks.close_old(max(result.frame.time_s for result in results))
        return told

    def shown_ids(self, result: FrameResult) -> IntArray:
        """Return ``(N,)`` the identities to show for the rows of a result."""
        camera = result.frame.camera
        ids = [
            self._shown_id(camera, track_id, matched)
            for track_id, matched in zip(
                result.tracks.track_id.tolist(), result.global_id.tolist(), strict=True
            )
        ]
        return np.array(ids, np.int64)

    def shown(self, track: OpenTrack) -> int | None:
        """Return the identity that a track shows, ``None`` where nothing is decided."""
        owner = self._found(track.matched) if track.given is None else track.given
        return None if owner is None else self._book.standing.of(owner)

    def unsaved(self) -> Iterator[Statement]:
        """Yield what brings the database up to date, and note whose sums change."""
        for track in self.tracks:
            if track.dirty and track.sighting:
                shown = self.shown(track)
                self._book.touch(track.stored_as, shown)
                yield from save_track(
                    track,
                    session=self._book.session,
                    found=self._found(track.matched),
                    shown=shown,
                )

    def note_saved(self) -> None:
        """Note that the database has all that ``unsaved`` yielded."""
        for track in self.tracks:
            if track.dirty and track.sighting:
                track.dirty, track.jpeg, track.stored_as = False, None, self.shown(track)

    def _found(self, matched: int) -> int | None:
        return None if matched == UNDECIDED else self._book.identity_of(matched)

    def _shown_id(self, camera: str, track_id: int, matched: int) -> int:
        track = self.tracks.get((camera, track_id))
        if track is not None and track.given is not None:
            return self._book.standing.of(track.given)
        found = self._found(matched)
        return UNDECIDED if found is None else self._book.standing.of(found)

    # The matcher's events

    def _tell(self, event: Event, in_view: set[Key]) -> Iterator[Told]:
        """Yield an event as it is told: nothing where the edits by hand said so before."""
        key = (event.camera, event.track_id)
        if event.kind == "merge":
            yield from self._merge(event)
            return
        if event.camera and key not in in_view:
            self._reassign(key, event)
        before = self._found(event.other_id)
        other = None if before is None else self._book.standing.of(before)
        identity = self._book.standing.of(self._book.identity_of(event.global_id))
        track = self.tracks.get(key)
        if track is not None and track.given is not None:
            identity = self._book.standing.of(track.given)
        if identity == other:
            return
        came_from = self._camera_before(identity, event) if event.kind == "hand_over" else None
        yield self._store(event, identity, other, came_from=came_from, track=track)

    def _merge(self, event: Event) -> Iterator[Told]:
        left, gone = (self._book.identity_of(each) for each in (event.global_id, event.other_id))
        before = self._book.standing
        edit = self._book.add_matcher_merge(event.time_s, left=left, gone=gone)
        if before.of(left) == before.of(gone):
            return
        yield self._store(
            event,
            self._book.standing.of(left),
            before.of(gone),
            other_name=before.name(gone),
            edit=edit.number,
        )

    def _store(
        self,
        event: Event,
        identity: int,
        other: int | None,
        *,
        other_name: str | None = None,
        came_from: str | None = None,
        track: OpenTrack | None = None,
        edit: int | None = None,
    ) -> Told:
        standing = self._book.standing
        if other_name is None:
            other_name = "" if other is None else standing.name(other)
        told = told_event(
            self._book.take_number("event"),
            event.time_s,
            event.kind,
            identity,
            name=standing.name(identity),
            author=Author.MATCHER,
            other=other,
            other_name=other_name,
            camera=event.camera or None,
            track=event.track_id if event.camera else None,
            came_from=came_from,
            edit=edit,
        )
        self._book.later(add_event(told, sighting=(track.sighting or None) if track else None))
        return told

    def _reassign(self, key: Key, event: Event) -> None:
        """Give a track that is not in view to whom the matcher now says it belongs."""
        # A split that names nobody else took the track from its identity; else it goes to it.
        left_alone = event.kind == "split" and event.other_id == UNDECIDED
        matched = UNDECIDED if left_alone else event.global_id
        track = self.tracks.get(key)
        if track is not None:
            track.matched, track.dirty = matched, True
            if matched != UNDECIDED and not track.sighting:
                track.sighting = self._book.take_number("sighting")
            return
        for row in self._book.database.rows(
            "SELECT sighting, given, shown FROM sightings "
            "WHERE session = ? AND camera = ? AND track = ? ORDER BY sighting DESC LIMIT 1",
            (self._book.session, *key),
        ):
            found = self._found(matched)
            owner = found if row["given"] is None else row["given"]
            shown = None if owner is None else self._book.standing.of(owner)
            self._book.later(move(row["sighting"], found=found, shown=shown))
            self._book.touch(row["shown"], shown)

    def _camera_before(self, identity: int, event: Event) -> str | None:
        """Return where a person was seen last, other than in the camera of the event."""
        live = [
            (track.last_s, track.camera)
            for track in self.tracks
            if track.camera != event.camera and self.shown(track) == identity
        ]
        if live:
            return max(live)[1]
        rows = self._book.database.rows(
            "SELECT camera FROM sightings WHERE shown = ? AND camera <> ? "
            "ORDER BY last_s DESC LIMIT 1",
            (identity, event.camera),
        )
        return rows[0]["camera"] if rows else None
