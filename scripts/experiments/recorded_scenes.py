"""Scenes that are detected and embedded once, so that experiments replay them in seconds.

A scene is a folder with one ``.mp4`` per camera and a ``ground_truth.csv``. Every box of every
frame is embedded, so any setting of tracking, of the choice of crops and of matching can be
tried without looking at the video again. Boxes are cached by detector, vectors by weights and
by what is done to crops.
"""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.crops import cut
from pipeline.datatypes import (
    UNASSIGNED,
    CropEvidence,
    Detections,
    FloatArray,
    Frame,
    FrameResult,
    Identities,
    Tracks,
)
from pipeline.detect.loading import load_detector
from pipeline.devices import resolve_device
from pipeline.embed.policy import TrackCropPolicy
from pipeline.embed.reid import ReidEmbedder
from pipeline.floor.placing import Floor
from pipeline.match.online import OnlineMatcher
from pipeline.metrics.pairing import TimeStep, pair_boxes
from pipeline.metrics.tables import check_ground_truth, check_tracks
from pipeline.settings import (
    CameraSettings,
    DetectSettings,
    EmbedSettings,
    MatchSettings,
    SourceSettings,
    TrackSettings,
)
from pipeline.sinks.gaps import FilledRow, Gaps
from pipeline.sources import open_source
from pipeline.track.tracker import SingleCameraTracker
from reid_model.stored_weights import default_weights, weights_sha256

__all__ = [
    "BUILT_IN", "EventRecord", "Scene", "Seen", "frames_of", "matched", "record", "tell", "time_steps",
    "with_evidence",
]  # fmt: skip

BUILT_IN = "built-in"
"""Names the detector of the package, which has no file."""
MIN_SCORE = 0.1
"""Boxes below this are not recorded; no tracker makes use of them."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One frame: its boxes, and the embedding of each."""

    camera: str
    frame: int
    time_s: float
    size: tuple[int, int]
    detections: Detections
    vectors: FloatArray


@dataclass(frozen=True, slots=True)
class Scene:
    """A recorded scene and who was in it."""

    name: str
    seen: list[Seen]
    truth: pd.DataFrame


@dataclass(frozen=True, slots=True)
class EventRecord:
    """What the matcher is told of one frame."""

    camera: str
    frame: int
    time_s: float
    size: tuple[int, int]
    tracks: Tracks
    evidence: CropEvidence
    is_carried: bool = False


def record(folder: Path, *, detector: str | None, embed: EmbedSettings, cache: Path) -> Scene:
    """Detect and embed a scene, or read what was found before.

    Args:
        folder: Videos and ground truth.
        detector: As for ``reid-pipeline run``, or ``BUILT_IN``; ``None`` takes the boxes of the
            ground truth.
        embed: Re-identification weights, and what is done to crops.
        cache: Folder for boxes and vectors.
    """
    truth = check_ground_truth(pd.read_csv(folder / "ground_truth.csv", dtype={"camera": str}))
    boxes_from = Path(detector).stem if detector else "truth"
    stem = f"{folder.resolve().parent.name}_{folder.name}_{boxes_from}"
    boxes = cache / f"{stem}.npz"
    weights = embed.weights or default_weights()
    looks = f"{weights_sha256(weights)[:12]}_{embed.trim:g}_{embed.mirror:d}"
    vectors = cache / f"{stem}_{looks}.npy"
    cache.mkdir(parents=True, exist_ok=True)
    if not boxes.exists():
        _save_boxes(folder, boxes, detector=detector)
    if not vectors.exists():
        _save_vectors(folder, boxes, vectors, embed=embed)
    return Scene(folder.name, _read(boxes, vectors), truth)


def frames_of(folder: Path) -> Iterator[Frame]:
    """Yield the frames of all cameras in order of (time, camera)."""
    with ExitStack() as stack:
        sources = [
            stack.enter_context(
                open_source(CameraSettings(name=v.stem, source=str(v)), SourceSettings())
            )
            for v in sorted(folder.glob("*.mp4"))
        ]
        yield from heapq.merge(*sources, key=lambda frame: (frame.time_s, frame.camera))


def _save_boxes(folder: Path, path: Path, *, detector: str | None) -> None:
    settings = DetectSettings(
        weights=None if detector == BUILT_IN else detector,
        detections=None if detector else folder / "ground_truth.csv",
        confidence=MIN_SCORE,
    )
    names = [video.stem for video in sorted(folder.glob("*.mp4"))]
    loaded = load_detector(settings, cameras=names, device=resolve_device("cpu"))
    rows, found = [], []
    for frame in frames_of(folder):
        [boxes] = loaded.detect([frame])
        rows.append((frame.camera, frame.index, frame.time_s, *frame.image.shape[:2], len(boxes)))
        found.append(boxes)
    camera, index, time_s, height, width, count = zip(*rows, strict=True)
    np.savez(
        path,
        camera=np.array(camera),
        index=np.array(index),
        time_s=np.array(time_s),
        size=np.stack([height, width], axis=1),
        count=np.array(count),
        xyxy=np.concatenate([each.xyxy for each in found]),
        score=np.concatenate([each.score for each in found]),
    )


def _save_vectors(folder: Path, boxes: Path, path: Path, *, embed: EmbedSettings) -> None:
    with np.load(boxes) as content:
        per_frame = np.split(content["xyxy"], np.cumsum(content["count"])[:-1])
    embedder = ReidEmbedder(embed, device=resolve_device("cpu"))
    vectors = []
    for frame, xyxy in zip(frames_of(folder), per_frame, strict=True):
        crops = [cut(frame.image, box) for box in xyxy]
        if crops:
            vectors.append(embedder.embed(crops).astype(np.float16))
    np.save(path, np.concatenate(vectors))


