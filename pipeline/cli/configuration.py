"""`reid-pipeline config`: every setting there is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer
import yaml
from pydantic import BaseModel

from pipeline.settings import CameraSettings, Settings

__all__ = ["config"]

EXAMPLE_CAMERA = CameraSettings(name="entrance", source="videos/entrance.mp4")


def config() -> None:
    """Print a configuration file with every setting, its default and what it means.

    Write it to a file, keep what you change, and give it to `run --config`.
    """
    typer.echo("# All settings of reid-pipeline with their defaults; keep only what you change.")
    typer.echo("\ncameras:  # or give the videos with --cams")
    first, *rest = _lines(EXAMPLE_CAMERA)
    typer.echo("\n".join([f"  - {first}", *(f"    {line}" for line in rest)]))
    for name, field in Settings.model_fields.items():
        if isinstance(field.default, BaseModel):
            typer.echo("")
            typer.echo("\n".join(_section(name, field.default)))


def _section(name: str, section: BaseModel) -> list[str]:
    """Return a section with its settings, and the sections in it, each line indented."""
    lines = [f"{name}:  # {_first_line(type(section).__doc__)}"]
    lines += [f"  {line}" for line in _lines(section)]
    for inner, field in type(section).model_fields.items():
        if isinstance(field.default, BaseModel):
            lines += [f"  {line}" for line in _section(inner, field.default)]
    return lines


def _lines(section: BaseModel) -> list[str]:
    return [
        f"{name}: {_as_yaml(getattr(section, name))}  # {_first_line(field.description)}"
        for name, field in type(section).model_fields.items()
        if not isinstance(field.default, BaseModel)
    ]


def _as_yaml(value: Any) -> str:
    plain = str(value) if isinstance(value, Path) else value
    return yaml.safe_dump(plain, default_flow_style=True).splitlines()[0]


def _first_line(text: str | None) -> str:
    return " ".join((text or "").split("\n\n", maxsplit=1)[0].split())
