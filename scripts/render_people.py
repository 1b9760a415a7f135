"""Render people for the crops that a re-identification network is distilled on.

    python scripts/render_people.py --out crops/people --people 4000 --views 2

Everybody is somebody else: a body, clothes, hair and bags drawn at random, seen at least twice by
different cameras in other light and another pose. The figure and the wardrobe are MakeHuman's, which
npm downloads at the first run (see docs/reid.md, "Rendered people").
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np

from pipeline.errors import ReidPipelineError
from rendered_people.assets import Assets
from rendered_people.footage import film
from rendered_people.package import fetch
from rendered_people.person import sample_person


def main(arguments: list[str] | None = None) -> int:
    """Write the crops, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="folder for the crops")
    parser.add_argument(
        "--masks", type=Path, help="folder for masks of 32 x 64 pixels, white: person"
    )
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--views", type=int, default=2, help="crops of each person")
    parser.add_argument("--first", type=int, default=0, help="number of the first person")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--places", type=Path, help="folder of pictures of places without people")
    parser.add_argument(
        "--assets", type=Path, default=Path("makehuman"), help="where the package is"
    )
    options = parser.parse_args(arguments)
    try:
        render(options)
    except ReidPipelineError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def render(options: argparse.Namespace) -> None:
    """Write `<person>_c<view>.jpg`, and a mask of the same name."""
    files = sorted(options.places.glob("*.jpg")) if options.places else []
    if options.places and not files:
        raise ReidPipelineError(f"{options.places} has no .jpg of a place: leave --places out")
    places = [file.read_bytes() for file in files]
    assets = Assets(fetch(options.assets))
    for folder in filter(None, (options.out, options.masks)):
        folder.mkdir(parents=True, exist_ok=True)
    for number in range(options.first, options.first + options.people):
        # Each person has numbers of their own, so that a run can be split.
        rng = np.random.default_rng([options.seed, number])
        person = sample_person(assets, rng)
        for view in range(1, options.views + 1):
            crop, mask = film(assets, person, places, rng)
            name = f"{number:06d}_c{view}"
            cv2.imwrite(str(options.out / f"{name}.jpg"), crop, [cv2.IMWRITE_JPEG_QUALITY, 85])
            if options.masks:
                cv2.imwrite(str(options.masks / f"{name}.png"), 255 * mask.astype(np.uint8))


if __name__ == "__main__":
    sys.exit(main())
