"""`reid-model adapt`: fit weights to other places without a training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reid_model.cli.options import check_new_checkpoint
from reid_model.terminal import Console

__all__ = ["adapt"]


def adapt(
    weights: Annotated[Path, typer.Argument(help="A checkpoint, such as a run's .safetensors.")],
    *,
    out: Annotated[Path, typer.Option(help="The checkpoint to write, a .safetensors file.")],
    crops: Annotated[
        list[Path] | None,
        typer.Option(
            help="Folder of crops of one place, nobody labelled; may be repeated. What places have "
            "in common is taken out, each counting alike."
        ),
    ] = None,
    people: Annotated[
        list[Path] | None,
        typer.Option(
            help="Crops with identities, as for train; may be repeated. What changes within a "
            "person counts less."
        ),
    ] = None,
    exponent: Annotated[
        float | None,
        typer.Option(
            min=1, max=20, help="Of the pooling: higher lets fewer places of a crop decide."
        ),
    ] = None,
    edge_weight: Annotated[
        float | None,
        typer.Option(
            min=0.1,
            max=10,
            help="Of the pooling: what a crop's edge counts, its inside 1. Part of what the edge "
            "sees is padding.",
        ),
    ] = None,
) -> None:
    """Change pooling and last layer of weights by what crops of other places show, without training.

    Embeddings cost as much as before. The weights need a new calibration, and all stored embeddings
    are to be made anew.
    """
    from reid_model.adapting import adapt as write_adapted  # noqa: PLC0415 - torch loads slowly

    check_new_checkpoint(out)
    found = write_adapted(
        weights,
        out,
        crops=crops or [],
        people=people or [],
        exponent=exponent,
        edge_weight=edge_weight,
    )
    Console(stderr=True, highlight=False, soft_wrap=True).print(
        f"{out}: centred on {found.crops} crops of {found.places} place(s); {found.persons} persons "
        f"with more than one crop; exponent {found.exponent:.2f}, edge weight {found.edge_weight:g}"
    )
