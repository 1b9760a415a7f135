"""`reid-model init`: a checkpoint to start from, with ImageNet's backbone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reid_model.cli.options import check_new_checkpoint, parse_size
from reid_model.terminal import Console

__all__ = ["init"]


def init(
    *,
    out: Annotated[Path, typer.Option(help="The checkpoint to write, a .safetensors file.")],
    backbone: Annotated[
        str, typer.Option(help="tf_efficientnet_lite0, _lite1 or _lite2.")
    ] = "tf_efficientnet_lite0",
    size: Annotated[str, typer.Option(help="HEIGHTxWIDTH of crops, pixels.")] = "256x128",
    dim: Annotated[int, typer.Option(min=8, max=4096, help="Length of an embedding.")] = 512,
    last_stride: Annotated[int, typer.Option(min=1, max=2)] = 2,
    instance_norm: Annotated[
        bool, typer.Option(help="Take out light and white balance of every crop.")
    ] = True,
) -> None:
    """Write a start for training from ImageNet weights that a package brings, offline."""
    from reid_model.architecture import Architecture  # noqa: PLC0415 - torch loads slowly
    from reid_model.imagenet import start_from_package  # noqa: PLC0415

    height, width = parse_size(size)
    check_new_checkpoint(out)
    architecture = Architecture(
        backbone=backbone,
        embedding_dim=dim,
        last_stride=last_stride,
        instance_norm=instance_norm,
        input_height=height,
        input_width=width,
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
    )
    source = start_from_package(architecture, out)
    Console(stderr=True).print(f"{out}: {backbone} from {source.name}")
