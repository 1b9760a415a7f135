"""Zones and lines of a camera: where people are counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, Field

from pipeline.settings_section import Section

__all__ = ["FLOOR", "Point", "Polygon", "ZoneMap", "told_outside"]

FLOOR = "the floor"
"""Stands for a camera where zones and lines are in metres; no camera can be called so."""

Coordinate = Annotated[float, Field(allow_inf_nan=False, ge=-100_000, le=100_000)]
Point = tuple[Coordinate, Coordinate]
Name = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]+$")]


def _is_area(polygon: list[Point]) -> list[Point]:
    (x, y), *others = polygon
    ways = [(each[0] - x, each[1] - y) for each in others]
    along = next((way for way in ways if any(way)), (0.0, 0.0))
    if all(along[0] * way[1] == along[1] * way[0] for way in ways):
        raise ValueError("its corners lie on one line, so nobody can be inside: draw an area")
    return polygon


def _has_length(line: list[Point]) -> list[Point]:
    if len(set(line)) < 2:
        raise ValueError("its points are one, so nobody can cross it: draw a line")
    return line


Polygon = Annotated[list[Point], Field(min_length=3, max_length=100), AfterValidator(_is_area)]
Line = Annotated[list[Point], Field(min_length=2, max_length=100), AfterValidator(_has_length)]


class ZoneMap(Section):
    """Zones and lines of one camera, or of the floor, by name.

    Zones of one name in several cameras are one zone, and so are lines.
    """

    zones: dict[Name, Polygon] = Field(default_factory=dict, max_length=50)
    """Polygons in pixels; somebody is inside whose feet, the bottom centre of the box, are."""
    lines: dict[Name, Line] = Field(default_factory=dict, max_length=50)
    """Lines through points in pixels; in is from the left to the right of it, looking along."""

    def outside(self, width: int, height: int) -> list[str]:
        """Return the names of what lies wholly outside a picture of this size, in pixels."""
        shapes = {**self.zones, **self.lines}
        return [name for name, points in shapes.items() if not _meets(points, width, height)]


def told_outside(camera: str, name: str, width: int, height: int) -> str:
    """Return what to tell of a zone, line or region that lies outside its camera's picture."""
    return (
        f"camera {camera}: {name} lies outside its picture of {width} x {height} pixels, so nobody "
        "counts there: give corners in pixels of that picture"
    )


def _meets(points: Sequence[Point], width: int, height: int) -> bool:
    # Its rectangle: a shape around a corner of the picture counts as inside.
    sides = zip(zip(*points, strict=True), (width, height), strict=True)
    return all(min(values) <= most and max(values) >= 0 for values, most in sides)
