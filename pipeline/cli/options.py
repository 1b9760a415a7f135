"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "ConfidenceOption",
    "ConfigOption",
    "DetectorOption",
    "DeviceOption",
    "ThresholdOption",
    "TokenOption",
    "UsersOption",
    "WeightsOption",
]

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", help="Settings as YAML (see `config`); flags override them."),
]
DetectorOption = Annotated[
    str | None,
    typer.Option(
        "--detector",
        help="Person detector: built-in-s (larger), a YOLO name (yolo11n.pt), file or OpenVINO "
        "folder; none = built-in.",
        show_default=False,
    ),
]
ConfidenceOption = Annotated[
    float | None, typer.Option("--confidence", help="Minimum score of a detection, 0 to 1.")
]
WeightsOption = Annotated[
    Path | None,
    typer.Option("--weights", help="Re-identification weights instead of the package's own."),
]
ThresholdOption = Annotated[
    float | None,
    typer.Option(
        "--threshold", help="Minimum cosine similarity of tracklets of one identity, -1 to 1."
    ),
]
DeviceOption = Annotated[
    str | None, typer.Option("--device", help="auto, cpu, cuda, cuda:N or mps.")
]
TokenOption = Annotated[
    str | None,
    typer.Option(
        "--token",
        help="Access token of the page.",
        envvar="REID_PIPELINE_TOKEN",
        show_default=False,
    ),
]
UsersOption = Annotated[
    Path | None,
    typer.Option(
        "--users", help="File of those who sign in by name (see `users`).", show_default=False
    ),
]
