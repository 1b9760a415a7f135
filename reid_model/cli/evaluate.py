"""`reid-model evaluate`: scores of weights on images with known identities."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from reid_model.cli.options import BackendOption, DeviceOption, PrecisionOption, WeightsOption
from reid_model.data.images import read_images
from reid_model.data.split import of_identities, read_identities
from reid_model.errors import DatasetError
from reid_model.evaluation.protocol import camera_protocol
from reid_model.inference import load_embedder
from reid_model.writing import write_whole

if TYPE_CHECKING:
    from reid_model.evaluation.report import Evaluation

__all__ = ["evaluate"]


def evaluate(
    *,
    data: Annotated[
        Path,
        typer.Option(help="Folder in Market-1501 naming, or a CSV of image,identity,camera."),
    ],
    ids: Annotated[
        Path | None, typer.Option(help="JSON list of the identities that count; all if not given.")
    ] = None,
    query_camera: Annotated[
        str | None, typer.Option(help="Every image of this camera is a query ...")
    ] = None,
    gallery_camera: Annotated[
        str | None, typer.Option(help="... and all of this one are the gallery.")
    ] = None,
    weights: WeightsOption = None,
    rerank: Annotated[
        bool, typer.Option("--rerank", help="Re-rank by k-reciprocal neighbours.")
    ] = False,
    flip: Annotated[
        bool, typer.Option("--flip", help="Add the embedding of the mirrored image.")
    ] = False,
    mask: Annotated[
        bool, typer.Option("--mask", help="Take the background out of every image first.")
    ] = False,
    new_backgrounds: Annotated[
        bool,
        typer.Option(
            "--new-backgrounds", help="Put every person in front of another image's background."
        ),
    ] = False,
    mask_weights: Annotated[
        Path | None, typer.Option(help="Weights of the masks; the package's own if not given.")
    ] = None,
    backend: BackendOption = "auto",
    precision: PrecisionOption = "auto",
    device: DeviceOption = "cpu",
    json_path: Annotated[Path | None, typer.Option("--json", help="Write the scores here.")] = None,
    histogram: Annotated[
        Path | None, typer.Option(help="Draw the distances of pairs to this PNG.")
    ] = None,
) -> None:
    """Score weights: rank-1/5/10 and mAP, and same/different decisions.

    The first image of every identity in every camera is a query, all others are the gallery. A
    query's gallery excludes images of its identity by its camera. With --query-camera and
    --gallery-camera all images of one camera are searched for among all of the other.
    """
    from reid_model.evaluation.report import (  # noqa: PLC0415 - loads slowly
        draw_histogram,
        evaluate_images,
    )

    images = read_images(data)
    if ids is not None:
        known = {image.identity for image in images}
        images = of_identities(images, read_identities(ids, known=known))
    if (query_camera is None) != (gallery_camera is None):
        raise DatasetError("give --query-camera and --gallery-camera together, or neither")
    protocol = None
    if query_camera is not None and gallery_camera is not None:
        protocol = camera_protocol(images, query=query_camera, gallery=gallery_camera)
    embedder = load_embedder(weights, device=device, precision=precision, backend=backend)
    change = None
    if mask or new_backgrounds:
        from reid_model.segmentation.changes import BackgroundChange  # noqa: PLC0415

        change = BackgroundChange(images, mask=mask, replace=new_backgrounds, weights=mask_weights)
    result = evaluate_images(
        images, embedder, flip=flip, reranking=rerank, change=change, protocol=protocol
    )
    if json_path is not None:
        text = json.dumps(result.as_json(), indent=2) + "\n"
        write_whole(json_path, text.encode())
    if histogram is not None:
        draw_histogram(result, histogram)
    Console(stderr=True).print(_table(result))


def _table(result: Evaluation) -> Table:
    table = Table(title=result.embedder, title_justify="left")
    for heading in ("score", "value"):
        table.add_column(heading)
    rankings = {"": result.ranking}
    if result.reranked is not None:
        rankings[" re-ranked"] = result.reranked
    for suffix, scores in rankings.items():
        table.add_row(f"rank-1{suffix}", f"{scores.rank1:.3f}")
        table.add_row(f"rank-5{suffix}", f"{scores.rank5:.3f}")
        table.add_row(f"rank-10{suffix}", f"{scores.rank10:.3f}")
        table.add_row(f"mAP{suffix}", f"{scores.mean_average_precision:.3f}")
    decided = result.verification
    table.add_row("queries", str(result.ranking.queries))
    table.add_section()
    table.add_row("same/different accuracy", f"{decided.accuracy:.3f}")
    table.add_row("precision", f"{decided.precision:.3f}")
    table.add_row("recall", f"{decided.recall:.3f}")
    table.add_row("F1", f"{decided.f1:.3f}")
    table.add_row("ROC AUC", f"{decided.roc_auc:.3f}")
    table.add_row("at cosine similarity", f"{decided.threshold:.3f}")
    return table
