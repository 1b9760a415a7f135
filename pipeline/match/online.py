"""Identities while the video runs: decide when the evidence is clear, not before.

A track stays undecided until it has a few good embeddings. Then it is compared with the
identities that may be meant, tracks of one camera jointly, so that no identity is in one
camera twice; it gets the best one that is similar enough and clearly ahead of the runner-up,
else it waits, and in the end it is somebody new. Only event time counts, never the clock.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from pipeline.datatypes import (
    UNDECIDED,
    CropEvidence,
    Event,
    FloatArray,
    Identities,
    IntArray,
    Tracklet,
    Tracks,
)
from pipeline.match.evidence import TrackEvidence
from pipeline.match.offline import identities_of, resolve
from pipeline.settings import MatchSettings

__all__ = ["OnlineMatcher"]

COST_STEPS = 1 << 20
"""Similarities are compared as integers, so that rounding cannot change a decision."""
FORBIDDEN = COST_STEPS * 16
"""Cost of a pair that must not be."""

Key = tuple[str, int]


@dataclass(slots=True)
class _Person:
    """One identity: what its tracks look like together, and where it was seen last."""

    embedding_sum: FloatArray
    weight: float
    tracks: list[Key]


class OnlineMatcher:
    """Gives tracks of all cameras one global identity.

    Args:
        settings: When to decide and how sure to be.
        threshold: Cosine similarity from which on a track and an identity are one person.
        dim: Length of an embedding.
    """

    def __init__(self, settings: MatchSettings, *, threshold: float, dim: int) -> None:
        self._settings = settings
        self._threshold = threshold
        self._dim = dim
        self._evidence: dict[Key, TrackEvidence] = {}
        self._identity: dict[Key, int] = {}
        self._undecided: dict[str, set[int]] = {}
        self._persons: dict[int, _Person] = {}
        self._next_id = 1
        self._events: list[Event] = []

    def update(
        self, camera: str, time_s: float, tracks: Tracks, evidence: CropEvidence
    ) -> IntArray:
        """Take in one frame and return ``(N,)`` int64 identities, ``UNDECIDED`` where open."""
        keys = [(camera, track_id) for track_id in tracks.track_id.tolist()]
        for key in keys:
            self._seen(key, time_s)
        for row, vector, quality in zip(
            evidence.rows.tolist(), evidence.vectors, evidence.quality.tolist(), strict=True
        ):
            self._learn(keys[row], vector, quality)
        self._decide(camera, time_s)
        return np.array([self._identity.get(key, UNDECIDED) for key in keys], np.int64)

    def drain_events(self) -> list[Event]:
        """Return the events since the last call, oldest first."""
        events, self._events = self._events, []
        return events

    def tracklets(self) -> list[Tracklet]:
        """Return every tracklet of the run, in the order of (first time, camera, track)."""
        ordered = sorted(self._evidence.values(), key=lambda e: (e.first_s, e.camera, e.track_id))
        return [evidence.as_tracklet() for evidence in ordered]

    def finish(self) -> Identities:
        """Decide what is still open and return the identity of every tracklet."""
        for camera in sorted(self._undecided):
            self._decide(camera, float("inf"))
        tracklets = self.tracklets()
        if not self._settings.resolve:
            return identities_of(tracklets, self._identity)
        return resolve(
            tracklets,
            self._settings,
            threshold=self._threshold,
            earlier=self._identity,
        )

    def _seen(self, key: Key, time_s: float) -> None:
        evidence = self._evidence.get(key)
        if evidence is None:
            camera, track_id = key
            zero = np.zeros(self._dim, np.float32)
            evidence = TrackEvidence(camera, track_id, time_s, time_s, zero)
            self._evidence[key] = evidence
            self._undecided.setdefault(camera, set()).add(track_id)
        evidence.see(time_s)

    def _learn(self, key: Key, vector: FloatArray, quality: float) -> None:
        self._evidence[key].add(vector, quality)
        if key in self._identity:
            person = self._persons[self._identity[key]]
            person.embedding_sum += np.float32(quality) * vector
            person.weight += quality

    def _decide(self, camera: str, time_s: float) -> None:
        """Give identities to the tracks of a camera whose evidence is clear by now."""
        ready = [
            self._evidence[camera, track_id]
            for track_id in sorted(self._undecided.get(camera, ()))
            if self._is_ready(self._evidence[camera, track_id], time_s)
        ]
        if not ready:
            return
        numbers = list(self._persons)
        similarity = self._similarities(ready, numbers)
        best = _assign(similarity, threshold=self._threshold)
        for row, (track, column) in enumerate(zip(ready, best, strict=True)):
            if column is None:
                # Nobody known is similar enough; waiting for a lead would not change that.
                self._persons[self._next_id] = _Person(np.zeros(self._dim, np.float32), 0.0, [])
                self._commit(track, self._next_id, time_s)
                self._next_id += 1
                continue
            lead = similarity[row, column] - np.delete(similarity[row], column).max(initial=-1.0)
            waited_s = time_s - track.first_s
            if lead >= self._settings.margin or waited_s >= self._settings.max_wait_s:
                self._commit(track, numbers[column], time_s)

    def _is_ready(self, track: TrackEvidence, time_s: float) -> bool:
        if track.crops >= self._settings.decide_crops:
            return True
        waited_s = time_s - track.first_s
        return track.crops >= 1 and waited_s >= self._settings.decide_after_s

    def _similarities(self, ready: list[TrackEvidence], numbers: list[int]) -> FloatArray:
        """Return ``(tracks, persons)`` mean pairwise cosines, -1 where it cannot be the person."""
        if not numbers:
            return np.zeros((len(ready), 0), np.float32)
        persons = [self._persons[number] for number in numbers]
        means = np.stack([track.mean for track in ready])
        centres = np.stack([person.embedding_sum / person.weight for person in persons])
        similarity: FloatArray = means @ centres.T
        for column, person in enumerate(persons):
            for row, track in enumerate(ready):
                if self._clash(track, person):
                    similarity[row, column] = -1.0
        return similarity

    def _clash(self, track: TrackEvidence, person: _Person) -> bool:
        """Return whether the person was in the track's camera while the track was."""
        return any(
            min(self._evidence[key].last_s, track.last_s)
            - max(self._evidence[key].first_s, track.first_s)
            > self._settings.overlap_s
            for key in person.tracks
            if key[0] == track.camera
        )

    def _commit(self, track: TrackEvidence, number: int, time_s: float) -> None:
        key = (track.camera, track.track_id)
        person = self._persons[number]
        if not person.tracks:
            kind = "new"
        else:
            kind = "sighting" if person.tracks[-1][0] == track.camera else "hand_over"
        person.embedding_sum += track.embedding_sum
        person.weight += track.weight
        person.tracks.append(key)
        self._identity[key] = number
        self._undecided[track.camera].discard(track.track_id)
        when_s = min(time_s, track.last_s)
        self._events.append(Event(when_s, kind, number, track.camera, track.track_id))


def _assign(similarity: FloatArray, *, threshold: float) -> list[int | None]:
    """Return the column of each row, no column twice, ``None`` where all are below."""
    count = len(similarity)
    cost = np.rint((threshold - similarity) * COST_STEPS).astype(np.int64)
    cost[cost > 0] = FORBIDDEN
    nobody = np.full((count, count), FORBIDDEN, np.int64)
    np.fill_diagonal(nobody, 1)
    rows, columns = linear_sum_assignment(np.concatenate([cost, nobody], axis=1))
    best: list[int | None] = [None] * count
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        if column < similarity.shape[1]:
            best[row] = column
    return best
