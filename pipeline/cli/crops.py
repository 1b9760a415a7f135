"""`reid-pipeline crops`: cut people out of videos and photographs, to train on them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, TextColumn

from pipeline.cli.terminal import Console
from pipeline.jobs.crops import CropCounts, cut_crops
from pipeline.settings import DetectSettings

__all__ = ["crops"]


def crops(
    sources: Annotated[list[Path], typer.Argument(help="Videos, photographs, or folders of them.")],
    *,
    out: Annotated[Path, typer.Option(help="Folder to make; it must not hold anything yet.")],
    places: Annotated[
        Path | None, typer.Option(help="Folder for backgrounds that are cut at random.")
    ] = None,
    detector: Annotated[
        str | None, typer.Option(help="Detector instead of the built-in one.")
    ] = None,
    confidence: Annotated[float, typer.Option(min=0, max=1, help="Minimum score of a box.")] = 0.35,
    every: Annotated[
        float, typer.Option(min=0.01, help="Seconds of video between two frames.")
    ] = 1.0,
    min_height: Annotated[int, typer.Option(min=16, help="Minimum height of a box, pixels.")] = 60,
    tiles: Annotated[
        bool, typer.Option("--tiles", help="Look at quarters of each picture, for small people.")
    ] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 ...")] = "auto",
) -> None:
    """Cut people out of videos and photographs: crops without names, to learn from."""
    console = Console(stderr=True)
    with Progress(TextColumn("{task.description}"), console=console) as bar:
        task = bar.add_task("looking", visible=False)

        def show(now: CropCounts) -> None:
            said = f"{now.pictures} pictures, {now.crops} crops"
            bar.update(task, visible=True, description=said)

        done = cut_crops(
            sources,
            out,
            detect=DetectSettings(weights=detector, confidence=confidence),
            every_s=every,
            min_height_px=min_height,
            tiles=tiles,
            places=places,
            device=device,
            on_picture=show,
        )
    backgrounds = f", {done.places} backgrounds in {places}" if places is not None else ""
    Console().print(
        f"{done.crops} crops of {done.pictures} pictures in {out}{backgrounds}",
        highlight=False,
        markup=False,
    )
