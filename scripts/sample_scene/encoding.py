"""Frames to H.264 files, sightings to a table, cameras to a list."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import yaml
from numpy.typing import NDArray

from .filming import Sighting

COLUMNS = ("camera", "frame", "time_s", "identity", "x", "y", "w", "h", "visible")


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


def write_camera_list(path: Path, names: Iterable[str]) -> None:
    """Write the camera list that `--cams` takes; clips lie beside it, named by their camera.

    Args:
        path: the YAML file.
        names: of the cameras, in the order of the list.
    """
    cameras = [{"name": name, "source": f"{name}.mp4"} for name in names]
    text = yaml.safe_dump({"cameras": cameras}, sort_keys=False)
    path.write_text(text, encoding="utf-8")
