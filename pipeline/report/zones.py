"""Zones and lines in a report: totals, and how many people were inside over time."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.passages import ZoneTotal, cameras_of, totals_of
from pipeline.report.lanes import Axis
from pipeline.report.movement import Curve, presence_curve
from pipeline.results import Results
from pipeline.results.visits import Visit
from pipeline.results.zones import passages, zones_of

__all__ = ["ZoneRow", "zone_rows"]


@dataclass(frozen=True, slots=True)
class ZoneRow:
    """One zone or line.

    Attributes:
        name: What it is called.
        cameras: Where it is.
        total: Who came and went.
        curve: People inside over time; ``None`` for a line.
    """

    name: str
    cameras: tuple[str, ...]
    total: ZoneTotal
    curve: Curve | None


def zone_rows(results: Results, axis: Axis) -> list[ZoneRow]:
    """Return what every zone and line comes to, in order of their names; none where there are none."""
    maps = zones_of(results)
    if not maps:
        return []
    cameras = cameras_of(maps)
    zones = {name for each in maps.values() for name in each.zones}
    found = passages(results, maps)
    totals = totals_of(cameras, found)
    stays: dict[str, list[Visit]] = {name: [] for name in cameras}
    for number, passage in enumerate(found):
        if passage.dwell_s is not None:
            begin_s = passage.time_s - passage.dwell_s
            stays[passage.name].append(Visit(number, passage.name, begin_s, passage.time_s))
    return [
        ZoneRow(
            name,
            cameras[name],
            totals[name],
            presence_curve(stays[name], axis.first_s, axis.last_s) if name in zones else None,
        )
        for name in cameras
    ]
