"""Speed of the networks alone: detectors in batches and one by one, the embedder on every backend.

python scripts/benchmark_networks.py --cams VIDEO --detector MODEL [--weights W] [--rounds 3]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from benchmark import held_frames, settings_of, time_of, videos_to_time
from pipeline.detect.loading import load_detector
from pipeline.settings import DetectSettings
from reid_model.errors import ReidModelError
from reid_model.export import export
from reid_model.inference import NetworkEmbedder, load_embedder
from reid_model.stored_weights import default_weights

CROPS = 256
"""Crops on which the backends of the embedder are compared."""


def detectors(options: argparse.Namespace, console: Console) -> None:
    """Print what a frame costs with the built-in detector and with another."""
    frames = held_frames(settings_of(options, options.detector))
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
    weights = Path(options.weights) if options.weights else default_weights()
    choices = [("torch", "fp32", "cpu"), ("openvino", "fp32", "cpu"), ("openvino", "bf16", "cpu")]
    choices.append(("openvino", "int8", "cpu"))
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


def main() -> None:
    """Run both comparisons."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    videos_to_time(parser)
    options = parser.parse_args()
    console = Console(width=100)
    detectors(options, console)
    backends(options, console)


if __name__ == "__main__":
    main()
