"""What places cost the matcher: processor time of a frame with and without them.

    python scripts/experiments/benchmark_floor.py

People walk about in view of all cameras at once, ten frames a second, each with one crop a second.
"""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np

from pipeline.datatypes import CropEvidence, Tracks
from pipeline.match.online import OnlineMatcher
from pipeline.places import Places
from pipeline.settings import MatchSettings

DIM = 512
RATE = 10
AREA_M = 20.0


def cost_ms(*, people: int, cameras: int, seconds: int, on_floor: bool) -> float:
    """Return the processor time of the matcher for one frame of one camera, milliseconds."""
    random = np.random.default_rng(0)
    looks = random.normal(size=(people, DIM))
    xy, step = random.uniform(0, AREA_M, (people, 2)), random.normal(0, 0.08, (people, 2))
    settings = MatchSettings(resolve=False)
    matcher = OnlineMatcher(settings, threshold=lambda _: 0.34, dim=DIM)
    ids, score = np.arange(1, people + 1), np.full(people, 0.9, np.float32)
    spread = np.tile([0.04, 0.0, 0.04], (people, 1))
    took = 0.0
    for frame in range(seconds * RATE):
        xy = xy + step
        step = np.where((xy < 0) | (xy > AREA_M), -step, step)
        rows = np.flatnonzero((np.arange(people) + frame) % RATE == 0)
        for camera in range(cameras):
            vectors = looks[rows] + random.normal(size=(len(rows), DIM))
            vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
            seen = xy + random.normal(0, 0.1, xy.shape)
            boxes = np.column_stack([seen * 40, seen * 40 + [60, 160]]).astype(np.float32)
            places = Places(seen, spread, np.full(people, 1.7)) if on_floor else None
            evidence = CropEvidence(rows, vectors, np.ones(len(rows), np.float32))
            began = time.process_time()
            matcher.update(f"c{camera}", frame / RATE, Tracks(boxes, score, ids, places), evidence)
            took += time.process_time() - began
    return 1000 * took / (seconds * RATE * cameras)


def main() -> None:
    """Print both and the difference."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--cameras", type=int, default=8)
    parser.add_argument("--seconds", type=int, default=120)
    args = parser.parse_args()
    without, with_places = (
        cost_ms(people=args.people, cameras=args.cameras, seconds=args.seconds, on_floor=on_floor)
        for on_floor in (False, True)
    )
    sys.stdout.write(
        f"{args.people} people in {args.cameras} cameras: {without:.3f} ms a frame without places, "
        f"{with_places:.3f} with them, {with_places - without:.3f} more\n"
    )


if __name__ == "__main__":
    main()
