"""Folders of short videos with saved boxes, and what a batch made of them."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import yaml

from pipeline.cli import main
from support.small_runs import SHIRTS, SIZE, embed_settings, walker_box
from support.video_files import write_video

STARTS = ("20260105_235959", "20260106_000004", "20260106_000009")


def write_footage(
    folder: Path, *, cameras: int = 4, starts: tuple[str, ...] = STARTS, frames: int = 20
) -> Path:
    """Videos ``camN/START.mp4`` of coloured walkers, and ``boxes.csv`` by file."""
    files = [f"cam{n}/{start}.mp4" for n in range(1, cameras + 1) for start in starts]
    for number, file in enumerate(files):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        write_video(folder / file, frames=_images(number % 3, frames), rate=10)
    write_boxes(folder, files, frames=frames)
    return folder


def write_boxes(folder: Path, files: list[str], *, frames: int) -> None:
    """Append the walkers' boxes of files to ``boxes.csv``."""
    path = folder / "boxes.csv"
    is_new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.writer(file)
        if is_new:
            writer.writerow(["camera", "frame", "x", "y", "w", "h"])
        for name in files:
            for index in range(frames):
                for person in SHIRTS:
                    writer.writerow((name, index, *_box(person, index)))


def _box(person: int, index: int) -> tuple[float, float, float, float]:
    return walker_box(person, index % 20)


def _images(shade: int, frames: int) -> list[np.ndarray]:
    images = []
    for index in range(frames):
        image = np.full((SIZE[1], SIZE[0], 3), 90 + 10 * shade, np.uint8)
        for person, colour in SHIRTS.items():
            x, y, w, h = (int(each) for each in _box(person, index))
            image[y : y + h, x : x + w] = colour
        images.append(image)
    return images


def arguments(folder: Path, weights: Path, out: Path, *flags: str) -> list[str]:
    """The command line of a batch on the CPU."""
    config = folder / "settings.yaml"
    # What is learnt of cameras changes with every file; here looks alone shall decide.
    match = {"threshold": 0.9, "views": "overlapping", "centre_tracks": 0}
    config.write_text(yaml.safe_dump({"embed": embed_settings(weights), "match": match}))
    given = ["--detections", str(folder / "boxes.csv"), "--weights", str(weights)]
    given += ["--config", str(config), "--device", "cpu", "--chunk-s", "1", "--out", str(out)]
    return ["batch", str(folder), *given, *flags]


def batch(folder: Path, weights: Path, out: Path, *flags: str) -> int:
    """Call ``reid-pipeline batch``; return its exit code."""
    return main(arguments(folder, weights, out, *flags))


def contents(out: Path) -> dict[str, bytes]:
    """Everything that readers of an archive see, byte for byte."""
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*.parquet"))
    }
