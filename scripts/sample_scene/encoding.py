"""Frames to H.264 files, sightings to a table, cameras to a list."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from .camera import Camera
from .filming import Cast, Sighting

COLUMNS = ("camera", "frame", "time_s", "identity", "x", "y", "w", "h", "visible")
PLACE_COLUMNS = ("time_s", "identity", "x_m", "y_m")
FLOOR_POINTS = 8
"""Points of the floor that the camera list gives of every view."""
FARTHEST_M = 14.0
"""Depth of the farthest of them."""


class ClipWriter:
    """An H.264 file under construction; use as a context manager.

    Args:
        path: the file.
        size: width and height in pixels, both even.
        rate: frames per second.
        quality: x264's constant rate factor; lower is better and bigger.
        preset: how thoroughly x264 works.
    """

    def __init__(
        self,
        path: Path,
        *,
        size: tuple[int, int],
        rate: Fraction,
        quality: int,
        preset: str = "slow",
    ) -> None:
        self._container = av.open(str(path), "w", options={"movflags": "+faststart"})
        self._stream = self._container.add_stream("libx264", rate=rate)
        self._stream.width, self._stream.height = size
        self._stream.pix_fmt = "yuv420p"
        # One thread: the bytes must not depend on the machine's number of cores.
        self._stream.options = {
            "crf": str(quality),
            "preset": preset,
            "threads": "1",
            "g": str(round(rate * 5)),
        }

    def __enter__(self) -> ClipWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._container.mux(self._stream.encode(None))
        self._container.close()

    def add(self, picture: NDArray[np.uint8]) -> None:
        """Append an (H, W, 3) RGB picture."""
        self._container.mux(
            self._stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24"))
        )


def write_table(path: Path, sightings: Iterable[tuple[str, Sighting]], *, rate: Fraction) -> None:
    """Write ground truth, ordered by camera, frame and identity.

    Args:
        path: the CSV file.
        sightings: with the camera's name.
        rate: frames per second of all clips.
    """
    ordered = sorted(sightings, key=lambda row: (row[0], row[1].frame, row[1].identity))
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for camera, one in ordered:
            numbers = [f"{value:.1f}" for value in one.box]
            seconds = f"{float(one.frame / rate):.3f}"
            table.writerow(
                [camera, one.frame, seconds, one.identity, *numbers, f"{one.visible:.3f}"]
            )


def write_camera_list(path: Path, cameras: Iterable[Camera]) -> None:
    """Write the camera list that `--cams` takes; clips lie beside it, named by their camera.

    Args:
        path: the YAML file.
        cameras: in the order of the list; what each sees of the floor goes into it too.
    """
    lines = ["cameras:"]
    for camera in cameras:
        lines += [f"- name: {camera.name}", f"  source: {camera.name}.mp4", "  floor_points:"]
        lines += [f"  - [{u:.1f}, {v:.1f}, {x:g}, {y:g}]" for u, v, x, y in floor_points(camera)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def floor_points(camera: Camera) -> list[tuple[float, float, float, float]]:
    """Return pixels and places of points of the floor that lie apart from each other in a view."""
    metres = np.arange(-30.0, 31.0)
    places = np.stack([*np.meshgrid(metres, metres), np.zeros((61, 61))], axis=2).reshape(-1, 3)
    pixels, depth = camera.project(places)
    size = np.array(camera.size)
    seen = (depth > 0) & (depth < FARTHEST_M)
    seen &= ((pixels > 0.05 * size) & (pixels < 0.95 * size)).all(axis=1)
    places, pixels = places[seen], pixels[seen]
    chosen = [int(np.argmax(pixels[:, 1]))]  # the nearest; then always the one farthest from all
    for _ in range(FLOOR_POINTS - 1):
        gaps = np.linalg.norm(pixels[:, None] - pixels[chosen], axis=2).min(axis=1)
        chosen.append(int(np.argmax(gaps)))
    return [(*pixels[row].tolist(), *places[row, :2].tolist()) for row in chosen]


def write_places(path: Path, cast: Cast, *, rate: Fraction, seconds: float, start: float) -> None:
    """Write where everybody stands at the time of every frame, seen or not.

    Args:
        path: the CSV file.
        cast: the people.
        rate: frames per second of all clips.
        seconds: length of the clips.
        start: time in the scene at which they begin.
    """
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(PLACE_COLUMNS)
        for index in range(round(rate * seconds)):
            for identity, _, stance in cast.present(start + float(index / rate)):
                x, y = stance.position
                table.writerow([f"{float(index / rate):.3f}", identity, f"{x:.2f}", f"{y:.2f}"])
