"""`reid-pipeline evaluate`: scores of a run against ground truth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.evaluation_tables import false_people_table, notes, score_table
from pipeline.cli.flags import refuse_flags
from pipeline.cli.json_output import JsonOption, file_of, write_json
from pipeline.cli.terminal import Console
from pipeline.errors import InputError
from pipeline.foreign import MARK
from pipeline.jobs.evaluate import PICTURES, draw, evaluate_empty
from pipeline.jobs.evaluate import evaluate as evaluate_job
from pipeline.jobs.outputs import check_files

__all__ = ["evaluate"]

WRITTEN_BY = f"{MARK} evaluate"
TABLE_COLUMNS = 130
"""Width of the table where the output is no terminal."""


def evaluate(
    context: typer.Context,
    run: Annotated[Path, typer.Argument(help="Folder of a run, or its tracks.csv.")],
    *,
    ground_truth: Annotated[
        Path | None,
        typer.Option(
            help="CSV camera,frame,identity,x,y,w,h[,visible], a MOT folder, or CVAT for video.",
            show_default=False,
        ),
    ] = None,
    nobody: Annotated[
        bool,
        typer.Option(
            "--nobody",
            help="Instead of ground truth: nobody is in the videos; count false people per hour.",
        ),
    ] = False,
    json_out: JsonOption = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for pictures of what went wrong.")
    ] = None,
    iou: Annotated[
        float, typer.Option(min=0.05, max=0.95, help="IoU at which a box matches its ground truth.")
    ] = 0.5,
    min_visible: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="Ground-truth boxes with a lower visible share are ignored."
        ),
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
    label: Annotated[
        str | None,
        typer.Option("--class", help="Label of the people in ground truth of CVAT, else 'person'."),
    ] = None,
) -> None:
    """Score a run against ground truth, per camera and over all cameras together."""
    if (ground_truth is None) != nobody:
        raise InputError("give one of --ground-truth FILE and --nobody")
    if nobody:
        useless = ["out", "iou", "min_visible", "rename", "camera", "processed_only", "label"]
        refuse_flags(context, *useless, because="belongs to --ground-truth, which is not given")
    pictures = [] if out is None else [out / name for name in PICTURES]
    check_files([file_of(json_out), *pictures], [run, ground_truth])
    wide = Console(width=None if Console().is_terminal else TABLE_COLUMNS)
    if ground_truth is None:
        false = evaluate_empty(run)
        asked = {"written_by": WRITTEN_BY, "run": str(run), "nobody": True}
        if write_json(json_out, asked | false.as_dict()):
            wide.print(false_people_table(false))
        return
    found = evaluate_job(
        run,
        ground_truth,
        iou=iou,
        min_visible=min_visible,
        rename=_renaming(rename or []),
        cameras=camera or [],
        processed_only=processed_only,
        label=label,
    )
    about = {
        "written_by": WRITTEN_BY,
        "run": str(run),
        "ground_truth": str(ground_truth),
        "iou": iou,
        "min_visible": min_visible,
        "processed_only": processed_only,
    }
    if write_json(json_out, about | found.as_dict()):
        wide.print(score_table(found.scores, found.covered))
        status = found.run.status
        for line in notes(found, status=status, cut=processed_only):
            wide.print(line, highlight=False, markup=False)
    if out is not None:
        draw(found, out)
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
