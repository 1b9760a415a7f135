"""Erasing somebody from the identity store of a run that goes on."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from pipeline.layout.database import erasing
from pipeline.layout.edit_log import EditLog
from pipeline.registry.changes import Changes
from pipeline.registry.live_zones import LiveZones
from pipeline.registry.store import Store
from pipeline.registry.tracks import Key
from pipeline.registry.watch import WatchList

__all__ = ["Erasure", "LetGo", "drop_edits"]

OWNED = (
    "SELECT 1 FROM sightings WHERE owner = ?1 UNION ALL SELECT 1 FROM sightings WHERE found = ?1"
)
OF_FOLDER = (
    "SELECT DISTINCT w.name FROM alerts JOIN watched w USING (watched) "
    "WHERE w.is_of_folder AND camera = ? AND track = ?"
)


@dataclass(frozen=True, slots=True)
class LetGo:
    """What else has to forget somebody, and begin anew.

    Attributes:
        matcher_ids: The matcher's persons whose features come from their sightings.
        tracks: All their tracks.
        cameras: Where one of these was seen within the last minute.
    """

    matcher_ids: frozenset[int]
    tracks: frozenset[Key]
    cameras: frozenset[str]


class Erasure:
    """Lets somebody go, and erases what was stored; not safe for threads by itself.

    Args:
        store: Numbers and the database.
        log: All edits.
        changes: Tracks and events in memory.
        watch: Who is looked for.
        zones: Where people are counted.
    """

    def __init__(
        self, store: Store, log: EditLog, changes: Changes, watch: WatchList, zones: LiveZones
    ) -> None:
        self._store = store
        self._log = log
        self._changes = changes
        self._watch = watch
        self._zones = zones

    def let_go(self, identity: int) -> LetGo:
        """End somebody's tracks, so that nothing more is stored of them; what is stored stays.

        Args:
            identity: As it is shown; everything must have been stored before.
        """
        rows = self._store.database.rows(
            "SELECT camera, track, found FROM sightings WHERE shown = ?", (identity,)
        )
        tracks = frozenset((row["camera"], row["track"]) for row in rows)
        known = {row["found"] for row in rows if row["found"] is not None}
        sql = "SELECT matcher_id FROM matched WHERE identity = ?"
        found = [self._store.database.rows(sql, (each,)) for each in sorted(known)]
        matcher_ids = frozenset(row["matcher_id"] for each in found for row in each)
        open_tracks = [(each.camera, each.track_id, each.matched) for each in self._changes.tracks]
        cameras = frozenset(
            camera
            for camera, track, matched in open_tracks
            if matched in matcher_ids or (camera, track) in tracks
        )
        self._changes.tracks.drop(tracks)
        self._watch.forget_tracks(tracks)
        self._zones.forget(identity)
        return LetGo(matcher_ids, tracks, cameras)

    def erase(self, identity: int, tracks: Collection[Key]) -> list[str]:
        """Erase sightings, events, edits and what the watch list has of somebody.

        Args:
            identity: As it is shown.
            tracks: Theirs, let go before.

        Returns:
            Names on the watch list that the folder of ``--watch`` has, and that gave alerts for
            them.

        Raises:
            SinkError: The database, or the log of edits, cannot be written.
        """
        rows = [self._store.database.rows(OF_FOLDER, track) for track in sorted(tracks)]
        self._store.commit(erasing(tracks))
        self._store.forget_matched()
        self._changes.forget(set(self._log.edits.members(identity)), tracks)
        self._watch.reload()
        drop_edits(self._store, self._log)
        return sorted({row["name"] for each in rows for row in each})


def drop_edits(store: Store, log: EditLog) -> None:
    """Remove the edits, names among them, of whoever has no sighting left.

    Raises:
        SinkError: The log cannot be written.
    """

    def owns(identity: int) -> bool:
        return bool(store.database.rows(f"{OWNED} LIMIT 1", (identity,)))

    def is_stored(sighting: str) -> bool:
        camera, _, track = sighting.rpartition("/")
        sql = "SELECT 1 FROM sightings WHERE camera = ? AND track = ?"
        return bool(store.database.rows(sql, (camera, int(track))))

    log.keep(log.edits.needed(exists=owns, has_sighting=is_stored))
