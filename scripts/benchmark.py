"""Speed of the whole pipeline beside its parts, and beside ``yolo track``.

Everything runs on the same frames, in turn and several times over; what counts are the ratios of
the medians, because seconds alone say more about the machine than about the code.

    python scripts/benchmark.py --cams VIDEO... [--detector MODEL...] [--weights W] [--rounds 3]
        [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from pipeline.build import build_sources, build_stages
from pipeline.datatypes import Frame
from pipeline.detect.built_in import built_in_detector
from pipeline.detect.ultralytics_adapter import contained
from pipeline.layout.run import TRACKS_CSV
from pipeline.runners.offline import run_offline
from pipeline.settings import Settings, parse_settings
from pipeline.sources import resolve_cameras

REPOSITORY = Path(__file__).resolve().parents[1]
SHARED = REPOSITORY.parent / "shared"
BUILT_IN = "built-in"
FRAMES_HELD = 48
"""Frames on which the models are timed alone."""
CLIP_S = 2.0
"""Length of the clip whose first result is waited for."""
POLL_S = 0.01


def videos_to_time(parser: argparse.ArgumentParser, *, detectors: str | None = None) -> None:
    """Add the options that say what is timed.

    Args:
        parser: Gets the options.
        detectors: ``nargs`` of the detector; ``None`` = one.
    """
    scene = SHARED / "data" / "scenes" / "val_a"
    videos = sorted(scene.glob("*.mp4")) or sorted((REPOSITORY / "sample_videos").glob("*.mp4"))
    parser.add_argument("--cams", nargs="+", default=[str(path) for path in videos])
    detector = str(SHARED / "models" / "yolov8n_int8_openvino_model")
    default = [BUILT_IN, detector] if detectors else detector
    parser.add_argument("--detector", nargs=detectors, default=default)
    parser.add_argument("--weights", default=None, help="re-identification weights")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--max-seconds", type=float, default=30.0, help="of every video")


def settings_of(options: argparse.Namespace, detector: str) -> Settings:
    """Return the settings of a run without video."""
    tree: dict[str, Any] = {
        "cameras": [camera.model_dump() for camera in resolve_cameras(options.cams)],
        "detect": {"weights": None if detector == BUILT_IN else detector},
        "embed": {"weights": options.weights},
        "source": {"max_seconds": options.max_seconds},
    }
    return parse_settings(tree)


class _Counting:
    """Counts what an embedder is given."""

    def __init__(self, embedder: Any) -> None:
        self._embedder = embedder
        self.dim = embedder.dim
        self.crops = 0

    def embed(self, crops: Sequence[Any]) -> Any:
        self.crops += len(crops)
        return self._embedder.embed(crops)


def time_of(work: Callable[[], Any]) -> float:
    """Return the wall seconds that one call takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def whole_pipeline(settings: Settings) -> tuple[float, int, int]:
    """Run everything but the writing; return seconds, frames and embedded crops."""
    stages = build_stages(settings)
    pipeline = stages.pipeline
    counting = _Counting(pipeline._embedder)
    pipeline._embedder = counting
    counting.embed([np.zeros((128, 64, 3), np.uint8)])
    warm = next(iter(build_sources(settings)[0]))
    pipeline._detector.detect([warm] * 4)
    counting.crops = 0
    started = time.perf_counter()
    outcome = run_offline(
        pipeline,
        build_sources(settings),
        [],
        batch_size=settings.runner.batch_size,
        queue_frames=settings.source.queue_frames,
    )
    seconds = time.perf_counter() - started
    return seconds, sum(count.frames for count in outcome.counts.values()), counting.crops


def yolo_track(options: argparse.Namespace, detector: str, *, frames_per_video: int) -> float:
    """Return the seconds that ``yolo track`` takes for the same frames, file after file."""
    with contained():
        from ultralytics import YOLO  # noqa: PLC0415 - slow

        path = str(built_in_detector("cpu")) if detector == BUILT_IN else detector
        model = YOLO(path, task="detect")
        model.predict(np.zeros((540, 960, 3), np.uint8), verbose=False)
        seconds = 0.0
        for camera in resolve_cameras(options.cams):
            stream = model.track(
                camera.source, stream=True, classes=[0], conf=0.25, verbose=False, persist=False
            )
            started = time.perf_counter()
            for count, _ in enumerate(stream, start=1):
                if count == frames_per_video:
                    break
            seconds += time.perf_counter() - started
            stream.close()
    return seconds


def held_frames(settings: Settings) -> list[Frame]:
    """Return frames of the first video, not of its beginning where it is long, to time models on."""
    first = islice(build_sources(settings)[0], 100 + FRAMES_HELD)
    return list(deque(first, maxlen=FRAMES_HELD))


@dataclass(frozen=True, slots=True)
class Command:
    """What one `reid-pipeline run` took, its start included.

    Attributes:
        seconds: From the start to the end of its process.
        first_s: From the start until the first row lay on the disk.
        peak_mb: The most memory that its process held.
    """

    seconds: float
    first_s: float
    peak_mb: float


