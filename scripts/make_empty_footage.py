"""Make footage without people: what is found in it is false.

    python scripts/make_empty_footage.py --truth tests/truth/*.csv --out EMPTY \
        --videos ../shared/data/videos ../shared/data/multiviewx/Image_subsets
    reid-pipeline run --cams EMPTY --out EMPTY_RUN
    reid-pipeline evaluate EMPTY_RUN --nobody

Four kinds of clips: rendered places; stretches of real clips that the truth calls empty, played to
and fro; and pieces of labelled frames that no box touches, held still and panned over. All get a
sensor's noise.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from labelled_frames import clip_of, frames_of
from pipeline.datatypes import Image
from pipeline.errors import ReidPipelineError
from pipeline.metrics.ground_truth import read_ground_truth
from sample_scene.actor import Actor
from sample_scene.encoding import ClipWriter
from sample_scene.filming import Cast, Film
from sample_scene.gait import Stance
from sample_scene.world import CAMERAS

SIZE = (960, 540)
NOISE, FLICKER, GRAINS = 2.0, 0.02, 8
"""Deviation of the grain (of 255) and of the exposure, and how many patterns of grain there are."""
MIN_PIECE = 0.3
"""Of a frame's width, what a piece must have."""
PER_CAMERA = 2
"""From how many labelled frames of a camera pieces are taken at most."""
PAN_S = 40.0
SHOWN = 0.75
"""Of a piece, along each side, what the pan shows at a time."""


class _NobodyThere(Cast):
    """A cast that never comes."""

    def present(self, seconds: float) -> list[tuple[int, Actor, Stance]]:  # noqa: ARG002
        """Return nobody."""
        return []


def rendered(count: int) -> Iterator[tuple[str, Iterator[Image]]]:
    """Yield the places of the sample videos, without anybody."""
    for camera in CAMERAS:
        picture, _ = Film(camera, _NobodyThere()).frame(0, 0.0)
        yield (
            f"rendered_{camera.name}",
            _repeated([np.asarray(picture[..., ::-1], np.uint8)], count),
        )


def still(
    truth: pd.DataFrame, videos: Sequence[Path], count: int
) -> Iterator[tuple[str, Iterator[Image]]]:
    """Yield stretches whose labelled frames, at least two, have nobody in them, to and fro."""
    for camera, rows in truth.groupby("camera"):
        empty = rows.groupby("frame")["identity"].agg(lambda names: set(names) == {"nobody"})
        for _, stretch in empty[empty].groupby((~empty).cumsum()[empty]):
            if len(stretch) > 1:
                first, last = int(stretch.index[0]), int(stretch.index[-1])
                clip = frames_of(clip_of(str(camera), videos), wanted=range(first, last + 1))
                images = [_scaled(frame.image) for frame in clip]
                there_and_back = [*images, *images[-2:0:-1]]
                yield f"still_{camera}_{first}", _repeated(there_and_back, count)


def _repeated(images: Sequence[Image], count: int) -> Iterator[Image]:
    return (images[number % len(images)] for number in range(count))


def pieces(truth: pd.DataFrame, videos: Sequence[Path]) -> Iterator[tuple[str, Image]]:
    """Yield the largest piece without a box of some labelled frames with people."""
    for camera, rows in truth[truth["identity"] != "nobody"].groupby("camera"):
        labelled = rows["frame"].drop_duplicates().tolist()
        wanted = labelled[:: -(-len(labelled) // PER_CAMERA)]
        for frame in frames_of(clip_of(str(camera), videos), wanted=wanted):
            piece = _without(frame.image, rows[rows["frame"] == frame.index])
            if piece is not None:
                yield f"{camera}_{frame.index}", piece


def _swinging(piece: Image, count: int, rate: float) -> Iterator[Image]:
    return (_view(piece, number / rate / PAN_S) for number in range(count))


def _without(image: Image, rows: pd.DataFrame) -> Image | None:
    """Return the largest piece of a frame, of the clips' shape, that no box touches."""
    height, width = image.shape[:2]
    corners = rows[["x", "y", "w", "h"]].to_numpy(np.float64)
    corners[:, 2:] += corners[:, :2]
    for share in np.arange(0.95, MIN_PIECE, -0.05):
        across, down = round(width * share), round(width * share * SIZE[1] / SIZE[0])
        for left in np.linspace(0, width - across, 12).astype(int):
            for top in np.linspace(0, max(height - down, 0), 12).astype(int):
                window = (left, top, left + across, top + down)
                apart = (corners[:, :2] >= window[2:]).any(1) | (corners[:, 2:] <= window[:2]).any(
                    1
                )
                if down <= height and apart.all():
                    return np.asarray(image[top : top + down, left : left + across], np.uint8)
    return None


def _view(piece: Image, turns: float) -> Image:
    """Return what a camera that swings over a picture sees after so many swings."""
    height, width = piece.shape[:2]
    down, across = round(height * SHOWN), round(width * SHOWN)
    left = round((width - across) * (0.5 - 0.5 * np.cos(2 * np.pi * turns)))
    top = round((height - down) * (0.5 - 0.5 * np.cos(2 * np.pi * turns / 3)))
    return _scaled(piece[top : top + down, left : left + across])


def _scaled(image: Image) -> Image:
    return np.asarray(cv2.resize(image, SIZE, interpolation=cv2.INTER_AREA), np.uint8)


def _clips(
    truth: pd.DataFrame, videos: Sequence[Path], count: int, rate: float
) -> Iterator[tuple[str, Iterator[Image]]]:
    """Yield the name and the pictures of every clip."""
    yield from rendered(count)
    yield from still(truth, videos, count)
    for name, piece in pieces(truth, videos):
        yield f"held_{name}", _repeated([_scaled(piece)], count)
        yield f"panned_{name}", _swinging(piece, count, rate)


def _write(path: Path, images: Iterator[Image], *, rate: Fraction, seed: int) -> None:
    rng = np.random.default_rng(seed)
    grains = rng.normal(0, NOISE, (GRAINS, *SIZE[::-1], 3)).astype(np.float32)
    with ClipWriter(path, size=SIZE, rate=rate, quality=26, preset="veryfast") as clip:
        for image in images:
            lit = image * np.float32(rng.normal(1, FLICKER)) + grains[rng.integers(GRAINS)]
            clip.add(np.ascontiguousarray(lit.clip(0, 255).astype(np.uint8)[..., ::-1]))


def main(argv: list[str] | None = None) -> int:
    """Write the clips; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--truth", type=Path, nargs="+", required=True, help="CSV files")
    parser.add_argument("--videos", type=Path, nargs="+", required=True, help="where clips lie")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=86.0, help="length of each clip")
    parser.add_argument("--rate", type=Fraction, default=Fraction(1), help="frames a second")
    options = parser.parse_args(argv)
    made = 0
    count, rate = round(options.seconds * options.rate), float(options.rate)
    options.out.mkdir(parents=True, exist_ok=True)
    try:
        truth = pd.concat([read_ground_truth(path) for path in options.truth], ignore_index=True)
        for number, (name, images) in enumerate(_clips(truth, options.videos, count, rate)):
            _write(options.out / f"{name}.mp4", images, rate=options.rate, seed=number)
            made = number + 1
    except (ReidPipelineError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{made} clips, {made * options.seconds / 3600:.2f} camera-hours")
    return 0


if __name__ == "__main__":
    sys.exit(main())
