"""`reid-model export`: a model for ONNX Runtime or OpenVINO."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from reid_model.cli.options import WeightsOption
from reid_model.terminal import Console

__all__ = ["export"]


def export(
    *,
    out: Annotated[Path, typer.Option(help="Folder for the model.")],
    kind: Annotated[
        Literal["onnx", "openvino"], typer.Option("--format", help="For which runtime.")
    ],
    weights: WeightsOption = None,
    precision: Annotated[
        Literal["fp32", "fp16"],
        typer.Option(help="Of the stored weights; bf16 arithmetic is chosen where it runs."),
    ] = "fp32",
    data: Annotated[
        Path | None,
        typer.Option(help="Images to compare on, as for evaluate; patterns if not given."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a model that is there already.")
    ] = False,
) -> None:
    """Convert a checkpoint and check that the result computes the same."""
    from reid_model.data.images import read_images  # noqa: PLC0415
    from reid_model.data.pixels import read_crop  # noqa: PLC0415
    from reid_model.export import export as convert  # noqa: PLC0415
    from reid_model.stored_weights import default_weights  # noqa: PLC0415

    crops = None
    if data is not None:
        images = read_images(data)
        chosen = images[:: max(1, len(images) // 64)][:64]
        crops = [read_crop(image.path) for image in chosen]
    made = convert(
        default_weights() if weights is None else weights,
        out,
        kind=kind,
        precision=precision,
        crops=crops,
        overwrite=overwrite,
    )
    Console(stderr=True, highlight=False).print(
        f"{made.path}: {made.size_bytes / 1e6:.1f} MB; least cosine to PyTorch "
        f"{made.min_cosine:.6f} on {made.crops} crops",
        soft_wrap=True,
    )
