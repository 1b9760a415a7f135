"""The tracks that are being seen, until they become sightings that rest in the database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.datatypes import UNDECIDED, FrameResult
from pipeline.registry.thumbnails import thumbnail

__all__ = ["Key", "OpenTrack", "OpenTracks"]

Key = tuple[str, int]
"""Camera and number of a track."""

CLOSE_AFTER_S = 60.0
"""A track unseen for so long is over. Until then its identity may still be decided."""
MOST = 5000
"""Tracks that may wait for a database that cannot be written; beyond, those that ended go."""
BETTER = 0.05
"""How much better a crop must be to replace the thumbnail; encoding every small gain is waste."""


@dataclass(slots=True, eq=False)
class OpenTrack:
    """One track of one camera.

    Attributes:
        camera: Its camera.
        track_id: Its number there.
        first_s: Time of its first box, seconds since the epoch.
        last_s: Time of its last box.
        frames: Number of boxes.
        matched: Whose it is as the matcher says, ``UNDECIDED`` where it does not.
        sighting: Number of its sighting, 0 until its identity was decided once.
        given: Whose it is as somebody said by hand, ``None`` where nobody did.
        stored_as: Whose it is in the database.
        quality: How well the thumbnail shows the person, 0 where there is none.
        jpeg: The thumbnail, if it is not in the database yet.
        dirty: Whether the database does not know all of it yet.
    """

    camera: str
    track_id: int
    first_s: float
    last_s: float
    frames: int = 0
    matched: int = UNDECIDED
    sighting: int = 0
    given: int | None = None
    stored_as: int | None = None
    quality: float = 0.0
    jpeg: bytes | None = None
    dirty: bool = False


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

    def see(self, result: FrameResult) -> Iterator[OpenTrack]:
        """Take in one frame and yield its tracks, in the order of its rows."""
        camera, time_s = result.frame.camera, result.frame.time_s
        for row, track_id in enumerate(result.tracks.track_id.tolist()):
            track = self._tracks.get((camera, track_id))
            if track is None:
                track = OpenTrack(camera, track_id, time_s, time_s)
                self._tracks[camera, track_id] = track
            track.last_s = max(track.last_s, time_s)
            track.frames += 1
            track.matched = int(result.global_id[row])
            track.dirty = True
            quality = float(result.quality[row])
            if quality > track.quality + (BETTER if track.quality else 0.0):
                track.quality, track.jpeg = quality, thumbnail(result, row)
            yield track

    def close_old(self, now_s: float) -> None:
        """Forget tracks that ended, except those that could not be stored yet."""
        if abs(now_s - self._closed_s) < 1.0:
            return
        self._closed_s = now_s
        for key, track in list(self._tracks.items()):
            waits = track.dirty and track.sighting and len(self._tracks) <= MOST
            if now_s - track.last_s > CLOSE_AFTER_S and not waits:
                del self._tracks[key]
