"""Draw ground truth into its frames, to check it by eye.

    python scripts/draw_truth.py tests/truth/retail.csv --videos ../shared/data/videos --out DIR

Writes one PNG per frame: each box in a colour of its identity, with its identity and, where it is
below 1, its visible share; grey is what neither rewards nor punishes a detector.
"""

from __future__ import annotations

import argparse
import sys
import zlib
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from evaluate_detector import MIN_HEIGHT, MIN_VISIBLE
from labelled_frames import clip_of, frames_of
from pipeline.datatypes import Image
from pipeline.errors import ReidPipelineError
from pipeline.metrics.figures import distinct_colours
from pipeline.metrics.ground_truth import read_ground_truth

COLOURS = [tuple(round(255 * part) for part in each) for each in distinct_colours(12)]
GREY = (150, 150, 150)


def drawn(image: Image, rows: pd.DataFrame) -> Image:
    """Return a copy of a frame with the boxes of its rows."""
    canvas = image.copy()
    for identity, x, y, w, h, visible in rows[
        ["identity", "x", "y", "w", "h", "visible"]
    ].itertuples(index=False):
        counts = visible >= MIN_VISIBLE and h >= MIN_HEIGHT
        colour = COLOURS[zlib.crc32(str(identity).encode()) % len(COLOURS)] if counts else GREY
        corner = (round(x), round(y))
        cv2.rectangle(canvas, corner, (round(x + w), round(y + h)), colour, 2)
        text = str(identity) if visible == 1 else f"{identity} ({visible:g})"
        place = (corner[0] + 3, corner[1] + 16)
        for shade, thickness in (((0, 0, 0), 3), (colour, 1)):
            cv2.putText(canvas, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.5, shade, thickness)
    return np.asarray(canvas, np.uint8)


def main(argv: list[str] | None = None) -> int:
    """Write the pictures; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("truth", type=Path, help="CSV")
    parser.add_argument("--videos", type=Path, nargs="+", required=True, help="where clips lie")
    parser.add_argument("--out", type=Path, required=True, help="folder for the pictures")
    options = parser.parse_args(argv)
    try:
        table = read_ground_truth(options.truth)
        options.out.mkdir(parents=True, exist_ok=True)
        for camera, rows in table.groupby("camera"):
            clip = clip_of(str(camera), options.videos)
            for frame in frames_of(clip, wanted=set(rows["frame"])):
                picture = drawn(frame.image, rows[rows["frame"] == frame.index])
                cv2.imwrite(str(options.out / f"{camera}_{frame.index:06d}.png"), picture)
    except (ReidPipelineError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