def run_command(
    options: argparse.Namespace,
    detector: str,
    *,
    cams: Sequence[str],
    max_seconds: float,
    video: bool,
) -> Command:
    """Run the command in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        command = [sys.executable, "-m", "pipeline", "run", "--cams", *cams, "--out", str(out)]
        command += ["--max-seconds", str(max_seconds), "--video" if video else "--no-video"]
        command += [] if detector == BUILT_IN else ["--detector", detector]
        command += ["--weights", options.weights] if options.weights else []
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        first_s: float | None = None
        peak_mb = 0.0
        while process.poll() is None:
            peak_mb = max(peak_mb, _peak_mb(process.pid))
            if first_s is None and _rows(out / TRACKS_CSV):
                first_s = time.perf_counter() - started
            time.sleep(POLL_S)
        seconds = time.perf_counter() - started
        if process.returncode:
            raise SystemExit(f"failed: {' '.join(command)}")
    return Command(seconds, first_s or seconds, peak_mb)


def _peak_mb(pid: int) -> float:
    """Return the most memory that a process held so far, 0 where it ended.

    Not ``ru_maxrss``, which counts what the process that started it held, too.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    found = re.search(r"^VmHWM:\s+(\d+) kB", status, flags=re.M)
    return int(found[1]) / 1024 if found else 0.0


def _rows(table: Path) -> int:
    """Return how many rows a table has by now, its head left out."""
    return table.read_bytes().count(b"\n") - 1 if table.is_file() else 0


def figures(options: argparse.Namespace, detector: str, console: Console) -> dict[str, float]:
    """Print the pipeline beside its parts and beside ``yolo track``; return the ratios."""
    settings = settings_of(options, detector)
    frames = held_frames(settings)
    stages = build_stages(settings)
    network: Any = stages.pipeline._detector
    embedder: Any = stages.pipeline._embedder
    crops = [np.zeros((160, 70, 3), np.uint8)] * 64
    network.forward(frames)
    spent: dict[str, list[float]] = {
        name: []
        for name in ("ours", "decode", "detect", "embed", "yolo", "plain", "video", "first")
    }
    peak_mb: list[float] = []
    count = crop_count = 0
    for _ in range(options.rounds):
        ours, count, crop_count = whole_pipeline(settings)
        spent["ours"].append(ours)
        spent["decode"].append(
            time_of(lambda: [sum(1 for _ in source) for source in build_sources(settings)])
        )
        spent["detect"].append(time_of(lambda: network.forward(frames)) * count / len(frames))
        spent["embed"].append(time_of(lambda: embedder.embed(crops)) * crop_count / len(crops))
        per_video = count // len(settings.cameras)
        spent["yolo"].append(yolo_track(options, detector, frames_per_video=per_video))
        asked = {"cams": options.cams, "max_seconds": options.max_seconds}
        plain = run_command(options, detector, video=False, **asked)
        drawn = run_command(options, detector, video=True, **asked)
        spent["plain"].append(plain.seconds)
        spent["video"].append(drawn.seconds)
        peak_mb += [plain.peak_mb, drawn.peak_mb]
        short = {"cams": options.cams[:1], "max_seconds": CLIP_S}
        spent["first"].append(run_command(options, detector, video=False, **short).first_s)
    median = {name: statistics.median(values) for name, values in spent.items()}
    forward = median["detect"] + median["embed"]
    _print(console, detector, median, count=count, crops=crop_count)
    return {
        "ratio_to_yolo_track": median["yolo"] / median["ours"],
        "time_over_forward": median["ours"] / forward,
        "time_over_parts": median["ours"] / (forward + median["decode"]),
        "peak_memory_mb": max(peak_mb),
        "with_video_over_without": median["video"] / median["plain"],
        "first_result_s": median["first"],
        "frames_a_second": count / median["ours"],
    }


def _print(
    console: Console, detector: str, median: dict[str, float], *, count: int, crops: int
) -> None:
    table = Table(title=f"{Path(detector).name}: {count} frames, {crops} crops")
    for name in ("", "frames/s", "ms a frame"):
        table.add_column(name, justify="left" if not name else "right")
    rows = {
        "whole pipeline": "ours",
        "  decoding alone": "decode",
        "  detector's forward pass alone": "detect",
        "  embedder alone": "embed",
        "yolo track, file after file": "yolo",
        "`reid-pipeline run --no-video`, with its start": "plain",
        "`reid-pipeline run`, with its start": "video",
    }
    for name, key in rows.items():
        value = median[key]
        table.add_row(name, f"{count / value:.1f}", f"{1000 * value / count:.2f}")
    console.print(table)


def main() -> None:
    """Measure with every detector."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    videos_to_time(parser, detectors="+")
    parser.add_argument("--json", type=Path, help="write the figures of each detector here")
    options = parser.parse_args()
    console = Console(width=100)
    found = {}
    for detector in options.detector:
        found[Path(detector).name] = figures(options, detector, console)
        for name, value in found[Path(detector).name].items():
            console.print(f"{name}: {value:.2f}")
    if options.json:
        first = next(iter(found.values()))
        content = {**first, "cpus": os.cpu_count(), "detectors": found}
        options.json.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
