"""`reid-model evaluate`: scores of weights on images with known identities."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from reid_model.cli.options import (
    BackendOption,
    DeviceOption,
    PrecisionOption,
    check_json,
    write_json,
)
from reid_model.errors import DatasetError, OutputError
from reid_model.evaluation.sets import read_set
from reid_model.files import MARK, check_outputs, check_replaceable
from reid_model.inference import load_embedder
from reid_model.stored_weights import default_weights
from reid_model.terminal import Console, JsonOption

if TYPE_CHECKING:
    from reid_model.evaluation.report import Evaluation

__all__ = ["evaluate"]


def evaluate(
    *,
    data: Annotated[
        list[Path],
        typer.Option(
            help="Folder in Market-1501 naming, CSV of image,identity,camera, or YAML of a set "
            "(configs/sets/). Repeat it for a table."
        ),
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
    weights: Annotated[
        list[Path] | None,
        typer.Option(
            help="Checkpoint or model; the package's own if not given. Repeat it for a table."
        ),
    ] = None,
    rerank: Annotated[
        bool, typer.Option("--rerank", help="Re-rank by k-reciprocal neighbours.")
    ] = False,
    flip: Annotated[
        bool, typer.Option("--flip", help="Add the embedding of the mirrored image.")
    ] = False,
    centre: Annotated[
        bool,
        typer.Option("--centre", help="Score without every camera's mean embedding, too."),
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
    json_path: JsonOption = None,
    histogram: Annotated[
        Path | None, typer.Option(help="Draw the distances of pairs to this PNG.")
    ] = None,
) -> None:
    """Score weights: rank-1/5/10 and mAP, and same/different decisions.

    The first image of every identity in every camera is a query, all others are the gallery. A
    query's gallery excludes images of its identity by its camera. With --query-camera and
    --gallery-camera all images of one camera are searched for among all of the other. With several
    --data or --weights the scores of all stand side by side.
    """
    from reid_model.evaluation.report import draw_histogram, evaluate_images  # noqa: PLC0415 - slow

    inputs = [each for each in (*data, *(weights or []), ids, histogram) if each is not None]
    check_json(json_path, inputs)
    if histogram is not None:
        check_outputs([histogram], inputs[:-1])
        check_replaceable(histogram)
    sets = [
        read_set(each, ids=ids, query_camera=query_camera, gallery_camera=gallery_camera)
        for each in data
    ]
    if mask_weights is not None and not (mask or new_backgrounds):
        raise OutputError("--mask-weights belongs to --mask and --new-backgrounds: leave it out")
    is_single = len(sets) == 1 and len(weights or []) <= 1
    if histogram is not None and not is_single:
        raise OutputError("a histogram shows one network on one set: give one --data and --weights")
    names = [each.name for each in sets]
    if len(set(names)) < len(names):
        raise DatasetError(f"two sets have one name ({', '.join(names)}): name them in YAML files")
    results: list[tuple[str, str, Evaluation]] = []
    for path in weights or [default_weights()]:
        embedder = load_embedder(path, device=device, precision=precision, backend=backend)
        for each in sets:
            change = None
            if mask or new_backgrounds:
                from reid_model.segmentation.changes import BackgroundChange  # noqa: PLC0415

                change = BackgroundChange(
                    each.images, mask=mask, replace=new_backgrounds, weights=mask_weights
                )
            found = evaluate_images(
                each.images,
                embedder,
                flip=flip,
                reranking=rerank,
                centring=centre,
                change=change,
                protocol=each.protocol,
            )
            results.append((str(path), each.name, found))
    every = [{"data": name, "weights": path, **found.as_json()} for path, name, found in results]
    content = every[0] if is_single else {"results": every}
    is_shown = write_json(json_path, {"written_by": f"{MARK} evaluate"} | content)
    if histogram is not None:
        draw_histogram(results[0][2], histogram)
    if is_shown:
        Console(stderr=True).print(_table(results[0][2]) if is_single else _side_by_side(results))


def _side_by_side(results: list[tuple[str, str, Evaluation]]) -> Table:
    """Return a row for each network, and a column for each set."""
    sets = list(dict.fromkeys(name for _, name, _ in results))
    files = {path: Path(path).name for path, _, _ in results}
    is_unique = len(set(files.values())) == len(files)
    rows: dict[str, dict[str, str]] = {}
    for path, name, found in results:
        for change, scores in found.rankings.items():
            row = ", ".join(filter(None, (files[path] if is_unique else path, change)))
            shown = f"{scores.rank1:.3f} / {scores.mean_average_precision:.3f}"
            rows.setdefault(row, {})[name] = shown
    table = Table("rank-1 / mAP")
    table.columns[0].overflow = "fold"
    for name in sets:
        table.add_column(name)
    for row, cells in rows.items():
        table.add_row(row, *(cells.get(name, "") for name in sets))
    return table


def _table(result: Evaluation) -> Table:
    table = Table(title=result.embedder, title_justify="left")
    for heading in ("score", "value"):
        table.add_column(heading)
    for change, scores in result.rankings.items():
        suffix = f" {change}" if change else ""
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
