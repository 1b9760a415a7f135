"""`reid-model publish`: from a checkpoint to the files that ship."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reid_model.errors import OutputError
from reid_model.files import is_same
from reid_model.terminal import Console

__all__ = ["publish"]


def publish(
    checkpoint: Annotated[
        Path, typer.Argument(help="Calibrated weights, such as a run's best.safetensors.")
    ],
    *,
    data: Annotated[
        list[Path],
        typer.Option(help="What to score on, as for evaluate (configs/sets/); may be repeated."),
    ],
    calibrate_on: Annotated[
        Path | None,
        typer.Option(
            help="Folder of pictures of people, for an int8 form as well: they tell the ranges of "
            "its layers. Those of --data are left out."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The file to write; the package's own if not given.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace other weights that are in that file.")
    ] = False,
) -> None:
    """Write weights in half precision, their OpenVINO form, their scores and their card's tables.

    The calibration is kept. The OpenVINO form lies in NAME_openvino/ beside NAME.safetensors; a run
    on a CPU takes it and loads no torch. The int8 form, in NAME_openvino_int8/, is taken where int8
    is asked for. The tables go between the markers of a README.md beside it. Nothing is replaced
    before all is measured.
    """
    from reid_model.data.images import crop_files  # noqa: PLC0415 - slow to load
    from reid_model.evaluation.sets import read_set  # noqa: PLC0415
    from reid_model.publishing import publish as write_files  # noqa: PLC0415
    from reid_model.stored_weights import default_weights  # noqa: PLC0415

    if out is not None and out.exists() and not overwrite and not is_same(out, checkpoint):
        raise OutputError(f"{out} exists already: choose another --out, or --overwrite")
    made = write_files(
        checkpoint,
        default_weights() if out is None else out,
        [read_set(each) for each in data],
        calibrate_on=[] if calibrate_on is None else crop_files(calibrate_on),
    )
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    for name, found in made.scores.items():
        ranking = found.ranking
        console.print(
            f"{name}: rank-1 {ranking.rank1:.3f}, mAP {ranking.mean_average_precision:.3f}"
        )
    told = "" if made.card is None else f"; tables in {made.card}"
    console.print(f"{made.weights}: least cosine to the checkpoint {made.min_cosine:.5f}{told}")
