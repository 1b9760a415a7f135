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
from pipeline.match.evidence import EvidenceBook

__all__ = ["TrackletCollector"]


class TrackletCollector:
    """A matcher that gathers evidence and decides nothing.

    Args:
        dim: Length of an embedding.
        epoch_s: Where the times of frames begin, on the time line of all paths.
    """

    def __init__(self, dim: int, *, epoch_s: float = 0.0) -> None:
        self._evidence = EvidenceBook(dim, epoch_s=epoch_s)

    def update(
        self, camera: str, time_s: float, tracks: Tracks, evidence: CropEvidence
    ) -> IntArray:
        """Take in one frame; every track stays ``UNASSIGNED``."""
        self._evidence.see(camera, time_s, tracks, evidence)
        return np.full(len(tracks), UNASSIGNED, np.int64)

    def drain_events(self) -> list[Event]:
        """Return nothing: no identity ever changes here."""
        return []

    def tracklets(self) -> list[Tracklet]:
        """Return every tracklet, by (first time, camera, track)."""
        return self._evidence.tracklets()

    def finish(self) -> Identities:
        """Return no identities."""
        return Identities({})
