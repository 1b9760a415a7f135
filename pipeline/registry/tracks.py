"""Open tracks, until they become sightings in the database."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

import numpy as np

from pipeline.crops import cut, thumbnail
from pipeline.datatypes import UNASSIGNED, FloatArray, FrameResult
from pipeline.layout.database import Statement
from pipeline.layout.edits import sighting_name
from pipeline.places import PathBuilder

__all__ = ["Key", "OpenTrack", "OpenTracks", "save_track"]

Key = tuple[str, int]
"""Camera and number of a track."""

CLOSE_AFTER_S = 60.0
"""A track unseen for so long is over. Until then its identity may still be decided."""
MAX_TRACKS = 5000
"""Tracks that may wait for a database that cannot be written; beyond, those that ended go."""
BETTER = 0.05
"""How much better a crop must be to replace the thumbnail; encoding every small gain is waste."""
GROWN = 1.1
"""An embedding is written again once the crops weigh so many times more, or the track pauses."""
PAUSE_S = 2.0
SAVE = (
    "INSERT INTO sightings (camera, track, found, owner, shown, first_s, last_s, frames, quality) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (camera, track) DO UPDATE SET "
    "found = excluded.found, owner = excluded.owner, shown = excluded.shown, "
    "last_s = excluded.last_s, frames = excluded.frames, quality = excluded.quality"
)
PLACE = "INSERT OR REPLACE INTO places VALUES ({}, ?, ?, ?, ?, ?, ?)"
WHICH = "(SELECT sighting FROM sightings WHERE camera = ? AND track = ?)"


@dataclass(slots=True, eq=False)
class OpenTrack:
    """One track of one camera.

    Attributes:
        camera: Its camera.
        track_id: Its number there.
        first_s: Time of its first box, seconds since the epoch.
        last_s: Time of its last box.
        frames: Number of boxes.
        matched: Whose it is as the matcher says, ``UNASSIGNED`` where it does not.
        is_sighting: Whether its identity was decided once.
        quality: How well the thumbnail shows the person, 0 where there is none.
        jpeg: The thumbnail, if it is not in the database yet.
        embedding_sum: ``(D,)``, the quality-weighted sum of the crops' embeddings.
        weight: Sum of the qualities.
        crops: Number of embedded crops.
        stored_weight: The same of what is in the database.
        dirty: Whether the database does not know all of it yet.
        path: Where it was, of calibrated cameras.
    """

    camera: str
    track_id: int
    first_s: float
    last_s: float
    frames: int = 0
    matched: int = UNASSIGNED
    is_sighting: bool = False
    quality: float = 0.0
    jpeg: bytes | None = None
    embedding_sum: FloatArray | None = None
    weight: float = 0.0
    crops: int = 0
    stored_weight: float = 0.0
    dirty: bool = False
    path: PathBuilder = field(default_factory=PathBuilder)

    @property
    def name(self) -> str:
        """What edits call it."""
        return sighting_name(self.camera, self.track_id)

    def add(self, vector: FloatArray, quality: float) -> None:
        """Take in the ``(D,)`` unit embedding of one crop."""
        weighted = np.float32(quality) * vector
        before = self.embedding_sum
        self.embedding_sum = weighted if before is None else before + weighted
        self.weight += quality
        self.crops += 1

    def has_better_embedding(self, now_s: float) -> bool:
        """Return whether its embedding is worth writing."""
        if now_s - self.last_s >= PAUSE_S:
            return self.weight > self.stored_weight
        return self.weight > GROWN * self.stored_weight


class OpenTracks:
    """All tracks that were seen lately, of all cameras."""

    def __init__(self) -> None:
        self._tracks: dict[Key, OpenTrack] = {}
        self._closed_s = float("-inf")

    def __len__(self) -> int:
        return len(self._tracks)

    def __iter__(self) -> Iterator[OpenTrack]:
        return iter(self._tracks.values())

    def get(self, key: Key) -> OpenTrack | None:
        """Return a track, ``None`` if it was not seen lately."""
        return self._tracks.get(key)

    def known(self, key: Key) -> OpenTrack:
        """Return a track that was just seen."""
        return self._tracks[key]

    def see(self, result: FrameResult) -> Iterator[OpenTrack]:
        """Take in one frame and yield its tracks, in the order of its rows."""
        camera, time_s = result.frame.camera, result.frame.time_s
        tracks, places = [], result.tracks.places
        rows = [None] * len(result.tracks) if places is None else places.rows()
        for row, track_id in enumerate(result.tracks.track_id.tolist()):
            track = self._tracks.get((camera, track_id))
            if track is None:
                track = OpenTrack(camera, track_id, time_s, time_s)
                self._tracks[camera, track_id] = track
            track.last_s = max(track.last_s, time_s)
            track.frames += 1
            track.matched = int(result.global_id[row])
            track.is_sighting |= track.matched != UNASSIGNED
            track.dirty = True
            place = rows[row]
            if place is not None:
                track.path.see(time_s, place)
            quality = float(result.quality[row])
            if quality > track.quality + (BETTER if track.quality else 0.0):
                track.quality = quality
                track.jpeg = thumbnail(cut(result.frame.image, result.tracks.xyxy[row]))
            tracks.append(track)
        evidence = result.evidence
        for row, vector, quality in zip(
            evidence.rows.tolist(), evidence.vectors, evidence.quality.tolist(), strict=True
        ):
            tracks[row].add(vector, quality)
        yield from tracks

    def drop(self, keys: Collection[Key]) -> None:
        """Forget tracks, whatever of them is not stored yet."""
        for key in keys:
            self._tracks.pop(key, None)

    def close_old(self, now_s: float) -> list[Key]:
        """Forget tracks that ended, except those that could not be stored yet; return them."""
        if abs(now_s - self._closed_s) < 1.0:
            return []
        self._closed_s = now_s
        gone = []
        for key, track in list(self._tracks.items()):
            waits = track.dirty and track.is_sighting and len(self._tracks) <= MAX_TRACKS
            if now_s - track.last_s > CLOSE_AFTER_S and not waits:
                del self._tracks[key]
                gone.append(key)
        return gone


def save_track(
    track: OpenTrack, *, found: int | None, owner: int | None, shown: int | None, embedding: bool
) -> Iterator[Statement]:
    """Yield what stores a track as a sighting, with its thumbnail if that is new.

    Args:
        track: The track.
        found: Whose it is as the matcher says.
        owner: Whose after splits by hand.
        shown: Whose after merges as well.
        embedding: Whether to store its embedding too.
    """
    key = track.camera, track.track_id
    seen = track.first_s, track.last_s, track.frames, track.quality
    yield SAVE, (*key, found, owner, shown, *seen)
    if track.jpeg is not None:
        yield f"INSERT OR REPLACE INTO thumbnails VALUES ({WHICH}, ?)", (*key, track.jpeg)
    path = track.path.path()
    if path is not None:
        points = path.points().astype(np.float32).tobytes()
        yield PLACE.format(WHICH), (*key, *path.cells(), path.first, points)
    if embedding and track.embedding_sum is not None:
        norm = float(np.linalg.norm(track.embedding_sum))
        if norm > 0:
            vector = (track.embedding_sum / np.float32(norm)).astype(np.float32).tobytes()
            sql = f"INSERT OR REPLACE INTO embeddings VALUES ({WHICH}, ?, ?)"
            yield sql, (*key, track.weight, vector)
