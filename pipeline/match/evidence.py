"""The state of each track: its time span and its mean embedding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from pipeline.datatypes import FloatArray, Tracklet, Tracks
from pipeline.match.presence import Presence
from pipeline.places import Path, PathBuilder

__all__ = ["TrackEvidence", "seen_boxes"]

Seen = tuple[Sequence[float], float, Sequence[float] | None]


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
        place: Sequence[float] | None = None,
    ) -> None:
        """Count a box at ``time_s``: its corners in px, its score, and a row of ``Places.rows``."""
        self.last_s = time_s
        self.frames += 1
        self.presence.see(xyxy, score)
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
            None if self.path is None else self.path.copy(),
        )


def seen_boxes(tracks: Tracks) -> Iterator[Seen]:
    """Yield corners, score and place of each box of a frame, as ``TrackEvidence.see`` takes them."""
    count = len(tracks)
    places = [None] * count if tracks.places is None else tracks.places.rows()
    return zip(tracks.xyxy.tolist(), tracks.score.tolist(), places, strict=True)
