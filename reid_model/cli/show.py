"""`reid-model show`: pictures of triplets, neighbours and training curves."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reid_model.cli.options import BackendOption, WeightsOption
from reid_model.errors import OutputError
from reid_model.files import check_replaceable
from reid_model.terminal import Console
from reid_model.writing import make_folder

__all__ = ["show"]

show = typer.Typer(
    help="Draw triplets, the closest images of queries, or training curves.",
    no_args_is_help=True,
)

OutOption = Annotated[Path, typer.Option(help="The PNG to write.")]
DataOption = Annotated[
    Path, typer.Option(help="Folder in Market-1501 naming, or a CSV of image,identity,camera.")
]
IdsOption = Annotated[
    Path | None, typer.Option(help="JSON list of the identities that count; all if not given.")
]


@show.command()
def triplets(
    *,
    csv: Annotated[Path, typer.Option(help="The triplets: columns Anchor, Negative, Positive.")],
    images: Annotated[Path, typer.Option(help="Folder of their images.")],
    out: OutOption,
    count: Annotated[int, typer.Option(min=1, max=50, help="Rows, drawn at random.")] = 5,
    seed: Annotated[int, typer.Option(min=0, help="Of the draw.")] = 0,
    weights: WeightsOption = None,
    backend: BackendOption = "auto",
) -> None:
    """Draw anchors with their positives and negatives, and the distances between them."""
    import numpy as np  # noqa: PLC0415 - kept beside the slow imports

    from reid_model.data.tuples import read_triplets  # noqa: PLC0415
    from reid_model.inference import load_embedder  # noqa: PLC0415
    from reid_model.pictures import draw_triplets  # noqa: PLC0415

    everything = read_triplets(csv, images)
    rows = np.random.default_rng(seed).permutation(len(everything))[:count]
    chosen = [everything[row] for row in sorted(rows)]
    _prepare(out)
    draw_triplets(chosen, load_embedder(weights, backend=backend), out)
    _tell(out)


@show.command()
def neighbours(
    *,
    data: DataOption,
    out: OutOption,
    ids: IdsOption = None,
    query: Annotated[
        Path | None, typer.Option(help="One image of the data; several at random if not given.")
    ] = None,
    count: Annotated[
        int | None, typer.Option(min=1, max=50, help="Queries, drawn at random; 6 if not given.")
    ] = None,
    closest: Annotated[int, typer.Option(min=1, max=30, help="Images per query.")] = 8,
    seed: Annotated[int | None, typer.Option(min=0, help="Of the draw; 0 if not given.")] = None,
    weights: WeightsOption = None,
    backend: BackendOption = "auto",
) -> None:
    """Draw queries with the closest images of other cameras and their distances."""
    from reid_model.data.images import read_images  # noqa: PLC0415 - kept beside the slow imports
    from reid_model.data.split import of_identities, read_identities  # noqa: PLC0415
    from reid_model.inference import load_embedder  # noqa: PLC0415
    from reid_model.pictures import draw_neighbours  # noqa: PLC0415

    if query is not None and (count is not None or seed is not None):
        raise OutputError(
            "--count and --seed are for queries at random, not for --query: leave them out"
        )
    images = read_images(data)
    if ids is not None:
        known = {image.identity for image in images}
        images = of_identities(images, read_identities(ids, known=known))
    _prepare(out)
    draw_neighbours(
        images,
        load_embedder(weights, backend=backend),
        out,
        queries=count or 6,
        closest=closest,
        seed=seed or 0,
        only=query,
    )
    _tell(out)


@show.command()
def curves(
    *,
    run: Annotated[Path, typer.Option(help="Folder of a training run.")],
    out: OutOption,
) -> None:
    """Draw the losses and the scores of a training run, also while it goes on."""
    from reid_model.training.curves import draw_curves  # noqa: PLC0415 - pandas loads slowly

    _prepare(out)
    draw_curves(run, out)
    _tell(out)


def _prepare(out: Path) -> None:
    """Check where the picture goes before anything is computed.

    Raises:
        OutputError: It is no PNG, or its folder cannot be made.
    """
    if out.suffix.lower() != ".png":
        raise OutputError(f"picture {out} is no .png: name one with --out")
    check_replaceable(out)
    make_folder(out.parent)


def _tell(out: Path) -> None:
    Console(stderr=True, highlight=False).print(f"written to {out}", soft_wrap=True)
