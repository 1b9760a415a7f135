"""Whole runs on small videos, with saved boxes in place of a detector. Loads no torch."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import yaml

from pipeline.cli import main
from reid_model.stored_weights import CHECKPOINT_SUFFIX
from support.video_files import write_video

SIZE = (320, 240)
SHIRTS = {1: (40, 40, 220), 2: (220, 120, 30)}  # BGR


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


def embed_settings(weights: Path) -> dict[str, str]:
    """The section `embed`: a checkpoint runs with torch, which need not convert it first."""
    return {"backend": "torch"} if weights.suffix == CHECKPOINT_SUFFIX else {}


def run(scene: Path, weights: Path, out: Path, *flags: str, cams: list[str] | None = None) -> int:
    """Call ``reid-pipeline run`` on a scene; return its exit code.

    Flags that are given twice count as they come last, so ``flags`` win.
    """
    config = scene / "settings.yaml"
    config.write_text(
        yaml.safe_dump({"embed": embed_settings(weights), "match": {"threshold": 0.9}})
    )
    videos = cams if cams is not None else [str(p) for p in sorted(scene.glob("*.mp4"))]
    given = ["--detections", str(scene / "boxes.csv"), "--weights", str(weights)]
    given += ["--config", str(config), "--out", str(out)]
    return main(["run", "--cams", *videos, *given, *flags])


def rows_of(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))
