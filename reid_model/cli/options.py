"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from reid_model.errors import RecipeError

__all__ = ["BackendOption", "DeviceOption", "PrecisionOption", "WeightsOption", "parse_size"]

WeightsOption = Annotated[
    Path | None,
    typer.Option("--weights", help="Checkpoint or exported model; the package's own if not given."),
]
BackendOption = Annotated[
    Literal["auto", "torch", "openvino", "onnx"], typer.Option("--backend", help="Runtime.")
]
PrecisionOption = Annotated[
    Literal["auto", "fp32", "fp16", "bf16", "int8"],
    typer.Option("--precision", help="Of the arithmetic."),
]
DeviceOption = Annotated[str, typer.Option("--device", help="As torch names it: cpu, cuda:0, mps.")]


def parse_size(size: str) -> tuple[int, int]:
    """Return ``(height, width)`` of ``256x128``.

    Raises:
        RecipeError: It is written otherwise.
    """
    height, _, width = size.partition("x")
    if not (height.isdecimal() and width.isdecimal()):
        raise RecipeError(f"size {size!r}: expected HEIGHTxWIDTH, such as 256x128")
    return int(height), int(width)
