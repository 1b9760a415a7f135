"""Render the sample videos and their ground truth; nobody real is in them.

    python scripts/make_sample_videos.py

Takes some minutes on two cores. The same seed gives the same scene, and on one machine the
same pixels.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction
from pathlib import Path

from sample_scene.camera import Camera
from sample_scene.encoding import ClipWriter, write_camera_list, write_places, write_table
from sample_scene.filming import Cast, Film, Sighting
from sample_scene.world import CAMERAS

REPOSITORY = Path(__file__).resolve().parents[1]


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=REPOSITORY / "sample_videos")
    parser.add_argument("--seed", type=int, default=0, help="of the sensor's noise")
    parser.add_argument("--seconds", type=float, default=28.0, help="length of each clip")
    parser.add_argument("--start", type=float, default=0.0, help="time in the scene to begin at")
    parser.add_argument("--rate", type=Fraction, default=Fraction(10), help="frames per second")
    parser.add_argument("--width", type=int, default=960, help="pixels; the height follows")
    parser.add_argument("--quality", type=int, default=21, help="x264 CRF, lower is better")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    return parser.parse_args(argv)


def _record(camera: Camera, options: argparse.Namespace) -> list[tuple[str, Sighting]]:
    """Film one clip and return its ground truth."""
    film = Film(camera, Cast(), seed=options.seed)
    seen: list[tuple[str, Sighting]] = []
    path = options.out / f"{camera.name}.mp4"
    with ClipWriter(path, size=camera.size, rate=options.rate, quality=options.quality) as clip:
        for picture, sightings in film.frames(
            rate=float(options.rate), seconds=options.seconds, start=options.start
        ):
            clip.add(picture)
            seen += [(camera.name, one) for one in sightings]
    return seen


def main(argv: list[str] | None = None) -> int:
    """Write all clips, their truth and `cameras.yaml`; return the exit code."""
    options = _arguments(argv)
    options.out.mkdir(parents=True, exist_ok=True)
    height = round(options.width * 9 / 32) * 2
    cameras = [dataclasses.replace(one, size=(options.width, height)) for one in CAMERAS]
    with ProcessPoolExecutor(min(options.workers, len(cameras))) as pool:
        rows = list(pool.map(_record, cameras, [options] * len(cameras)))
    table = options.out / "ground_truth.csv"
    write_table(table, [row for camera in rows for row in camera], rate=options.rate)
    write_camera_list(options.out / "cameras.yaml", cameras)
    write_places(
        options.out / "places.csv",
        Cast(),
        rate=options.rate,
        seconds=options.seconds,
        start=options.start,
    )
    for camera in cameras:
        path = options.out / f"{camera.name}.mp4"
        print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
    print(f"{table}: {sum(len(camera) for camera in rows)} boxes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
