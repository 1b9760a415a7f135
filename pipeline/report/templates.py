"""Filling the pages: every text escaped, missing values an error, the style inside."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined

from pipeline.report.times import duration, moment

__all__ = ["fill"]


def fill(page: str, **content: Any) -> str:
    """Return a page of this folder with its content.

    Args:
        page: File name of the template.
        content: What it shows.
    """
    own = files("pipeline.report")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.lstrip_blocks = True
    environment.filters |= {"moment": moment, "duration": duration}
    template = environment.from_string(own.joinpath(page).read_text(encoding="utf-8"))
    return template.render(style=own.joinpath("page.css").read_text(encoding="utf-8"), **content)