def _read(boxes: Path, vectors: Path) -> list[Seen]:
    every = np.load(vectors).astype(np.float32)
    with np.load(boxes) as content:
        ends = np.cumsum(content["count"])[:-1]
        columns = [content[name].tolist() for name in ("camera", "index", "time_s", "size")]
        parts = [np.split(each, ends) for each in (content["xyxy"], content["score"], every)]
    return [
        Seen(camera, index, time_s, tuple(size), Detections(xyxy, score), rows)
        for camera, index, time_s, size, xyxy, score, rows in zip(*columns, *parts, strict=True)
    ]


def tell(
    scene: Scene,
    *,
    confidence: float = DetectSettings().confidence,
    track: TrackSettings | None = None,
    embed: EmbedSettings | None = None,
    floor: Floor | None = None,
) -> list[EventRecord]:
    """Track a recorded scene and return what the matcher is told, frame by frame."""
    trackers: dict[str, SingleCameraTracker] = {}
    policy = TrackCropPolicy(embed or EmbedSettings())
    told = []
    for seen in scene.seen:
        kept = np.flatnonzero(seen.detections.score >= confidence)
        boxes, vectors = seen.detections.select(kept), seen.vectors[kept]
        if seen.camera not in trackers:
            trackers[seen.camera] = SingleCameraTracker(track or TrackSettings())
        tracker = trackers[seen.camera]
        looked = tracker.wanted(boxes, seen.time_s)
        tracks = tracker.update(boxes, seen.time_s, looked, vectors[looked])
        if floor is not None:
            tracks = floor.place(_blank(seen), tracks)
        told.append(with_evidence(seen, tracks, boxes, vectors, policy))
    return told


def with_evidence(
    seen: Seen, tracks: Tracks, boxes: Detections, vectors: FloatArray, policy: TrackCropPolicy
) -> EventRecord:
    """Return a frame's tracks with the embeddings that a run would choose.

    Args:
        seen: The frame.
        tracks: Tracks of some of ``boxes``.
        boxes: The detections.
        vectors: ``(len(boxes), D)`` their embeddings.
        policy: Chooses, and remembers what it chose.
    """
    quality = policy.quality(tracks, _blank(seen))
    rows = policy.choose(seen.camera, seen.time_s, tracks, quality)
    row_of = {box.tobytes(): row for row, box in enumerate(boxes.xyxy)}
    chosen = [row_of[tracks.xyxy[row].tobytes()] for row in rows]
    evidence = CropEvidence(rows, vectors[np.array(chosen, np.int64)], quality[rows])
    return EventRecord(seen.camera, seen.frame, seen.time_s, seen.size, tracks, evidence)


def _blank(seen: Seen | EventRecord) -> Frame:
    """Return a frame of which only the size counts."""
    image = np.broadcast_to(np.uint8(0), (*seen.size, 3))
    return Frame(seen.camera, seen.frame, seen.time_s, image)


def matched(
    told: Sequence[EventRecord],
    settings: MatchSettings,
    *,
    threshold: float | Callable[[int], float],
) -> Identities:
    """Return the identities that the matcher ends with; a threshold may hang on how many tracklets."""
    dim = next((e.evidence.vectors.shape[1] for e in told if len(e.evidence.rows)), 1)
    among = threshold if callable(threshold) else lambda _: threshold
    matcher = OnlineMatcher(settings, threshold=among, dim=dim)
    for each in told:
        matcher.update(each.camera, each.time_s, each.tracks, each.evidence)
    return matcher.finish()


def time_steps(
    told: Sequence[EventRecord], identities: Identities, truth: pd.DataFrame, *, gaps: bool = True
) -> list[TimeStep]:
    """Return found boxes and ground truth side by side.

    Args:
        told: What was tracked.
        identities: Who the tracks are.
        truth: Ground truth.
        gaps: Whether the boxes that tracks lack are filled in, as a run does at its end.
    """
    boxes = [
        (each.camera, each.frame, track_id, *xyxy, score)
        for each in told
        for track_id, xyxy, score in zip(
            each.tracks.track_id.tolist(),
            each.tracks.xyxy.tolist(),
            each.tracks.score.tolist(),
            strict=True,
        )
    ]
    if gaps:
        boxes += [(r.camera, r.frame, r.track_id, *r.xyxy, 0.0) for r in _filled(told)]
    columns = ["camera", "frame", "track_id", "x", "y", "w", "h", "score"]
    table = pd.DataFrame(boxes, columns=columns)
    table["w"] -= table["x"]
    table["h"] -= table["y"]
    keys = zip(table["camera"], table["track_id"], strict=True)
    table["global_id"] = [identities.global_id(*key) for key in keys]
    return pair_boxes(truth, check_tracks(table), iou=0.5, min_visible=0.3).steps


def _filled(told: Sequence[EventRecord]) -> list[FilledRow]:
    with tempfile.TemporaryDirectory() as folder, closing(Gaps(Path(folder))) as finder:
        for each in told:
            nobody = np.full(len(each.tracks), UNASSIGNED)
            unknown = np.zeros(len(each.tracks), np.float32)
            blank = _blank(each)
            finder.see(FrameResult(blank, each.tracks, nobody, unknown, is_carried=each.is_carried))
        return list(finder.rows())
