"""Score person detectors against ground truth.

    python scripts/evaluate_detector.py --truth sample_videos tests/truth/retail.csv \
        --videos ../shared/data/videos

Truth is a folder of ``CAMERA.mp4`` and ``ground_truth.csv``, of which every n-th frame counts, or a
CSV by itself, of whose cameras the frames that it names count; their clips, ``CAMERA.*`` or folders
of pictures, are looked for in ``--videos``. See ``tests/truth/README.md``. A person counts from a
visible share of 0.5 and a height of 60 pixels; finding another one is neither right nor wrong.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from rich.console import Console
from rich.table import Table

from labelled_frames import clip_of, frames_of
from pipeline.detect.loading import load_detector
from pipeline.errors import ReidPipelineError
from pipeline.metrics.ground_truth import read_ground_truth
from pipeline.settings import DetectSettings
from reference_detectors import load_reference

MIN_VISIBLE, MIN_HEIGHT = 0.5, 60.0
MIN_SCORE = 0.005
"""Curves need the boxes that nobody would use, too."""

ROUNDING = 1e-6

Boxes = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """One picture with what is on it and what was found.

    Attributes:
        truth: (N, 4) corners in pixels.
        counts: (N,) whether the person must be found; else it is a region in which any number of
            boxes are neither right nor wrong.
        found: (M, 4) corners in pixels.
        score: (M,) confidence.
    """

    truth: Boxes
    counts: NDArray[np.bool_]
    found: Boxes
    score: NDArray[np.float32]


def scores(pictures: Sequence[Judged], *, precisions: Sequence[float]) -> dict[str, float]:
    """Return AP (COCO's), and the recall that is reached at some precisions.

    Args:
        pictures: Any number, with at least one person that counts.
        precisions: Where to read the curve at an overlap (IoU) of 0.5.

    Returns:
        ``AP50``, ``AP50-95`` and, for each precision, ``recall@P`` and ``confidence@P`` (the
        score from which boxes count there); ``persons``, how many had to be found.
    """
    table: dict[str, Any] = {"images": [], "annotations": [], "categories": [{"id": 1}]}
    rows = []
    for number, picture in enumerate(pictures, start=1):
        table["images"].append({"id": number})
        for box, counts in zip(picture.truth, picture.counts, strict=True):
            x, y, w, h = _sides(box)
            table["annotations"].append(
                {"id": len(table["annotations"]) + 1, "image_id": number, "category_id": 1,
                 "bbox": [x, y, w, h], "area": w * h, "iscrowd": int(not counts)}
            )  # fmt: skip
        for box, score in zip(picture.found, picture.score, strict=True):
            rows.append(
                {"image_id": number, "category_id": 1, "bbox": _sides(box), "score": float(score)}
            )
    persons = sum(int(picture.counts.sum()) for picture in pictures)
    if not rows:
        empty = {f"recall@{each:g}": 0.0 for each in precisions}
        return {"AP50": 0.0, "AP50-95": 0.0, **empty, "persons": float(persons)}
    with contextlib.redirect_stdout(io.StringIO()):  # the library prints its progress
        truth = COCO()
        truth.dataset = table
        truth.createIndex()
        judge = COCOeval(truth, truth.loadRes(rows), "bbox")
        judge.params.maxDets = [300]
        judge.params.recThrs = np.linspace(0, 1, 1001)
        judge.params.areaRng, judge.params.areaRngLbl = [[0, 1e10]], ["all"]
        judge.evaluate()
        judge.accumulate()
    curve = judge.eval["precision"][:, :, 0, 0, 0]  # (overlaps, recalls)
    confidence = judge.eval["scores"][0, :, 0, 0, 0]
    result = {"AP50": float(curve[0].mean()), "AP50-95": float(curve.mean())}
    for precision in precisions:
        reached = np.flatnonzero(curve[0] >= precision - ROUNDING)
        last = int(reached[-1]) if len(reached) else 0
        result[f"recall@{precision:g}"] = float(judge.params.recThrs[last])
        result[f"confidence@{precision:g}"] = float(confidence[last])
    return {**result, "persons": float(persons)}


def _sides(box: Boxes) -> list[float]:
    left, top, right, bottom = (float(edge) for edge in box)
    return [left, top, right - left, bottom - top]


def against_truth(
    detector: Any, truth: Path, *, videos: Sequence[Path], every: int
) -> Iterator[Judged]:
    """Yield what a detector finds in the frames of a ground truth, beside that.

    Args:
        detector: With ``detect``, as ``pipeline.protocols.Detector``.
        truth: Folder with its clips, or CSV.
        videos: Where the clips of a CSV lie.
        every: Which frames of a folder count; of a CSV those that it names do.
    """
    table = read_ground_truth(truth / "ground_truth.csv" if truth.is_dir() else truth)
    boxes = table[["x", "y", "w", "h"]].to_numpy(np.float32)
    boxes[:, 2:] += boxes[:, :2]
    counts = ((table["visible"] >= MIN_VISIBLE) & (table["h"] >= MIN_HEIGHT)).to_numpy()
    for camera, rows in table.groupby("camera"):
        of_frame: dict[int, list[int]] = {}
        for position, number in zip(rows.index.tolist(), rows["frame"].tolist(), strict=True):
            of_frame.setdefault(number, []).append(position)
        clip = clip_of(str(camera), [truth] if truth.is_dir() else videos)
        wanted = None if truth.is_dir() else of_frame.keys()
        for frame in frames_of(clip, every=every, wanted=wanted):
            here = np.array(of_frame.get(frame.index, []), np.int64)
            found = detector.detect([frame])[0]
            yield Judged(boxes[here], counts[here], found.xyxy, found.score)


def _load(weights: str | None) -> Any:
    if weights is not None and (found := load_reference(Path(weights))) is not None:
        return found
    settings = DetectSettings(weights=weights, confidence=MIN_SCORE)
    return load_detector(settings, cameras=[], device="cpu")


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument(
        "--detector", nargs="*", default=[], help="others, beside the package's own"
    )
    parser.add_argument("--truth", type=Path, nargs="+", required=True, help="folders, CSV files")
    parser.add_argument("--videos", type=Path, nargs="*", default=[], help="clips of the CSV files")
    parser.add_argument("--every", type=int, default=5, help="score every n-th frame of folders")
    parser.add_argument("--precision", type=float, nargs="*", default=[0.8, 0.9])
    parser.add_argument("--json", type=Path, help="file for the figures")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Print a table; return the exit code."""
    options = _arguments(argv)
    try:
        rows = list(_evaluate(options))
    except (ReidPipelineError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    headings = [each.replace("confidence@", "score@") for each in rows[0][2]]
    table = Table("truth", "detector", *headings)
    for name in dict.fromkeys(name for name, _, _ in rows):
        for clips, detector, figures in rows:
            if clips == name:
                table.add_row(clips, detector, *(f"{each:.3g}" for each in figures.values()))
        table.add_section()
    Console(width=None if Console().is_terminal else 140).print(table)
    if options.json is not None:
        found = [{"detector": name, "clips": clips, **each} for clips, name, each in rows]
        options.json.write_text(json.dumps(found, indent=2))
    return 0


def _evaluate(options: argparse.Namespace) -> Iterator[tuple[str, str, dict[str, float]]]:
    """Yield (truth, detector, figures); last for each detector all CSV files taken together."""
    for weights in [None, *options.detector]:
        name = Path(weights).name if weights else "built-in"
        detector = _load(weights)
        by_hand: list[Judged] = []
        for truth in options.truth:
            judged = list(
                against_truth(detector, truth, videos=options.videos, every=options.every)
            )
            yield truth.stem, name, scores(judged, precisions=options.precision)
            by_hand += [] if truth.is_dir() else judged
        if by_hand:
            yield "all CSV files", name, scores(by_hand, precisions=options.precision)


if __name__ == "__main__":
    sys.exit(main())
