"""Whole runs on small videos: saved boxes in place of a detector, a network without training."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import torch
import yaml
from safetensors.torch import save_file

from pipeline.cli import main
from reid_model.architecture import Architecture
from reid_model.checkpoint import load_checkpoint, save_checkpoint
from reid_model.network import SiameseNetwork
from reid_model.stored_weights import METADATA_KEY
from support.video_files import write_video

SIZE = (320, 240)
SHIRTS = {1: (40, 40, 220), 2: (220, 120, 30)}  # BGR


def write_random_weights(path: Path) -> Path:
    """Weights that were never trained: vectors differ with the picture, and that is all."""
    torch.manual_seed(0)
    network = SiameseNetwork(Architecture(embedding_dim=64, input_height=32, input_width=16))
    save_checkpoint(network, path, notes={})
    return path


def write_spoilt(weights: Path, path: Path, fault: str) -> Path:
    """Weights whose embeddings are not numbers, zero or all the same, or of another network."""
    network = load_checkpoint(weights).network
    tensors = {k: v for k, v in network.state_dict().items() if v.is_floating_point()}
    last = tensors["embed.weight"]
    nothing, none = torch.zeros_like(last), torch.zeros(len(last))
    changes = {
        "nan": {"embed.weight": torch.full_like(last, float("nan"))},
        "zero": {"embed.weight": nothing, "bn.bias": none, "bn.running_mean": none.clone()},
        "collapsed": {"embed.weight": nothing, "bn.bias": none + 1},
        "transposed": {"embed.weight": last.T.contiguous()},
    }
    notes = {"architecture": network.architecture.model_dump()}
    save_file(tensors | changes[fault], path, metadata={METADATA_KEY: json.dumps(notes)})
    return path


def walker_box(person: int, index: int) -> tuple[float, float, float, float]:
    """Where a person is in a frame: ``(x, y, w, h)``, walking to the right."""
    return 20.0 + 4 * index + 110 * (person - 1), 60.0, 40.0, 120.0


def write_scene(folder: Path, *, cameras: int = 2, frames: int = 30, people: int = 2) -> Path:
    """Videos of coloured walkers, and ``boxes.csv`` that says where they are."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number in range(1, cameras + 1):
        images = []
        for index in range(frames):
            image = np.full((SIZE[1], SIZE[0], 3), 90 + 10 * number, np.uint8)
            for person in range(1, people + 1):
                x, y, w, h = walker_box(person, index)
                image[int(y) : int(y + h), int(x) : int(x + w)] = SHIRTS[person]
                rows.append((f"cam{number}", index, x, y, w, h))
            images.append(image)
        write_video(folder / f"cam{number}.mp4", frames=images, rate=10)
    with (folder / "boxes.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["camera", "frame", "x", "y", "w", "h"])
        writer.writerows(rows)
    return folder


def run(scene: Path, weights: Path, out: Path, *flags: str, cams: list[str] | None = None) -> int:
    """Call ``reid-pipeline run`` on a scene; return its exit code.

    Flags that are given twice count as they come last, so ``flags`` win.
    """
    config = scene / "settings.yaml"
    config.write_text(yaml.safe_dump({"embed": {"backend": "torch"}, "match": {"threshold": 0.9}}))
    videos = cams if cams is not None else [str(p) for p in sorted(scene.glob("*.mp4"))]
    given = ["--detections", str(scene / "boxes.csv"), "--weights", str(weights)]
    given += ["--config", str(config), "--out", str(out)]
    return main(["run", "--cams", *videos, *given, *flags])


def rows_of(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))
