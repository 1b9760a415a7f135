"""`reid-model describe`: how crops become the input of a network that others made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.table import Table

from reid_model.cli.options import check_json, parse_size, write_json
from reid_model.errors import RecipeError
from reid_model.files import MARK
from reid_model.terminal import Console, JsonOption

if TYPE_CHECKING:
    from reid_model.describing import Trial

__all__ = ["describe"]


def describe(
    model: Annotated[Path, typer.Argument(help="An .onnx file, an OpenVINO .xml or its folder.")],
    *,
    like: Annotated[
        Literal["torchreid", "boxmot", "fast-reid", "openvino-zoo"] | None,
        typer.Option(help="Where it was exported: sets colour, scale, mean and std."),
    ] = None,
    size: Annotated[
        str | None, typer.Option(help="HEIGHTxWIDTH of crops, where the file leaves it open.")
    ] = None,
    colour: Annotated[
        Literal["rgb", "bgr"] | None, typer.Option(help="Order of the channels.")
    ] = None,
    scale: Annotated[
        float | None, typer.Option(help="Pixel values are divided by this first: 255, or 1.")
    ] = None,
    mean: Annotated[
        str | None, typer.Option(help="Subtracted after that, such as 0.485,0.456,0.406.")
    ] = None,
    std: Annotated[str | None, typer.Option(help="Divides after that, such as 1,1,1.")] = None,
    output: Annotated[
        str | None, typer.Option(help="Name of the embedding, where there are several outputs.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="Crops to try it on: as for evaluate, or a folder of any people."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a description that is there already.")
    ] = False,
    json: JsonOption = None,
) -> None:
    """Note how a network of others is fed, in NAME.reid.yaml beside it, and try it.

    What the file says need not be given. Embeddings that are no numbers, zero, or the same for
    every picture are refused; with --data also a network that finds mirror images no more alike than
    other people, or that tells people apart better when it is fed in another usual way.
    """
    from reid_model.describing import describe as write_description  # noqa: PLC0415 - slow
    from reid_model.description import MAKERS  # noqa: PLC0415

    given: dict[str, Any] = dict(MAKERS[like]) if like is not None else {}
    if size is not None:
        given["input_height"], given["input_width"] = parse_size(size)
    said: dict[str, Any] = {"colour": colour, "scale": scale, "output": output}
    said |= {"mean": _numbers("mean", mean), "std": _numbers("std", std)}
    given |= {name: value for name, value in said.items() if value is not None}
    check_json(json, [model, *([] if data is None else [data])])
    trial = write_description(model, given=given, data=data, overwrite=overwrite)
    content = {
        "written_by": f"{MARK} describe",
        "sidecar": str(trial.sidecar),
        "description": trial.description.model_dump(mode="json"),
        "dim": trial.dim,
        "pictures": trial.pictures,
        "mirrored": trial.mirrored,
        "others": trial.others,
        "roc_auc": trial.roc_auc,
    }
    if write_json(json, content):
        Console(stderr=True).print(_table(trial))


def _numbers(name: str, text: str | None) -> tuple[float, ...] | None:
    if text is None:
        return None
    try:
        return tuple(float(each) for each in text.split(","))
    except ValueError:
        raise RecipeError(f"{name} {text!r}: expected three numbers, such as 0.5,0.5,0.5") from None


def _table(trial: Trial) -> Table:
    about = trial.description
    table = Table("", "", title=str(trial.sidecar), title_justify="left", show_header=False)
    table.add_row("input", f"{about.input_height} x {about.input_width}, {about.colour}")
    table.add_row("scale, mean, std", f"{about.scale:g}, {about.mean}, {about.std}")
    table.add_row("embedding", f"{trial.dim} numbers")
    if trial.mirrored is not None and trial.others is not None:
        table.add_row("crops", str(trial.pictures))
        table.add_row("cosine with the mirror image", f"{trial.mirrored:.3f}")
        table.add_row("cosine of two crops", f"{trial.others:.3f}")
    if trial.roc_auc is not None:
        table.add_row("ROC AUC, one person or two", f"{trial.roc_auc:.3f}")
    return table
