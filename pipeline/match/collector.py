"""Tracklets without identities: for work that is matched later, all at once."""

from __future__ import annotations

import numpy as np

from pipeline.datatypes import (
    UNASSIGNED,
    CropEvidence,
    Event,
    Identities,
    IntArray,
    Tracklet,
    Tracks,
)
from pipeline.match.evidence import TrackEvidence, seen_boxes
from pipeline.places import PathBuilder

__all__ = ["TrackletCollector"]


class TrackletCollector:
    """A matcher that gathers evidence and decides nothing.

    Args:
        dim: Length of an embedding.
        epoch_s: Where the times of frames begin, on the time line of all paths.
    """

    def __init__(self, dim: int, *, epoch_s: float = 0.0) -> None:
        self._dim, self._epoch_s = dim, epoch_s
        self._tracks: dict[tuple[str, int], TrackEvidence] = {}

    def update(
        self, camera: str, time_s: float, tracks: Tracks, evidence: CropEvidence
    ) -> IntArray:
        """Take in one frame; every track stays ``UNASSIGNED``."""
        keys = [(camera, track_id) for track_id in tracks.track_id.tolist()]
        for key, (box, score, place) in zip(keys, seen_boxes(tracks), strict=True):
            if key not in self._tracks:
                zero = np.zeros(self._dim, np.float32)
                path = PathBuilder(self._epoch_s)
                self._tracks[key] = TrackEvidence(*key, time_s, time_s, zero, places=path)
            self._tracks[key].see(time_s, box, score, place)
        for row, vector, quality in zip(
            evidence.rows.tolist(), evidence.vectors, evidence.quality.tolist(), strict=True
        ):
            self._tracks[keys[row]].add(vector, quality)
        return np.full(len(tracks), UNASSIGNED, np.int64)

    def drain_events(self) -> list[Event]:
        """Return nothing: no identity ever changes here."""
        return []

    def tracklets(self) -> list[Tracklet]:
        """Return every tracklet, by (first time, camera, track)."""
        ordered = sorted(self._tracks.values(), key=lambda e: (e.first_s, e.camera, e.track_id))
        return [evidence.as_tracklet() for evidence in ordered]

    def finish(self) -> Identities:
        """Return no identities."""
        return Identities({})
