"""The values that pass between stages: frozen, slotted dataclasses of arrays.

Boxes are ``xyxy`` in pixels of the frame, origin at the top left, ``x2`` and ``y2``
exclusive. Times are seconds on the common time line of the run (the camera's own
timestamps plus its configured offset). Shapes are checked on construction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.arrays import FloatArray, Image, IntArray, require_shape
from pipeline.events import UNASSIGNED, Event
from pipeline.places import Path, Places

__all__ = [
    "UNASSIGNED",
    "CropEvidence",
    "Detections",
    "Event",
    "FloatArray",
    "Frame",
    "FrameResult",
    "Identities",
    "Identity",
    "Image",
    "IntArray",
    "Tracklet",
    "Tracks",
]


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One decoded picture of one camera.

    Attributes:
        camera: Name of the camera, unique within a run.
        index: Number of the frame in decoding order, from 0.
        time_s: Seconds on the common time line, from the stream's own timestamps.
        image: ``(H, W, 3)`` uint8, BGR.
        small: Kept by `small_grey`, which several stages ask for.
    """

    camera: str
    index: int
    time_s: float
    image: Image
    small: FloatArray | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        require_shape("Frame", "image", self.image, (None, None, 3))

    @property
    def shape(self) -> tuple[int, ...]:
        """Height, width and 3, for whoever does not look at the pixels."""
        return self.image.shape


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """The persons found in one frame.

    Attributes:
        xyxy: ``(N, 4)`` float32, pixels.
        score: ``(N,)`` float32 in [0, 1].
    """

    xyxy: FloatArray
    score: FloatArray

    def __post_init__(self) -> None:
        require_shape("Detections", "xyxy", self.xyxy, (None, 4))
        require_shape("Detections", "score", self.score, (len(self.xyxy),))

    def __len__(self) -> int:
        return len(self.xyxy)

    def select(self, rows: NDArray[Any]) -> Detections:
        """Return the detections that an index array or a boolean mask picks."""
        return Detections(self.xyxy[rows], self.score[rows])

    @classmethod
    def empty(cls) -> Detections:
        """Return no detections."""
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))


@dataclass(frozen=True, slots=True, eq=False)
class Tracks:
    """Detections of one frame that belong to a track.

    Attributes:
        xyxy: ``(N, 4)`` float32, pixels: the detected box, not a smoothed one.
        score: ``(N,)`` float32 in [0, 1].
        track_id: ``(N,)`` int64, unique within one camera, from 1, never reused.
        places: Where they stand, ``None`` where the camera is not calibrated.
    """

    xyxy: FloatArray
    score: FloatArray
    track_id: IntArray
    places: Places | None = None

    def __post_init__(self) -> None:
        require_shape("Tracks", "xyxy", self.xyxy, (None, 4))
        require_shape("Tracks", "score", self.score, (len(self.xyxy),))
        require_shape("Tracks", "track_id", self.track_id, (len(self.xyxy),))

    def __len__(self) -> int:
        return len(self.xyxy)

    @classmethod
    def empty(cls) -> Tracks:
        """Return no tracks."""
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64))


@dataclass(frozen=True, slots=True, eq=False)
class CropEvidence:
    """What the crops embedded from one frame say.

    Attributes:
        rows: ``(M,)`` int64, rows of the frame's ``Tracks`` that were embedded.
        vectors: ``(M, D)`` float32, unit rows.
        quality: ``(M,)`` float32 in (0, 1], the weight of each crop.
        camera_shift: How far a turning camera has moved its picture right and down so far, px.
    """

    rows: IntArray
    vectors: FloatArray
    quality: FloatArray
    camera_shift: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        require_shape("CropEvidence", "rows", self.rows, (None,))
        require_shape("CropEvidence", "vectors", self.vectors, (len(self.rows), None))
        require_shape("CropEvidence", "quality", self.quality, (len(self.rows),))

    @classmethod
    def empty(cls) -> CropEvidence:
        """Return the evidence of no crop."""
        none = np.zeros(0, np.float32)
        return cls(np.zeros(0, np.int64), np.zeros((0, 0), np.float32), none)


@dataclass(frozen=True, slots=True, eq=False)
class FrameResult:
    """Everything the core found in one frame.

    Attributes:
        frame: The frame itself.
        tracks: The tracked persons.
        global_id: ``(N,)`` int64, one per track; ``UNASSIGNED`` where not decided yet.
        quality: ``(N,)`` float32 in [0, 1], how well each crop shows its person; 0 = not at all.
        evidence: The crops that were embedded, rows of ``tracks``.
        detected: ``(M, 4)`` float32, pixels: all detections, also those of no track.
        is_carried: The detector did not look at the frame: its tracks, of score 0, are those of the
            frame before, carried on by their motion.
    """

    frame: Frame
    tracks: Tracks
    global_id: IntArray
    quality: FloatArray
    evidence: CropEvidence = field(default_factory=CropEvidence.empty)
    detected: FloatArray = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    is_carried: bool = False

    def __post_init__(self) -> None:
        require_shape("FrameResult", "global_id", self.global_id, (len(self.tracks),))
        require_shape("FrameResult", "quality", self.quality, (len(self.tracks),))


@dataclass(frozen=True, slots=True, eq=False)
class Tracklet:
    """One track of one camera, summarised for matching.

    Attributes:
        camera: Name of the camera.
        track_id: The track's number in that camera.
        first_s: Time of its first box, seconds.
        last_s: Time of its last box, seconds.
        frames: Number of boxes.
        embedding_sum: ``(D,)`` float32, quality-weighted sum of unit embeddings; zeros without any.
        weight: Sum of the qualities.
        visible_s: Seconds for which it was visible, each weighted by the detector's score.
        path: Where it was on the floor, ``None`` where no place is known.
    """

    camera: str
    track_id: int
    first_s: float
    last_s: float
    frames: int
    embedding_sum: FloatArray
    weight: float
    visible_s: float
    path: Path | None = None

    def __post_init__(self) -> None:
        require_shape("Tracklet", "embedding_sum", self.embedding_sum, (None,))


@dataclass(frozen=True, slots=True)
class Identity:
    """The identity of one tracklet.

    Attributes:
        global_id: The person, from 1; ``UNASSIGNED`` where it is unassigned.
        similarity: Cosine with the rest of its identity; 1 where there is none, 0 without an embedding.
        first_s: Time of the tracklet's first box, seconds.
        last_s: Time of the tracklet's last box, seconds.
        frames: Number of boxes.
    """

    global_id: int
    similarity: float
    first_s: float
    last_s: float
    frames: int


@dataclass(frozen=True, slots=True, eq=False)
class Identities:
    """The identity of every tracklet of a run.

    Attributes:
        by_track: ``(camera, track_id)`` to its ``Identity``.
    """

    by_track: Mapping[tuple[str, int], Identity]

    def global_id(self, camera: str, track_id: int) -> int:
        """Return the person behind a track, ``UNASSIGNED`` where nothing is known of it."""
        identity = self.by_track.get((camera, track_id))
        return UNASSIGNED if identity is None else identity.global_id
