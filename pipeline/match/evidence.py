"""The state of each track: its time span, its mean embedding, and how long it was visible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from pipeline.datatypes import CropEvidence, FloatArray, Tracklet, Tracks
from pipeline.match.presence import Presence
from pipeline.match.review import Key
from pipeline.places import Path, PathBuilder

__all__ = ["EvidenceBook", "TrackEvidence"]


@dataclass(slots=True)
class TrackEvidence:
    """The running summary of one track of one camera.

    The sum of quality-weighted unit embeddings is kept un-normalised: for two groups the mean
    pairwise cosine is then ``(sum_a / weight_a) . (sum_b / weight_b)``, whatever their sizes.

    Attributes:
        camera: Name of the camera.
        track_id: The track's number in that camera.
        first_s: Time of the first box, seconds.
        last_s: Time of the newest box, seconds.
        frames: Number of boxes.
        embedding_sum: ``(D,)`` float32.
        weight: Sum of the qualities.
        crops: Number of embeddings.
        visible_s: Seconds for which it was visible, each weighted by the detector's score.
        presence: What its boxes say about whether it is of somebody.
        places: Where it was on the floor.
    """

    camera: str
    track_id: int
    first_s: float
    last_s: float
    embedding_sum: FloatArray
    frames: int = 0
    weight: float = 0.0
    crops: int = 0
    visible_s: float = 0.0
    presence: Presence = field(default_factory=Presence)
    places: PathBuilder = field(default_factory=PathBuilder)

    @property
    def mean(self) -> FloatArray:
        """Return the ``(D,)`` weighted mean of the embeddings, zeros where there are none."""
        return self.embedding_sum / np.float32(max(self.weight, 1e-9))

    @property
    def path(self) -> Path | None:
        """Return where it was on the floor, ``None`` where no place is known."""
        return self.places.path()

    def see(
        self,
        time_s: float,
        xyxy: Sequence[float],
        score: float,
        *,
        step_s: float,
        camera_shift: tuple[float, float] = (0.0, 0.0),
        place: Sequence[float] | None = None,
    ) -> None:
        """Count a box at ``time_s``.

        Args:
            time_s: Time of the frame, seconds.
            xyxy: Corners of the box, px.
            score: Its score.
            step_s: Time since the camera's frame before, seconds.
            camera_shift: As in ``CropEvidence``.
            place: A row of ``Places.rows``.
        """
        self.visible_s += score * min(step_s, time_s - self.last_s)
        self.last_s = time_s
        self.frames += 1
        self.presence.see(xyxy, score, camera_shift)
        if place is not None:
            self.places.see(time_s, place)

    def add(self, vector: FloatArray, quality: float) -> None:
        """Take in the ``(D,)`` unit embedding of one crop."""
        self.embedding_sum += np.float32(quality) * vector
        self.weight += quality
        self.crops += 1

    def as_tracklet(self) -> Tracklet:
        """Return the summary as it stands; a track that is of nobody has no embedding in it."""
        counts = self.presence.is_somebody
        return Tracklet(
            self.camera,
            self.track_id,
            self.first_s,
            self.last_s,
            self.frames,
            self.embedding_sum.copy() if counts else np.zeros_like(self.embedding_sum),
            self.weight if counts else 0.0,
            self.visible_s,
            None if self.path is None else self.path.copy(),
        )


class EvidenceBook:
    """What is known of every track that is remembered.

    Args:
        dim: Length of an embedding.
        epoch_s: Where the times of frames begin, on the time line of all paths.
    """

    def __init__(self, dim: int, *, epoch_s: float = 0.0) -> None:
        self._epoch_s = epoch_s
        self.tracks: dict[Key, TrackEvidence] = {}
        self._dim = dim
        self._frame_s: dict[str, float] = {}  # when each camera's newest frame was

    def see(
        self, camera: str, time_s: float, tracks: Tracks, evidence: CropEvidence
    ) -> tuple[list[Key], list[Key]]:
        """Take in one frame; return the keys of its tracks, and those seen for the first time."""
        step_s = time_s - self._frame_s.get(camera, time_s)
        self._frame_s[camera] = time_s
        keys = [(camera, track_id) for track_id in tracks.track_id.tolist()]
        new = [key for key in keys if key not in self.tracks]
        for key in new:
            zero = np.zeros(self._dim, np.float32)
            path = PathBuilder(self._epoch_s)
            self.tracks[key] = TrackEvidence(*key, time_s, time_s, zero, places=path)
        places = [None] * len(keys) if tracks.places is None else tracks.places.rows()
        rows = zip(keys, tracks.xyxy.tolist(), tracks.score.tolist(), places, strict=True)
        shift = evidence.camera_shift
        for key, box, score, place in rows:
            seen = self.tracks[key]
            seen.see(time_s, box, score, step_s=step_s, camera_shift=shift, place=place)
        for row, vector, quality in zip(
            evidence.rows.tolist(), evidence.vectors, evidence.quality.tolist(), strict=True
        ):
            self.tracks[keys[row]].add(vector, quality)
        return keys, new

    def tracklets(self) -> list[Tracklet]:
        """Return every track, by (first time, camera, track)."""
        ordered = sorted(self.tracks.values(), key=lambda e: (e.first_s, e.camera, e.track_id))
        return [evidence.as_tracklet() for evidence in ordered]
