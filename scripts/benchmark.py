"""Speed of the whole pipeline beside its parts, and beside ``yolo track``.

Everything runs in this one process on the same frames, in turn and several times over; what
counts are the ratios of the medians, because seconds alone say more about the machine than
about the code.

    python scripts/benchmark.py --cams VIDEO... --detector MODEL [--weights W] [--rounds 3]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from pipeline.build import build_sources, build_stages
from pipeline.datatypes import Frame
from pipeline.detect.loading import load_detector
from pipeline.detect.ultralytics_adapter import contained
from pipeline.runners.offline import run_offline
from pipeline.settings import DetectSettings, Settings, parse_settings
from pipeline.sources import resolve_cameras

REPOSITORY = Path(__file__).resolve().parents[1]
SHARED = REPOSITORY.parent / "shared"
FRAMES_HELD = 48
"""Frames on which the models are timed alone."""
CROPS = 256
"""Crops on which the backends of the embedder are compared."""


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    scene = SHARED / "data" / "scenes" / "val_a"
    videos = sorted(scene.glob("*.mp4")) or sorted((REPOSITORY / "sample_videos").glob("*.mp4"))
    parser.add_argument("--cams", nargs="+", default=[str(path) for path in videos])
    detector = SHARED / "models" / "yolov8n_int8_openvino_model"
    parser.add_argument("--detector", default=str(detector))
    parser.add_argument("--weights", default=None, help="re-identification weights")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--max-seconds", type=float, default=30.0, help="of every video")
    parser.add_argument("--memory-of", type=int, default=None, help=argparse.SUPPRESS)
    return parser.parse_args()


def settings_of(options: argparse.Namespace, *, max_seconds: float) -> Settings:
    """Return the settings of a run without video."""
    tree: dict[str, Any] = {
        "cameras": [camera.model_dump() for camera in resolve_cameras(options.cams)],
        "detect": {"weights": options.detector},
        "embed": {"weights": options.weights},
        "source": {"max_seconds": max_seconds},
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


def yolo_track(options: argparse.Namespace, *, frames_per_video: int) -> float:
    """Return the seconds that ``yolo track`` takes for the same frames, file after file."""
    with contained():
        from ultralytics import YOLO  # noqa: PLC0415 - slow

        model = YOLO(options.detector, task="detect")
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
    """Return frames from the middle of the first video, to time models on."""
    frames: list[Frame] = []
    for frame in build_sources(settings)[0]:
        if frame.index >= 100:
            frames.append(frame)
        if len(frames) == FRAMES_HELD:
            break
    return frames


def compare(options: argparse.Namespace, console: Console) -> None:
    """Print the pipeline beside its parts and beside ``yolo track``."""
    settings = settings_of(options, max_seconds=options.max_seconds)
    frames = held_frames(settings)
    stages = build_stages(settings)
    detector: Any = stages.pipeline._detector
    embedder: Any = stages.pipeline._embedder
    crops = [np.zeros((160, 70, 3), np.uint8)] * 64
    detector.forward(frames)
    seconds: dict[str, list[float]] = {name: [] for name in ("ours", "decode", "detect", "yolo")}
    embed: list[float] = []
    count = crop_count = 0
    for _ in range(options.rounds):
        ours, count, crop_count = whole_pipeline(settings)
        seconds["ours"].append(ours)
        seconds["decode"].append(
            time_of(lambda: [sum(1 for _ in source) for source in build_sources(settings)])
        )
        seconds["detect"].append(time_of(lambda: detector.forward(frames)) * count / len(frames))
        embed.append(time_of(lambda: embedder.embed(crops)) * crop_count / len(crops))
        seconds["yolo"].append(yolo_track(options, frames_per_video=count // len(settings.cameras)))
    median = {name: statistics.median(values) for name, values in seconds.items()}
    median["embed"] = statistics.median(embed)
    table = Table(title=f"{count} frames of {len(settings.cameras)} cameras, {crop_count} crops")
    for name in ("", "frames/s", "ms a frame"):
        table.add_column(name, justify="left" if not name else "right")
    rows = {
        "whole pipeline": median["ours"],
        "  decoding alone": median["decode"],
        "  detector's forward pass alone": median["detect"],
        "  embedder alone": median["embed"],
        "yolo track, file after file": median["yolo"],
    }
    for name, value in rows.items():
        table.add_row(name, f"{count / value:.1f}", f"{1000 * value / count:.2f}")
    console.print(table)
    forward = median["detect"] + median["embed"]
    console.print(f"pipeline / forward passes of the models: {median['ours'] / forward:.2f}")
    console.print(
        f"pipeline / sum of all parts: {median['ours'] / (forward + median['decode']):.2f}"
    )
    console.print(
        f"frames/s of the pipeline / of yolo track: {median['yolo'] / median['ours']:.2f}"
    )


def detectors(options: argparse.Namespace, console: Console) -> None:
    """Print what a frame costs with the built-in detector and with another."""
    frames = held_frames(settings_of(options, max_seconds=options.max_seconds))
    named = {"built-in": None, Path(options.detector).name: options.detector}
    loaded: dict[str, Any] = {
        name: load_detector(DetectSettings(weights=weights), cameras=[], device="cpu")
        for name, weights in named.items()
    }
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in loaded}
    for detector in loaded.values():
        detector.detect(frames[:4])
    for _ in range(options.rounds):
        for name, detector in loaded.items():
            together = time_of(lambda: detector.detect(frames)) / len(frames)  # noqa: B023 - called at once
            alone = time_of(lambda: [detector.detect([one]) for one in frames]) / len(frames)  # noqa: B023
            spent[name].append((1e3 * together, 1e3 * alone))
    table = Table(title="detecting, milliseconds a frame, scaling and suppression included")
    for heading in ("detector", "in batches", "one by one", "ratio"):
        table.add_column(heading, justify="left" if heading == "detector" else "right")
    median = {name: np.median(np.array(rows), axis=0) for name, rows in spent.items()}
    slowest = max(together for together, _ in median.values())
    for name, (together, alone) in median.items():
        table.add_row(name, f"{together:.1f}", f"{alone:.1f}", f"{together / slowest:.2f}")
    console.print(table)


def backends(options: argparse.Namespace, console: Console) -> None:
    """Print the embedder's throughput on every backend of this machine.

    Rounds of all backends follow each other, so that other work on the machine hits all alike.
    """
    from reid_model.errors import ReidModelError  # noqa: PLC0415
    from reid_model.export import export  # noqa: PLC0415
    from reid_model.inference import NetworkEmbedder, load_embedder  # noqa: PLC0415
    from reid_model.stored_weights import default_weights  # noqa: PLC0415

    weights = Path(options.weights) if options.weights else default_weights()
    choices = [("torch", "fp32", "cpu"), ("openvino", "fp32", "cpu"), ("openvino", "bf16", "cpu")]
    if torch.cuda.is_available():
        choices += [("torch", "fp32", "cuda"), ("torch", "fp16", "cuda")]
    embedders: dict[str, NetworkEmbedder] = {}
    with tempfile.TemporaryDirectory() as folder:
        for backend, precision, device in choices:
            try:
                embedders[f"{backend} {precision} {device}"] = load_embedder(
                    weights, backend=backend, precision=precision, device=device
                )
            except ReidModelError as error:
                console.print(f"{backend} {precision} {device}: {error}")
        try:
            exported = export(weights, Path(folder), kind="onnx", precision="fp32")
            embedders["onnx runtime fp32 cpu"] = load_embedder(exported.path)
        except ReidModelError as error:
            console.print(f"onnx runtime: {error}")
    rng = np.random.default_rng(0)
    crops = [rng.integers(0, 255, (160, 70, 3), np.uint8) for _ in range(CROPS)]
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in embedders}
    for embedder in embedders.values():
        embedder.embed(crops[:16])
    for _ in range(options.rounds):
        for name, embedder in embedders.items():
            whole = time_of(lambda: embedder.embed(crops))  # noqa: B023 - called at once
            alone = time_of(lambda: embedder.forward(CROPS))  # noqa: B023
            spent[name].append((whole, alone))
    table = Table(title="embedding, crops a second")
    for heading in ("backend", "crops/s", "forward pass alone", "share of it", "ratio to torch"):
        table.add_column(heading, justify="left" if heading == "backend" else "right")
    median = {name: np.median(np.array(rows), axis=0) for name, rows in spent.items()}
    for name, (whole, alone) in median.items():
        baseline = median["torch fp32 cpu"][0] / whole
        cells = f"{CROPS / whole:.0f}", f"{CROPS / alone:.0f}", f"{alone / whole:.2f}"
        table.add_row(name, *cells, f"{baseline:.2f}")
    console.print(table)


def peak_memory(options: argparse.Namespace, console: Console) -> None:
    """Print the peak memory of a short and of a long run, each in a process of its own."""
    table = Table(title="peak memory against the length of the videos")
    table.add_column("seconds of every video", justify="right")
    table.add_column("MB", justify="right")
    for seconds in (10, 20, 40):
        command = [sys.executable, __file__, "--cams", *options.cams]
        command += ["--detector", options.detector, "--memory-of", str(seconds)]
        command += ["--weights", options.weights] if options.weights else []
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        table.add_row(str(seconds), done.stdout.strip())
    console.print(table)


def main() -> None:
    """Run all comparisons."""
    options = arguments()
    if options.memory_of is not None:
        import resource  # noqa: PLC0415 - not on every system

        whole_pipeline(settings_of(options, max_seconds=options.memory_of))
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
        return
    console = Console(width=100)
    compare(options, console)
    detectors(options, console)
    backends(options, console)
    peak_memory(options, console)


if __name__ == "__main__":
    main()
