"""Stages that do the least a stage can do, for tests of whatever stands around them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from pipeline.datatypes import (
    CropEvidence,
    Detections,
    Event,
    Frame,
    FrameResult,
    Identities,
    Identity,
    Tracklet,
    Tracks,
)


class FakeSource:
    """Hands out given frames, then raises ``error`` if there is one."""

    def __init__(self, camera: str, frames: Iterable[Frame], *, error: Exception | None = None):
        self.camera = camera
        self.duration_s: float | None = None
        self.opened = 0
        self.closed = 0
        self._frames = frames
        self._error = error

    def __enter__(self) -> FakeSource:
        self.opened += 1
        return self

    def __exit__(self, *_: object) -> None:
        self.closed += 1

    def __iter__(self) -> Iterator[Frame]:
        yield from self._frames
        if self._error is not None:
            raise self._error


class FakeDetector:
    """Finds one box per frame, placed by the frame's number; remembers the batch sizes."""

    def __init__(self, boxes_per_frame: int = 1):
        self.batch_sizes: list[int] = []
        self._count = boxes_per_frame

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        self.batch_sizes.append(len(frames))
        return [self._of(frame) for frame in frames]

    def _of(self, frame: Frame) -> Detections:
        left = np.arange(self._count) * 12.0 + frame.index % 5
        xyxy = np.stack([left, left * 0 + 4, left + 8, left * 0 + 28], axis=1).astype(np.float32)
        return Detections(xyxy, np.full(self._count, 0.9, np.float32))


class FakeTracker:
    """The n-th box of every frame is track n. Wants to see boxes every ``ask_every`` frames."""

    def __init__(self, ask_every: int = 0):
        self.times: list[float] = []
        self.seen: list[tuple[list[int], np.ndarray]] = []
        self.warnings: list[str] = []
        self._ask_every = ask_every
        self._calls = 0

    def wanted(self, detections: Detections, time_s: float) -> np.ndarray:
        self._calls += 1
        asks = self._ask_every and self._calls % self._ask_every == 0
        return np.arange(len(detections) if asks else 0, dtype=np.int64)

    def update(self, detections: Detections, time_s: float, rows, vectors) -> Tracks:
        self.times.append(time_s)
        self.seen.append((rows.tolist(), vectors))
        ids = np.arange(1, len(detections) + 1, dtype=np.int64)
        return Tracks(detections.xyxy, detections.score, ids)


class FakeEmbedder:
    """The vector of a crop is its mean colour and its size, made unit length."""

    dim = 5

    def __init__(self) -> None:
        self.batch_sizes: list[int] = []

    def embed(self, crops: Sequence[np.ndarray]) -> np.ndarray:
        self.batch_sizes.append(len(crops))
        rows = [[*crop.mean(axis=(0, 1)), *crop.shape[:2]] for crop in crops]
        vectors = np.array(rows, np.float32).reshape(-1, self.dim) + 1e-3
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


class FakePolicy:
    """Every crop is worth embedding."""

    def quality(self, tracks: Tracks, frame: Frame) -> np.ndarray:
        return np.ones(len(tracks), np.float32)

    def choose(self, camera: str, time_s: float, tracks: Tracks, quality) -> np.ndarray:
        return np.arange(len(tracks), dtype=np.int64)


class FakeMatcher:
    """Track n is identity n in every camera. Remembers what it was told."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, float, int, CropEvidence]] = []
        self._seen: dict[tuple[str, int], int] = {}

    def update(self, camera: str, time_s: float, tracks: Tracks, evidence: CropEvidence):
        self.calls.append((camera, time_s, len(tracks), evidence))
        for track_id in tracks.track_id.tolist():
            self._seen[camera, track_id] = self._seen.get((camera, track_id), 0) + 1
        return tracks.track_id.copy()

    def drain_events(self) -> list[Event]:
        return []

    def tracklets(self) -> list[Tracklet]:
        return [
            Tracklet(camera, track, 0.0, 1.0, frames, np.zeros(5, np.float32), 0.0, 1.0)
            for (camera, track), frames in sorted(self._seen.items())
        ]

    def finish(self) -> Identities:
        return Identities(
            {
                (camera, track): Identity(track, 1.0, 0.0, 1.0, frames)
                for (camera, track), frames in self._seen.items()
            }
        )


class FakeSink:
    """Keeps everything in lists."""

    def __init__(self) -> None:
        self.results: list[FrameResult] = []
        self.identities: Identities | None = None
        self.closed = 0

    def write(self, result: FrameResult) -> None:
        self.results.append(result)

    def finish(self, identities: Identities, tracklets: Sequence[Tracklet]) -> None:
        self.identities = identities

    def close(self) -> None:
        self.closed += 1
