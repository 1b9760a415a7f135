"""`reid-pipeline evaluate`: how well did a run find who was where?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer
from rich.console import Console
from rich.table import Table

from pipeline.errors import InputError, ReidPipelineError
from pipeline.metrics.confusion import confusion, draw_confusion
from pipeline.metrics.crops import cut_crops
from pipeline.metrics.ground_truth import read_csv, read_ground_truth
from pipeline.metrics.matches import Mistake, box_table, name_identities, worst_mistakes
from pipeline.metrics.mistake_sheet import draw_mistakes
from pipeline.metrics.pairing import pair_boxes
from pipeline.metrics.scores import Score, Scores, score_paired
from pipeline.metrics.tables import check_cameras, check_tracks
from pipeline.metrics.timeline import draw_timeline
from pipeline.sources import VideoFile

__all__ = ["evaluate"]

MOST_MISTAKES = 12
SHOWN = {
    "IDF1": "idf1",
    "IDP": "idp",
    "IDR": "idr",
    "HOTA": "hota",
    "DetA": "det_a",
    "AssA": "ass_a",
    "MOTA": "mota",
    "switches": "id_switches",
    "recall": "recall",
    "precision": "precision",
    "people": "true_identities",
    "found": "found_identities",
}


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
) -> None:
    """Score a run against ground truth, per camera and over all cameras together."""
    tracks_csv = run / "tracks.csv" if run.is_dir() else run
    truth = read_ground_truth(ground_truth)
    found = check_tracks(read_csv(tracks_csv, kind="tracks"), origin=f"tracks {tracks_csv}")
    check_cameras(truth["camera"], found["camera"])
    paired = pair_boxes(truth, found, iou=iou, min_visible=min_visible)
    scores = score_paired(paired, iou=iou)
    if json_out is not None:
        _write(json_out, json.dumps(scores.as_dict(), indent=2) + "\n")
    Console(width=130).print(_table(scores))
    if out is not None:
        boxes = box_table(paired.steps, truth, found, iou=iou)
        _draw(boxes, tracks_csv.parent, out)


def _table(scores: Scores) -> Table:
    table = Table(title="Scores", title_justify="left")
    table.add_column("camera")
    for name in SHOWN:
        table.add_column(name, justify="right")
    for camera, score in scores.cameras.items():
        table.add_row(camera, *_cells(score))
    table.add_section()
    table.add_row("all together", *_cells(scores.overall), style="bold")
    return table


def _cells(score: Score) -> list[str]:
    values = [getattr(score, field) for field in SHOWN.values()]
    return [f"{value:.3f}" if isinstance(value, float) else str(value) for value in values]


def _draw(boxes: pd.DataFrame, folder: Path, out: Path) -> None:
    """Write ``timeline.png``, ``identities.png`` and, if there are any, ``mistakes.png``."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"pictures cannot be written to {out}: {error.strerror}") from None
    names = name_identities(boxes)
    draw_timeline(boxes, names, out / "timeline.png")
    draw_confusion(confusion(boxes, names), out / "identities.png")
    mistakes = worst_mistakes(boxes, limit=MOST_MISTAKES)
    if mistakes:
        draw_mistakes(mistakes, _crops(mistakes, folder), out / "mistakes.png")
    Console(stderr=True).print(f"Pictures written to {out}", highlight=False)


def _crops(mistakes: list[Mistake], folder: Path) -> Mapping[Any, Any]:
    """Return the crops of both sides of each mistake, as far as the run's videos are there."""
    sightings = [view for each in mistakes for view in (each.first, each.second)]
    videos = {}
    for camera, path in _inputs(folder).items():
        try:
            videos[camera] = VideoFile(camera, Path(path))
        except ReidPipelineError:
            continue  # moved or deleted since; the picture says that the crop is missing
    return cut_crops(sightings, videos)


def _inputs(folder: Path) -> dict[str, str]:
    try:
        record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        return {each["camera"]: each["source"] for each in record["inputs"]}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"scores cannot be written to {path}: {error.strerror}") from None
