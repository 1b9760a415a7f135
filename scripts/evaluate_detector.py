"""Score person detectors against ground truth and against a stronger detector.

    python scripts/evaluate_detector.py --truth sample_videos --agreement shop.mp4 \
        --teacher yolo11m.pt

Clips with ground truth are folders of ``CAMERA.mp4`` and ``ground_truth.csv`` (camera, frame, x,
y, w, h, visible). A person counts from a visible share of 0.5 and a height of 80 pixels; finding
another one is neither right nor wrong. Agreement takes the teacher's boxes as the truth.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from rich.console import Console
from rich.table import Table

from pipeline.datatypes import Frame
from pipeline.detect.loading import load_detector
from pipeline.errors import ReidPipelineError
from pipeline.settings import DetectSettings

MIN_VISIBLE, MIN_HEIGHT = 0.5, 80.0
MIN_SCORE = 0.005
"""Curves need the boxes that nobody would use, too."""

ROUNDING = 1e-6

Boxes = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """One picture with what is on it and what was found.

    Attributes:
        truth: (N, 4) corners in pixels.
        counts: (N,) whether the person must be found.
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


def frames_of(video: Path, *, every: int) -> Iterator[Frame]:
    """Yield every n-th frame of a video, or every n-th picture of a folder of JPEG files."""
    if video.is_dir():
        for index, path in enumerate(sorted(video.glob("*.jpg"))[::every]):
            image = np.asarray(cv2.imread(str(path)), np.uint8)
            yield Frame(camera=video.name, index=index, time_s=float(index), image=image)
        return
    with av.open(str(video)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index % every == 0:
                image = frame.to_ndarray(format="bgr24")
                yield Frame(camera=video.stem, index=index, time_s=float(index), image=image)


def against_truth(detector: Any, folder: Path, *, every: int) -> Iterator[Judged]:
    """Yield what a detector finds in the clips of a folder, beside its ground truth."""
    table = pd.read_csv(folder / "ground_truth.csv")
    columns = ["camera", "frame", "x", "y", "w", "h", "visible"]
    known: dict[tuple[str, int], list[tuple[float, ...]]] = defaultdict(list)
    for camera, frame, x, y, w, h, visible in table[columns].itertuples(index=False):
        counts = visible >= MIN_VISIBLE and h >= MIN_HEIGHT
        known[camera, frame].append((x, y, x + w, y + h, counts))
    for camera in sorted(table["camera"].unique()):
        for frame in frames_of(folder / f"{camera}.mp4", every=every):
            rows = np.array(known[camera, frame.index], np.float32).reshape(-1, 5)
            found = detector.detect([frame])[0]
            yield Judged(rows[:, :4], rows[:, 4] > 0, found.xyxy, found.score)


def against_teacher(detector: Any, teacher: Any, video: Path, *, every: int) -> Iterator[Judged]:
    """Yield what a detector finds in a video, beside what a stronger one finds."""
    for frame in frames_of(video, every=every):
        truth, found = teacher.detect([frame])[0], detector.detect([frame])[0]
        everybody = np.ones(len(truth.xyxy), bool)
        yield Judged(truth.xyxy, everybody, found.xyxy, found.score)


def _load(weights: str | None, confidence: float) -> Any:
    settings = DetectSettings(weights=weights, confidence=confidence)
    return load_detector(settings, cameras=[], device="cpu")


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--detector", nargs="+", default=[None], help="none = the package's own")
    parser.add_argument("--truth", type=Path, nargs="*", default=[], help="folders of clips")
    parser.add_argument(
        "--agreement",
        type=Path,
        nargs="*",
        default=[],
        help="clips, or folders of pictures, without truth",
    )
    parser.add_argument("--teacher", help="detector that is right, for --agreement")
    parser.add_argument("--teacher-confidence", type=float, default=0.5)
    parser.add_argument("--every", type=int, default=5, help="score every n-th frame")
    parser.add_argument("--precision", type=float, nargs="*", default=[0.8, 0.9])
    parser.add_argument("--json", type=Path, help="file for the figures")
    options = parser.parse_args(argv)
    if options.agreement and not options.teacher:
        parser.error("--agreement needs --teacher: a detector whose boxes are the truth")
    return options


def main(argv: list[str] | None = None) -> int:
    """Print a table; return the exit code."""
    options = _arguments(argv)
    try:
        rows = list(_evaluate(options))
    except (ReidPipelineError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for name in dict.fromkeys(name for name, _, _ in rows):
        headings = [each.replace("confidence@", "score@") for each in rows[0][2]]
        table = Table("clips", *headings, title=name)
        for detector, clips, figures in rows:
            if detector == name:
                table.add_row(clips, *(f"{each:.3g}" for each in figures.values()))
        Console().print(table)
    if options.json is not None:
        found = [{"detector": name, "clips": clips, **each} for name, clips, each in rows]
        options.json.write_text(json.dumps(found, indent=2))
    return 0


def _evaluate(options: argparse.Namespace) -> Iterator[tuple[str, str, dict[str, float]]]:
    for weights in options.detector:
        name = Path(weights).name if weights else "built-in"
        detector = _load(weights, MIN_SCORE)
        for folder in options.truth:
            judged = list(against_truth(detector, folder, every=options.every))
            yield name, folder.name, scores(judged, precisions=options.precision)
        for clip in options.agreement:
            teacher = _load(options.teacher, options.teacher_confidence)
            judged = list(against_teacher(detector, teacher, clip, every=options.every))
            yield name, clip.name, scores(judged, precisions=options.precision)


if __name__ == "__main__":
    sys.exit(main())
