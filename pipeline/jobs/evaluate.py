"""Scoring a run against ground truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.datatypes import Image
from pipeline.errors import InputError, OutputError, SourceError
from pipeline.layout.run import RUN_RECORD, TRACKS_CSV
from pipeline.metrics.confusion import confusion, draw_confusion
from pipeline.metrics.crops import cut_crops, gallery_crops
from pipeline.metrics.false_people import FalsePeople, false_people
from pipeline.metrics.finished_run import FinishedRun, finished_run, tracks_alone
from pipeline.metrics.ground_truth import read_ground_truth
from pipeline.metrics.matches import BoxView, Mistake, box_table, name_identities, worst_mistakes
from pipeline.metrics.mistake_sheet import draw_mistakes
from pipeline.metrics.pairing import pair_boxes
from pipeline.metrics.scope import coverage, restrict, unlabelled
from pipeline.metrics.scores import Scores, score_paired
from pipeline.metrics.timeline import draw_timeline
from pipeline.results import open_results
from pipeline.results.run import RunResults
from pipeline.sources import VideoFile

__all__ = ["PICTURES", "Evaluation", "draw", "evaluate", "evaluate_empty", "read_run"]

PICTURES = ("timeline.png", "identities.png", "mistakes.png")
"""What ``draw`` writes."""
MAX_MISTAKES = 12


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """How well a run found who was where.

    Attributes:
        scores: By TrackEval, per camera and over all cameras.
        covered: Per camera, the share of the true boxes in frames that the run processed.
        unlabelled: Per camera, the share of the found boxes in frames without any true box.
        boxes: As ``pipeline.metrics.matches.box_table`` returns it.
        mistakes: Those that touch the most boxes, worst first.
        run: What was scored.
    """

    scores: Scores
    covered: Mapping[str, float]
    unlabelled: Mapping[str, float]
    boxes: pd.DataFrame
    mistakes: Sequence[Mistake]
    run: FinishedRun

    def as_dict(self) -> dict[str, Any]:
        """Return the scores for JSON."""
        return {
            **self.scores.as_dict(),
            "coverage": dict(self.covered),
            "unlabelled": dict(self.unlabelled),
            "mistakes": [asdict(each) for each in self.mistakes],
        }


def evaluate(
    run: Path,
    ground_truth: Path,
    *,
    iou: float = 0.5,
    min_visible: float = 0.3,
    rename: Mapping[str, str] | None = None,
    cameras: Sequence[str] = (),
    processed_only: bool = False,
    label: str | None = None,
) -> Evaluation:
    """Score a run against ground truth, per camera and over all cameras together.

    Args:
        run: Folder of a run, its ``tracks.csv``, or a CSV with these columns alone.
        ground_truth: CSV, a MOT folder, or a file or folder of CVAT.
        iou: IoU at which a box matches its ground truth.
        min_visible: Ground-truth boxes with a lower visible share are ignored.
        rename: Cameras of the run to their names in the ground truth.
        cameras: Only these; none = all.
        processed_only: Leave out ground truth beyond the frames that were read.
        label: Tracks of CVAT with this label count; ``None`` = ``person``.

    Raises:
        InputError: The run or the ground truth is missing or malformed, or their cameras do
            not correspond.
    """
    finished = read_run(run).renamed(rename or {})
    truth = read_ground_truth(ground_truth, label=label)
    truth, finished = restrict(truth, finished, cameras=cameras)
    covered = coverage(truth, finished.frames)
    if processed_only:
        truth = covered.within
    paired = pair_boxes(truth, finished.tracks, iou=iou, min_visible=min_visible)
    boxes = box_table(paired.steps, truth, finished.tracks, iou=iou)
    return Evaluation(
        scores=score_paired(paired, iou=iou),
        covered=covered.share,
        unlabelled=unlabelled(truth, finished.tracks),
        boxes=boxes,
        mistakes=worst_mistakes(boxes, limit=MAX_MISTAKES),
        run=finished,
    )


def evaluate_empty(run: Path) -> FalsePeople:
    """Count the people that a run found in footage without people.

    Raises:
        InputError: It is no run, or does not say how long its cameras were read.
    """
    results = open_results(run)
    if not isinstance(results, RunResults):
        raise InputError(f"{run} is no run's folder: false people are counted in runs")
    return false_people(results)


def draw(found: Evaluation, out: Path) -> None:
    """Write ``timeline.png``, ``identities.png`` and, if there are any, ``mistakes.png``.

    Raises:
        OutputError: The folder cannot be made.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"pictures cannot be written to {out}: {error.strerror}") from None
    names = name_identities(found.boxes)
    timeline, identities, sheet = (out / name for name in PICTURES)
    draw_timeline(found.boxes, names, timeline)
    draw_confusion(confusion(found.boxes, names), identities)
    if found.mistakes:
        draw_mistakes(found.mistakes, _crops(found.mistakes, found.run), sheet)
    else:
        # A sheet of an earlier run would tell of mistakes that this one did not make.
        sheet.unlink(missing_ok=True)


def read_run(run: Path) -> FinishedRun:
    """Return what is scored: a run, or a table of tracks alone.

    Raises:
        InputError: It is missing or malformed.
    """
    if run.is_dir():
        return finished_run(open_results(run))
    if run.name == TRACKS_CSV and (run.parent / RUN_RECORD).is_file():
        return finished_run(open_results(run.parent))
    return tracks_alone(run)


def _crops(mistakes: Sequence[Mistake], finished: FinishedRun) -> Mapping[BoxView, Image]:
    """Return the crops of both sides of each mistake: from the videos, else from the gallery."""
    views = [view for each in mistakes for view in (each.first, each.second)]
    videos: dict[str, Any] = {}
    for camera, path in finished.sources.items():
        try:
            videos[camera] = VideoFile(camera, path)
        except SourceError:
            continue  # moved or deleted since; the gallery has crops of most tracks
    return gallery_crops(views, finished.gallery) | cut_crops(views, videos)
