"""The tracks of a run, and which of them are still unassigned."""

from __future__ import annotations

import math
from collections.abc import Collection

from pipeline.datatypes import CropEvidence, FloatArray, Tracklet, Tracks
from pipeline.match.evidence import EvidenceBook, TrackEvidence
from pipeline.match.review import Key, Node
from pipeline.match.spans import Spans
from pipeline.settings import MatchSettings

__all__ = ["TrackBook"]

ENDED_AFTER_S = 3.0
"""A track that was not seen for so long waits for no more evidence."""


class TrackBook:
    """Evidence of every track that is remembered, and the state of the undecided ones.

    Args:
        settings: When the evidence of a track suffices.
        dim: Length of an embedding.
    """

    def __init__(self, settings: MatchSettings, dim: int) -> None:
        self._book = EvidenceBook(dim)
        self.evidence = self._book.tracks
        """What is known of each track."""
        self.cameras: dict[str, int] = {}
        """Number of each camera that had a track to decide."""
        self.now_s = -math.inf
        """The newest event time, seconds."""
        self._settings = settings
        self._waiting: dict[Key, int] = {}  # with the number of crops when last looked at

    @property
    def waiting(self) -> Collection[Key]:
        """The tracks without an identity."""
        return self._waiting.keys()

    # What is seen

    def see(self, camera: str, time_s: float, tracks: Tracks, evidence: CropEvidence) -> list[Key]:
        """Take in one frame, whose new tracks wait from now on; return the keys of its tracks."""
        keys, new = self._book.see(camera, time_s, tracks, evidence)
        for key in new:
            self.wait(key)
        return keys

    # Who waits

    def ready(self, *, at_end: bool) -> list[Key]:
        """Return the waiting tracks that can be decided by now, in order.

        Args:
            at_end: Whether no more evidence will come.
        """
        return sorted(key for key in self._waiting if self._is_ready(key, at_end))

    def has_timed_out(self, key: Key) -> bool:
        """Return whether a track has ended or waited as long as it may."""
        track = self.evidence[key]
        return (
            self.now_s - track.first_s >= self._settings.max_wait_s
            # Before now or, where the clock was set back, behind it.
            or abs(self.now_s - track.last_s) >= ENDED_AFTER_S
        )

    def may_be_new_identity(self, key: Key) -> bool:
        """Return whether a track was seen long enough to be somebody not known before."""
        track = self.evidence[key]
        return track.visible_s >= self._settings.min_duration_s

    def mark_compared(self, key: Key) -> None:
        """Note that a waiting track was compared with all it shows by now."""
        self._waiting[key] = self.evidence[key].crops

    def wait(self, key: Key) -> None:
        """Let a track wait for an identity."""
        self._waiting[key] = 0

    def decided(self, key: Key) -> None:
        """Let a track wait no more."""
        del self._waiting[key]

    def _is_ready(self, key: Key, at_end: bool) -> bool:
        track = self.evidence[key]
        if track.crops == 0 or not track.presence.is_somebody:
            return False
        if at_end:
            return True
        is_open = track.crops > self._waiting[key]
        if self.has_timed_out(key):
            return is_open or self.may_be_new_identity(key)
        enough = track.crops >= self._settings.decide_crops
        waited_s = self.now_s - track.first_s
        return is_open and (enough or waited_s >= self._settings.decide_after_s)

    def with_crops(self, keys: Collection[Key]) -> list[TrackEvidence]:
        """Return what is known of those of the tracks that have an embedding."""
        return [self.evidence[key] for key in keys if self.evidence[key].crops]

    # Where and when

    def number_cameras(self, keys: Collection[Key]) -> None:
        """Give the new cameras of these tracks numbers, in the order of their names."""
        for camera in sorted({camera for camera, _ in keys} - self.cameras.keys()):
            self.cameras[camera] = len(self.cameras)

    def spans(self, key: Key, *, since: int | None = None) -> Spans:
        """Return when and where one track was, its path from a slot on."""
        track = self.evidence[key]
        path = track.path
        if path is not None and since is not None:
            path = path.since(since)
        return Spans.one(track.first_s, track.last_s, self.cameras[track.camera], path)

    def node(self, key: Key, number: int, feature: FloatArray) -> Node:
        """Return what a review has to know of one track that bears an identity."""
        return Node(number, key, feature, 1.0, self.evidence[key].frames, self.spans(key))

    def tracklets(self) -> list[Tracklet]:
        """Return every track that is remembered, by (first time, camera, track)."""
        return self._book.tracklets()

    # Memory

    def forget(self, key: Key) -> None:
        """Forget one track."""
        self._waiting.pop(key, None)
        del self.evidence[key]

    def forget_waiting(self, *, ended_s: float) -> None:
        """Forget waiting tracks that were last seen before ``ended_s``."""
        for key in [k for k in self._waiting if self.evidence[k].last_s < ended_s]:
            self.forget(key)
