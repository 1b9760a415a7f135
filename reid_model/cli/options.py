"""Options that several commands share."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from reid_model.errors import OutputError, RecipeError
from reid_model.files import check_outputs, check_replaceable
from reid_model.terminal import STDOUT
from reid_model.writing import write_atomically

__all__ = [
    "BackendOption",
    "CpuOption",
    "DeviceOption",
    "FolderOption",
    "InitOption",
    "OverwriteOption",
    "PrecisionOption",
    "RecipeOption",
    "ResumeOption",
    "StepsOption",
    "WeightsOption",
    "check_json",
    "check_new_checkpoint",
    "parse_size",
    "write_json",
]

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

RecipeOption = Annotated[Path, typer.Option("--config", help="The recipe, a YAML file.")]
FolderOption = Annotated[
    Path | None,
    typer.Option("--out", help="Folder of the results; runs/NAME-OF-THE-RECIPE if not given."),
]
ResumeOption = Annotated[
    bool, typer.Option("--resume", help="Go on from the state in that folder.")
]
OverwriteOption = Annotated[
    bool, typer.Option("--overwrite", help="Replace a training that is in that folder.")
]
InitOption = Annotated[Path | None, typer.Option("--init", help="Weights to start from.")]
StepsOption = Annotated[int | None, typer.Option("--steps", min=1, help="Steps, not the recipe's.")]
CpuOption = Annotated[bool, typer.Option("--cpu", help="Stay on the CPU.")]


def check_json(path: Path | None, inputs: list[Path]) -> None:
    """Refuse a file for ``--json`` that is read by the same command, or that no command wrote.

    Raises:
        OutputError: Names the file.
    """
    if path is not None and path != STDOUT:
        check_outputs([path], inputs)
        check_replaceable(path)


def write_json(path: Path | None, content: dict[str, Any]) -> bool:
    """Write or print what ``--json`` asks for; return whether a table is wanted still."""
    if path is None:
        return True
    text = json.dumps(content, indent=2) + "\n"
    if path == STDOUT:
        sys.stdout.write(text)
        return False
    write_atomically(path, text.encode())
    return True


def check_new_checkpoint(out: Path) -> None:
    """Raise `OutputError` unless a path is free, and named so that it is read as a checkpoint."""
    if out.suffix.lower() != ".safetensors":
        raise OutputError(f"{out} is not named as a checkpoint: end it in .safetensors")
    if out.exists():
        raise OutputError(f"{out} exists already: choose another name or delete it")


def parse_size(size: str) -> tuple[int, int]:
    """Return ``(height, width)`` of ``256x128``.

    Raises:
        RecipeError: It is written otherwise.
    """
    height, _, width = size.partition("x")
    if not (height.isdecimal() and width.isdecimal()):
        raise RecipeError(f"size {size!r}: expected HEIGHTxWIDTH, such as 256x128")
    return int(height), int(width)
