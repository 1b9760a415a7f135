"""Files decoded on the card: the same pixels as on a CPU, and frames a second of whole runs."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gpu_checks.pipelines import built_pipeline, network_detector
from gpu_checks.scenes import FULL_HD, SAMPLES, full_hd, read_frames
from gpu_checks.timing import PartSkippedError, peak_memory_mb
from pipeline.datatypes import Frame
from pipeline.gpu_frame import GpuFrame
from pipeline.runners.offline import run_offline

__all__ = ["compare_pixels", "difference", "files_at_once"]

CLIP_FRAMES = 60
FILES = (1, 4, 16, 32)
NO_DECODER = "no decoding on the card; the warning above says why"
MAX_MEAN_DIFFERENCE = 2.0
"""Grey values, of all pixels of the frame that differs most."""


def compare_pixels(device: torch.device) -> dict[str, Any]:
    """Return by how much frames of a sample video differ from those that the CPU decodes.

    Raises:
        PartSkippedError: Nothing is decoded on the card.
    """
    videos, _ = _modules()
    acceleration = _acceleration(device)
    if acceleration is None:
        raise PartSkippedError(NO_DECODER)
    path = SAMPLES / "lobby.mp4"
    here = list(videos.VideoFile("lobby", path, max_seconds=3.0, acceleration=acceleration))
    return difference(here, list(videos.VideoFile("lobby", path, max_seconds=3.0)))


def difference(here: Sequence[Frame], there: Sequence[Frame]) -> dict[str, Any]:
    """Return by how much frames differ that should be the same.

    Raises:
        PartSkippedError: None of ``here`` is on a card.
    """
    pairs = list(zip(here, there, strict=True))
    if not any(isinstance(mine, GpuFrame) for mine in here):
        raise PartSkippedError("no frame stayed on the card")
    apart = [np.abs(mine.image.astype(int) - other.image) for mine, other in pairs]
    worst = max(float(each.mean()) for each in apart)
    times = all(mine.time_s == other.time_s for mine, other in pairs)
    return {
        "frames": len(pairs),
        "on_the_card": sum(isinstance(mine, GpuFrame) for mine, _ in pairs),
        "worst_mean_difference": round(worst, 3),
        "worst_difference": int(max(each.max() for each in apart)),
        "ok": worst <= MAX_MEAN_DIFFERENCE and times,
    }


def files_at_once(device: torch.device, budget_s: float) -> list[dict[str, Any]]:
    """Return frames a second of runs over files of 1080p, decoded by the CPU and by the card.

    Raises:
        PartSkippedError: No video can be read here.
    """
    videos, clips = _modules()
    rows: list[dict[str, Any]] = []
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        clip = clips.H264File(str(path), FULL_HD, muxer={}, encoder={"preset": "fast"}, threads=4)
        for number, frame in enumerate(read_frames(SAMPLES, most=CLIP_FRAMES)[::3]):
            clip.write(full_hd(frame.image), number / 10)
        clip.finish()
        for decoder in ("cpu", "gpu"):
            acceleration = _acceleration(device) if decoder == "gpu" else None
            if decoder == "gpu" and acceleration is None:
                rows.append({"decoder": decoder, "skipped": NO_DECODER})
                continue
            for count in FILES if device.type == "cuda" else FILES[:1]:
                row: dict[str, Any] = {"decoder": decoder, "files": count}
                rows.append(row)
                if time.perf_counter() - began > budget_s:
                    row["skipped"] = "no time left"
                    continue
                sources = [
                    videos.VideoFile(f"f{number:02d}", path, acceleration=acceleration)
                    for number in range(count)
                ]
                row |= _run(sources, device)
    return rows


def _run(sources: Sequence[Any], device: torch.device) -> dict[str, Any]:
    """Return what a whole run over sources takes."""
    pipeline = built_pipeline(network_detector(device), [each.camera for each in sources], device)
    started = time.perf_counter()
    outcome = run_offline(pipeline, sources, [], batch_size=max(8, len(sources)), queue_frames=4)
    seconds = time.perf_counter() - started
    frames = sum(count.frames for count in outcome.counts.values())
    return {
        "frames_a_second": round(frames / seconds, 1),
        "boxes": sum(count.boxes for count in outcome.counts.values()),
        "memory_mb": peak_memory_mb(device),
        "warnings": "; ".join(sources[0].warnings),
    }


def _modules() -> tuple[Any, Any]:
    """Return the modules that read and write videos.

    Raises:
        PartSkippedError: PyAV is missing.
    """
    try:
        from pipeline.sinks import h264  # noqa: PLC0415 - not everywhere
        from pipeline.sources import video_file  # noqa: PLC0415
    except ImportError as error:
        raise PartSkippedError(f"no videos: {error}") from None
    return video_file, h264


def _acceleration(device: torch.device) -> Any | None:
    from pipeline.sources.nvdec import gpu_acceleration  # noqa: PLC0415 - needs PyAV

    return gpu_acceleration(str(device))
