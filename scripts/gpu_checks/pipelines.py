"""Whole pipelines on a device: identities beside those of a CPU, and many streams at once."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment

from gpu_checks.scenes import KnownBoxes, WalkingBoxes, looped, read_frames
from gpu_checks.timing import PartSkippedError, peak_memory_mb, rate, synchronise
from pipeline.boxes import ious
from pipeline.core import Pipeline
from pipeline.datatypes import Frame, FrameResult
from pipeline.detect.built_in import built_in_detector
from pipeline.detect.ultralytics_adapter import UltralyticsDetector
from pipeline.embed.policy import TrackCropPolicy
from pipeline.embed.reid import ReidEmbedder
from pipeline.match.online import OnlineMatcher
from pipeline.protocols import Detector
from pipeline.settings import DetectSettings, EmbedSettings, MatchSettings, TrackSettings
from pipeline.track.tracker import SingleCameraTracker

__all__ = ["agreement", "compare_detections", "compare_identities", "streams_at_once"]

SAMPLES = Path(__file__).resolve().parents[2] / "sample_videos"
FRAMES = 120
"""Frames of each video on which identities are compared."""
STREAMS = (1, 4, 16, 32, 64, 128)
SAME_IOU = 0.5
MIN_AGREEMENT = 0.97
"""Share of the boxes that have to bear the same identity as on a CPU."""
THRESHOLD = 0.35


def network_detector(device: torch.device) -> Detector:
    """Return the package's detector on a device.

    Raises:
        PartSkippedError: A package for it is missing.
    """
    usual = DetectSettings()
    try:
        return UltralyticsDetector(
            str(built_in_detector("cuda")),
            confidence=usual.confidence,
            nms_iou=usual.nms_iou,
            image_size=usual.image_size,
            device=str(device),
        )
    except Exception as error:
        raise PartSkippedError(
            f"no detector on {device}: {' '.join(str(error).split())[:160]}"
        ) from None


def compare_detections(device: torch.device, seconds: float) -> dict[str, Any]:
    """Return how many sure boxes of a CPU are found here, too, and frames a second by batch.

    Raises:
        PartSkippedError: A package is missing.
    """
    frames = read_frames(SAMPLES, most=8)
    here, there = network_detector(device), network_detector(torch.device("cpu"))
    wanted = found = 0
    for one, other in zip(there.detect(frames), here.detect(frames), strict=True):
        sure = one.xyxy[one.score >= 0.4]
        wanted += len(sure)
        if len(sure) and len(other.xyxy):
            found += int((ious(sure, other.xyxy).max(axis=1) > 0.9).sum())
    rates = {}
    for batch in (1, 4, 16):
        work = partial(here.detect, frames[:batch])
        rates[str(batch)] = round(rate(work, device, each=batch, seconds=seconds), 1)
    share = found / max(wanted, 1)
    return {
        "boxes_of_the_cpu": wanted,
        "found": found,
        "ok": share >= MIN_AGREEMENT,
        "frames_a_second": rates,
    }


def compare_identities(device: torch.device) -> dict[str, Any]:
    """Return what share of boxes bears the same identity as on a CPU, both from the same boxes."""
    frames = read_frames(SAMPLES, most=FRAMES)
    boxes = KnownBoxes.read(SAMPLES / "ground_truth.csv")
    here, there = (_identities(frames, boxes, each) for each in (device, torch.device("cpu")))
    same = agreement(here, there)
    return {
        "boxes": len(there),
        "identities": len(set(here.values()) - {-1}),
        "identities_on_cpu": len(set(there.values()) - {-1}),
        "same": round(same, 4),
        "ok": same >= MIN_AGREEMENT,
    }


def streams_at_once(device: torch.device, seconds: float, budget_s: float) -> list[dict[str, Any]]:
    """Return frames a second of a pipeline over many 1080p streams, all in one batch.

    Args:
        device: Where the networks run.
        seconds: For each number of streams.
        budget_s: Larger numbers of streams are left out when it is used up.
    """
    frames = read_frames(SAMPLES, most=30)
    try:
        detector: Detector = network_detector(device)
    except PartSkippedError as missing:
        detector, note = WalkingBoxes(), str(missing)
    else:
        note = ""
    rows: list[dict[str, Any]] = []
    began = time.perf_counter()
    for streams in STREAMS if device.type == "cuda" else STREAMS[:2]:
        if time.perf_counter() - began > budget_s:
            rows.append({"streams": streams, "skipped": "no time left"})
            continue
        names = [f"s{number:03d}" for number in range(streams)]
        pipeline = _pipeline(detector, names, device)
        source = looped(frames, streams)
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
        rows.append(
            {
                "streams": streams,
                "frames_a_second": round(done / spent, 1),
                "frames_a_second_of_each": round(done / spent / streams, 2),
                "boxes_a_frame": round(boxes / done, 2),
                "memory_mb": peak_memory_mb(device),
                **({"without": note} if note else {}),
            }
        )
    return rows


def _pipeline(detector: Detector, cameras: Iterable[str], device: torch.device) -> Pipeline:
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


def _identities(
    frames: Sequence[Frame], boxes: KnownBoxes, device: torch.device
) -> dict[tuple[str, int, tuple[float, ...]], int]:
    """Return the final identity of every box."""
    pipeline = _pipeline(boxes, {frame.camera for frame in frames}, device)
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


def agreement(one: dict[Any, int], other: dict[Any, int]) -> float:
    """Return the share of boxes with one identity under the best pairing of the numbers."""
    rows, columns = sorted(set(one.values())), sorted(set(other.values()))
    shared = np.zeros((len(rows), len(columns)))
    for key, number in one.items():
        if key in other:
            shared[rows.index(number), columns.index(other[key])] += 1
    best = linear_sum_assignment(shared, maximize=True)
    return float(shared[best].sum() / max(len(one), len(other), 1))
