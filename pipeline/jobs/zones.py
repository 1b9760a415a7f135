"""Counting people in the zones and over the lines of finished work."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipeline.errors import SettingsError
from pipeline.foreign import MARK
from pipeline.passages import Passage, ZoneTotal, cameras_of, totals_of
from pipeline.results import open_results
from pipeline.results.zones import passages, zones_of
from pipeline.sources.camera_list import resolve_cameras, resolve_floor
from pipeline.zone_settings import FLOOR, ZoneMap, told_outside

log = logging.getLogger(__name__)

__all__ = ["count_zones", "passages_as_json"]


def count_zones(
    where: Path, cams: Sequence[str] = ()
) -> tuple[list[Passage], dict[str, ZoneTotal]]:
    """Return who came and went, and what each zone and line comes to, in order of their names.

    Args:
        where: Folder of finished work.
        cams: Camera lists whose zones and lines count instead of those of the work.

    Raises:
        InputError: The work or a list cannot be read, or there is no zone and no line.
    """
    results = open_results(where)
    maps = _listed(cams) if cams else zones_of(results)
    names = cameras_of(maps)
    if not names:
        raise SettingsError(
            f"{' '.join(cams) or where} has no zones and no lines: draw them on the page, or give a "
            "camera list with `zones` or `lines` by --cams"
        )
    known = {each.camera for each in results.summary().cameras}
    if strange := sorted(
        name for name in maps if name not in {*known, FLOOR} and cameras_of({name: maps[name]})
    ):
        log.warning(
            "zones of cameras that are not in %s count nobody: %s", where, ", ".join(strange)
        )
    for each in results.summary().cameras:
        shapes = maps.get(each.camera, ZoneMap())
        for name in _outside(shapes, [size for _, size in each.sizes]):
            log.warning("%s", told_outside(each.camera, name, *each.sizes[0][1]))
    found = passages(results, maps)
    return found, totals_of(names, found)


def _outside(shapes: ZoneMap, sizes: Sequence[tuple[int, int]]) -> list[str]:
    """Return what lies outside the picture at each of its sizes; nothing where none is known."""
    outside = [set(shapes.outside(*size)) for size in sizes]
    return sorted(set.intersection(*outside)) if outside else []


def _listed(cams: Sequence[str]) -> dict[str, ZoneMap]:
    maps: dict[str, ZoneMap] = {each.name: each for each in resolve_cameras(cams)}
    floor = resolve_floor(cams)
    return maps if floor is None else maps | {FLOOR: floor}


def passages_as_json(found: Sequence[Passage], totals: Mapping[str, ZoneTotal]) -> dict[str, Any]:
    """Return who came and went, and the totals, as JSON holds it."""
    return {
        "written_by": f"{MARK} zones",
        "totals": {
            name: {
                "entries": each.entries,
                "exits": each.exits,
                "median_dwell_s": each.median_dwell_s,
            }
            for name, each in totals.items()
        },
        "passages": [asdict(each) for each in found],
    }
