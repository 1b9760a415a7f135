"""`reid-pipeline evaluate`: how well did a run find who was where?"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer
from rich.console import Console

from pipeline.cli.evaluation_tables import notes, score_table
from pipeline.datatypes import Image
from pipeline.errors import InputError, OutputError, SourceError
from pipeline.metrics.confusion import confusion, draw_confusion
from pipeline.metrics.crops import cut_crops, gallery_crops
from pipeline.metrics.finished_run import FinishedRun, read_run
from pipeline.metrics.ground_truth import read_ground_truth
from pipeline.metrics.matches import (
    Mistake,
    Sighting,
    box_table,
    name_identities,
    worst_mistakes,
)
from pipeline.metrics.mistake_sheet import draw_mistakes
from pipeline.metrics.pairing import pair_boxes
from pipeline.metrics.scope import coverage, restrict
from pipeline.metrics.scores import score_paired
from pipeline.metrics.timeline import draw_timeline
from pipeline.sources import VideoFile

__all__ = ["evaluate"]

MOST_MISTAKES = 12
TABLE_COLUMNS = 130
"""Width of the table where the output is no terminal."""


def evaluate(
    run: Annotated[Path, typer.Argument(help="Folder of a run, or its tracks.csv.")],
    *,
    ground_truth: Annotated[
        Path,
        typer.Option(help="CSV camera,frame,identity,x,y,w,h[,visible], or a MOT folder."),
    ],
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the scores here.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for pictures of what went wrong.")
    ] = None,
    iou: Annotated[
        float, typer.Option(min=0.05, max=0.95, help="Overlap at which a box shows its person.")
    ] = 0.5,
    min_visible: Annotated[
        float,
        typer.Option(min=0, max=1, help="People of whom less can be seen do not count."),
    ] = 0.3,
    rename: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="RUN=TRUTH",
            help="A camera of the run and its name in the ground truth; may be repeated.",
        ),
    ] = None,
    camera: Annotated[
        list[str] | None,
        typer.Option("--camera", help="Score this camera alone; may be repeated."),
    ] = None,
    processed_only: Annotated[
        bool,
        typer.Option(
            "--processed-only", help="Leave out ground truth beyond the frames that were read."
        ),
    ] = False,
) -> None:
    """Score a run against ground truth, per camera and over all cameras together."""
    finished = read_run(run).renamed(_renaming(rename or []))
    truth = read_ground_truth(ground_truth)
    truth, finished = restrict(truth, finished, cameras=camera or [])
    covered = coverage(truth, finished.frames)
    if processed_only:
        truth = covered.within
    paired = pair_boxes(truth, finished.tracks, iou=iou, min_visible=min_visible)
    scores = score_paired(paired, iou=iou)
    boxes = box_table(paired.steps, truth, finished.tracks, iou=iou)
    mistakes = worst_mistakes(boxes, limit=MOST_MISTAKES)

    wide = Console(width=None if Console().is_terminal else TABLE_COLUMNS)
    wide.print(score_table(scores, covered.share))
    for line in notes(scores, covered.share, status=finished.status, cut=processed_only):
        wide.print(line, highlight=False, markup=False)
    if json_out is not None:
        record = {
            "run": str(run),
            "ground_truth": str(ground_truth),
            "iou": iou,
            "min_visible": min_visible,
            "processed_only": processed_only,
            **scores.as_dict(),
            "coverage": covered.share,
            "mistakes": [asdict(each) for each in mistakes],
        }
        _write(json_out, json.dumps(record, indent=2) + "\n")
    if out is not None:
        _draw(boxes, mistakes, finished, out)
        Console(stderr=True).print(f"Pictures written to {out}", highlight=False)


def _renaming(pairs: Sequence[str]) -> dict[str, str]:
    """Read ``RUN=TRUTH`` pairs."""
    names: dict[str, str] = {}
    for pair in pairs:
        ours, separator, theirs = pair.partition("=")
        if not separator or not ours or not theirs:
            raise InputError(f"--map expects RUN=TRUTH, for example --map cam_a=c1, got {pair!r}")
        names[ours] = theirs
    return names


def _draw(
    boxes: pd.DataFrame, mistakes: Sequence[Mistake], finished: FinishedRun, out: Path
) -> None:
    """Write ``timeline.png``, ``identities.png`` and, if there are any, ``mistakes.png``."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"pictures cannot be written to {out}: {error.strerror}") from None
    names = name_identities(boxes)
    draw_timeline(boxes, names, out / "timeline.png")
    draw_confusion(confusion(boxes, names), out / "identities.png")
    sheet = out / "mistakes.png"
    if mistakes:
        draw_mistakes(mistakes, _crops(mistakes, finished), sheet)
    else:
        # A sheet of an earlier run would tell of mistakes that this one did not make.
        sheet.unlink(missing_ok=True)


def _crops(mistakes: Sequence[Mistake], finished: FinishedRun) -> Mapping[Sighting, Image]:
    """Return the crops of both sides of each mistake: from the videos, else from the gallery."""
    sightings = [view for each in mistakes for view in (each.first, each.second)]
    videos: dict[str, Any] = {}
    for camera, path in finished.sources.items():
        try:
            videos[camera] = VideoFile(camera, path)
        except SourceError:
            continue  # moved or deleted since; the gallery has crops of most tracks
    return gallery_crops(sightings, finished.gallery) | cut_crops(sightings, videos)


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"scores cannot be written to {path}: {error.strerror}") from None
