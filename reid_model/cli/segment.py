"""`reid-model segment`: train the masks of people, and draw them."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reid_model.cli.training_progress import steps_bar
from reid_model.errors import DatasetError, OutputError
from reid_model.files import check_outputs
from reid_model.terminal import Console, NumbersCommand
from reid_model.writing import make_folder, write_atomically

if TYPE_CHECKING:
    from reid_model.training.segmenter import MaskScores

__all__ = ["segment"]

segment = typer.Typer(
    help="Train person masks on photographs, or write the masks of crops.", no_args_is_help=True
)


@segment.command(cls=NumbersCommand)
def train(
    *,
    csv: Annotated[Path, typer.Option(help="Photographs: columns images and masks.")],
    out: Annotated[Path, typer.Option(help="The .safetensors file to write.")],
    init: Annotated[
        Path | None,
        typer.Option(help="Weights the encoder starts from; the package's masks' if not given."),
    ] = None,
    scratch: Annotated[
        bool, typer.Option("--scratch", help="Start the encoder at random.")
    ] = False,
    steps: Annotated[int, typer.Option(min=1, help="Optimiser steps.")] = 600,
    batch: Annotated[int, typer.Option(min=2, help="Crops per step.")] = 24,
    rate: Annotated[float, typer.Option(help="Highest learning rate.")] = 1e-3,
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 1,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace weights that are there already.")
    ] = False,
) -> None:
    """Train a U-Net on an EfficientNet-B0 encoder; the best weights on held-out photographs stay."""
    from reid_model.segmentation.network import default_segmenter  # noqa: PLC0415 - slow to load
    from reid_model.training.segmenter import SegmentRecipe, train_segmenter  # noqa: PLC0415

    if out.suffix != ".safetensors":
        raise OutputError(f"weights {out} are no .safetensors: name such a file with --out")
    if out.exists() and not overwrite:
        raise OutputError(f"{out} exists already: choose another --out, or --overwrite")
    check_outputs([out], [csv, *([] if init is None else [init])])
    if not os.access(make_folder(out.parent), os.W_OK | os.X_OK):
        raise OutputError(f"{out.parent} cannot be written: choose another --out")
    encoder = None if scratch else default_segmenter() if init is None else init
    recipe = SegmentRecipe(steps=steps, batch=batch, rate=rate, seed=seed)
    console = Console(stderr=True, highlight=False)
    with steps_bar(console, steps=steps) as advance:

        def report(step: int, loss: float, scores: MaskScores | None) -> None:
            held_out = "" if scores is None else f"  IoU {scores.iou:.3f}  Dice {scores.dice:.3f}"
            advance(step, f"loss {loss:.3f}{held_out}")

        best = train_segmenter(csv, out, recipe, encoder=encoder, report=report)
    console.print(
        f"IoU {best.iou:.3f}, Dice {best.dice:.3f} on {best.crops} crops of held-out photographs; "
        f"weights in {out}",
        soft_wrap=True,
    )


@segment.command()
def predict(
    *,
    data: Annotated[Path, typer.Option(help="Folder of crops, one person each.")],
    out: Annotated[Path, typer.Option(help="Folder for the masks, PNGs of the crops' names.")],
    weights: Annotated[
        Path | None, typer.Option(help="Mask weights; the package's own if not given.")
    ] = None,
    cut: Annotated[
        bool, typer.Option("--cut", help="Write crops without background instead of masks.")
    ] = False,
) -> None:
    """Write which pixels of each crop are the person."""
    import cv2  # noqa: PLC0415 - kept beside the slow imports
    import numpy as np  # noqa: PLC0415

    from reid_model.data.images import SUFFIXES, picture_files  # noqa: PLC0415
    from reid_model.data.pixels import read_crop  # noqa: PLC0415
    from reid_model.segmentation.masker import PersonMasker  # noqa: PLC0415

    if not data.is_dir():
        raise DatasetError(f"image folder {data} does not exist: check the path")
    paths = picture_files(data)
    if not paths:
        raise DatasetError(f"image folder {data} holds no images ({', '.join(sorted(SUFFIXES))})")
    if out.resolve() == data.resolve():
        raise OutputError(f"output {out} is the folder of the crops: choose another --out")
    targets = [out / f"{path.stem}.png" for path in paths]
    if twice := [path for path, count in Counter(targets).items() if count > 1]:
        raise OutputError(f"two crops would be written to {twice[0]}: give each its own name")
    if taken := [path for path in targets if path.exists()]:
        raise OutputError(f"{taken[0]} exists already: choose another --out")
    masker = PersonMasker(weights)
    make_folder(out)
    for path, target in zip(paths, targets, strict=True):
        crop = read_crop(path)
        picture = masker.masked([crop])[0] if cut else masker.masks([crop])[0] * np.uint8(255)
        write_atomically(target, cv2.imencode(".png", picture)[1].tobytes())
    Console(stderr=True, highlight=False).print(f"{len(paths)} masks in {out}", soft_wrap=True)
