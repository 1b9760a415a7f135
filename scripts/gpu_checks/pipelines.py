"""Whole pipelines on a device: identities beside those of a CPU, and many streams at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment

from gpu_checks.scenes import SAMPLES, KnownBoxes, looped, on_device, read_frames
from gpu_checks.timing import peak_memory_mb, rate, recorded, synchronise
from pipeline.boxes import ious
from pipeline.core import Pipeline
from pipeline.datatypes import Frame, FrameResult
from pipeline.detect.built_in import built_in_detector
from pipeline.detect.torch_yolo import TorchYolo
from pipeline.detect.yolov8 import Yolov8
from pipeline.embed.policy import TrackCropPolicy
from pipeline.embed.reid import ReidEmbedder
from pipeline.match.online import OnlineMatcher
from pipeline.protocols import Detector
from pipeline.settings import DetectSettings, EmbedSettings, MatchSettings, TrackSettings
from pipeline.track.tracker import SingleCameraTracker

__all__ = [
    "agreement",
    "built_pipeline",
    "compare_detections",
    "compare_identities",
    "network_detector",
    "renamed",
    "streams_at_once",
]

FRAMES = {"cuda": 120, "cpu": 40}
"""Frames of each video on which identities are compared, by kind of device."""
STREAMS = (1, 4, 16, 32, 64, 128)
SAME_IOU = 0.5
MIN_AGREEMENT = 0.97
"""Share of the boxes that have to bear the same identity as on a CPU."""
THRESHOLD = 0.35
INPUT = (384, 640)
"""Height and width at which the detector sees 1080p."""

Identities = dict[tuple[str, int, tuple[float, ...]], int]


def network_detector(device: torch.device) -> TorchYolo:
    """Return the package's detector on a device."""
    usual = DetectSettings()
    return TorchYolo(
        built_in_detector("cuda"),
        confidence=usual.confidence,
        nms_iou=usual.nms_iou,
        image_size=usual.image_size,
        device=str(device),
    )


def compare_detections(device: torch.device, seconds: float) -> list[dict[str, Any]]:
    """Return how many sure boxes of a CPU are found here, too, and frames a second by batch."""
    frames = read_frames(SAMPLES, most=8)
    here, there = network_detector(device), network_detector(torch.device("cpu"))
    wanted = found = 0
    for one, other in zip(there.detect(frames), here.detect(frames), strict=True):
        sure = one.xyxy[one.score >= 0.4]
        wanted += len(sure)
        if len(sure) and len(other.xyxy):
            found += int((ious(sure, other.xyxy).max(axis=1) > 0.9).sum())
    rows: list[dict[str, Any]] = [
        {"sure_boxes": wanted, "found": found, "ok": found >= MIN_AGREEMENT * wanted}
    ]
    large = [frame for step in islice(looped(frames, 32), 1) for frame in step]
    half = torch.float16 if device.type == "cuda" else torch.float32
    network = Yolov8(built_in_detector("cuda"), device=device, dtype=half)
    for batch in (1, 8, 32) if device.type == "cuda" else (1, 4):
        row: dict[str, Any] = {"batch": batch}
        alone = partial(network, torch.rand(batch, 3, *INPUT, device=device))
        works: dict[str, Callable[[], Any]] = {
            "frames_a_second": partial(here.detect, large[:batch]),
            "from_the_card": partial(here.detect, on_device(large[:batch], device)),
            "network_alone": alone,
        }
        if device.type == "cuda":
            works["with_cuda_graph"] = recorded(alone)
        for name, work in works.items():
            row[name] = round(rate(work, device, each=batch, seconds=seconds), 1)
        rows.append(row)
    return rows


def compare_identities(device: torch.device) -> list[dict[str, Any]]:
    """Return what share of boxes bears the same identity as on a CPU.

    First from the same true boxes, then from the boxes of the detector on frames of the device.
    """
    frames = read_frames(SAMPLES, most=FRAMES[device.type])
    cpu = torch.device("cpu")
    true = KnownBoxes.read(SAMPLES / "ground_truth.csv")
    found = []
    for name, here, there in (
        ("true boxes", true, true),
        ("the detector", network_detector(device), network_detector(cpu)),
    ):
        mine = _identities(on_device(frames, device), here, device)
        other = _identities(frames, there, cpu)
        same = agreement(renamed(mine, other), other)
        found.append(
            {
                "boxes_of": name,
                "boxes": len(mine),
                "boxes_on_cpu": len(other),
                "identities": len(set(mine.values()) - {-1}),
                "identities_on_cpu": len(set(other.values()) - {-1}),
                "same": round(same, 4),
                "ok": same >= MIN_AGREEMENT,
            }
        )
    return found


