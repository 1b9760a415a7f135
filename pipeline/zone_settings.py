"""Zones and lines of a camera: where people are counted."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pipeline.settings_section import Section

__all__ = ["FLOOR", "Point", "ZoneMap"]

FLOOR = "the floor"
"""Stands for a camera where zones and lines are in metres; no camera can be called so."""

Coordinate = Annotated[float, Field(allow_inf_nan=False, ge=-100_000, le=100_000)]
Point = tuple[Coordinate, Coordinate]
Name = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]+$")]


class ZoneMap(Section):
    """Zones and lines of one camera, or of the floor, by name.

    Zones of one name in several cameras are one zone, and so are lines.
    """

    zones: dict[Name, Annotated[list[Point], Field(min_length=3, max_length=100)]] = Field(
        default_factory=dict, max_length=50
    )
    """Polygons in pixels; somebody is inside whose feet, the bottom centre of the box, are."""
    lines: dict[Name, Annotated[list[Point], Field(min_length=2, max_length=100)]] = Field(
        default_factory=dict, max_length=50
    )
    """Lines through points in pixels; in is from the left to the right of it, looking along."""