def streams_at_once(device: torch.device, seconds: float, budget_s: float) -> list[dict[str, Any]]:
    """Return frames a second of a pipeline over many 1080p streams, all in one batch.

    Args:
        device: Where the networks run.
        seconds: For each number of streams.
        budget_s: What would begin later is left out.
    """
    frames = read_frames(SAMPLES, most=30)
    detector = network_detector(device)
    rows: list[dict[str, Any]] = []
    began = time.perf_counter()
    for streams in STREAMS if device.type == "cuda" else STREAMS[:2]:
        for place in ("memory", "card"):
            row: dict[str, Any] = {"streams": streams, "frames_in": place}
            rows.append(row)
            if time.perf_counter() - began > budget_s:
                row["skipped"] = "no time left"
                continue
            pipeline = built_pipeline(detector, [f"s{n:03d}" for n in range(streams)], device)
            source = looped(frames, streams, device=device if place == "card" else None)
            pipeline.step(next(source))
            synchronise(device)
            done, spent, boxes = 0, 0.0, 0
            while done == 0 or spent < seconds:
                batch = next(source)
                started = time.perf_counter()
                results = pipeline.step(batch)
                synchronise(device)
                spent += time.perf_counter() - started
                done += streams
                boxes += sum(len(each.tracks) for each in results)
            row |= {
                "frames_a_second": round(done / spent, 1),
                "of_each": round(done / spent / streams, 2),
                "boxes_a_frame": round(boxes / done, 2),
                "memory_mb": peak_memory_mb(device),
            }
    return rows


def built_pipeline(detector: Detector, cameras: Iterable[str], device: torch.device) -> Pipeline:
    """Return the core with both networks on a device."""
    settings = EmbedSettings(backend="torch")
    embedder = ReidEmbedder(settings, device=str(device))
    match = MatchSettings()
    return Pipeline(
        detector=detector,
        trackers={camera: SingleCameraTracker(TrackSettings()) for camera in cameras},
        policy=TrackCropPolicy(settings),
        embedder=embedder,
        matcher=OnlineMatcher(match, threshold=lambda _: THRESHOLD, dim=embedder.dim),
    )


def _identities(frames: Sequence[Frame], detector: Detector, device: torch.device) -> Identities:
    """Return the final identity of every box."""
    pipeline = built_pipeline(detector, {frame.camera for frame in frames}, device)
    results: list[FrameResult] = []
    waiting = iter(frames)
    while batch := list(islice(waiting, 8)):
        results += pipeline.step(batch)
    final, _ = pipeline.finish()
    return {
        (result.frame.camera, result.frame.index, tuple(box)): final.global_id(
            result.frame.camera, track
        )
        for result in results
        for box, track in zip(
            result.tracks.xyxy.tolist(), result.tracks.track_id.tolist(), strict=True
        )
    }


def renamed(one: Identities, other: Identities) -> Identities:
    """Return the boxes of ``one`` under the names of those that they match in ``other``."""
    theirs: dict[tuple[str, int], list[tuple[float, ...]]] = {}
    for camera, frame, box in other:
        theirs.setdefault((camera, frame), []).append(box)
    named: Identities = {}
    for (camera, frame, box), identity in one.items():
        near = theirs.get((camera, frame), [])
        overlap = ious(np.array([box], np.float32), np.array(near, np.float32).reshape(-1, 4))[0]
        if len(near) and overlap.max() >= SAME_IOU:
            named[camera, frame, near[int(overlap.argmax())]] = identity
        else:
            named[camera, frame, box] = identity
    return named


def agreement(one: dict[Any, int], other: dict[Any, int]) -> float:
    """Return the share of boxes with one identity under the best pairing of the numbers."""
    rows, columns = sorted(set(one.values())), sorted(set(other.values()))
    shared = np.zeros((len(rows), len(columns)))
    for key, number in one.items():
        if key in other:
            shared[rows.index(number), columns.index(other[key])] += 1
    best = linear_sum_assignment(shared, maximize=True)
    return float(shared[best].sum() / max(len(one), len(other), 1))
