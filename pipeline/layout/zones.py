"""Zones and lines that were drawn on the page: ``zones.json`` beside what they count."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.errors import ResultsError
from pipeline.layout.files import as_json, write_private
from pipeline.zone_settings import FLOOR, ZoneMap

__all__ = ["ZONES_FILE", "read_zones", "write_zones"]

ZONES_FILE = "zones.json"
DAMAGE = OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError


def read_zones(folder: Path, recorded: Mapping[str, Any]) -> dict[str, ZoneMap]:
    """Return zones and lines by camera, or ``FLOOR``: those drawn, else those of the recorded list.

    Args:
        folder: Of a run, an archive or a recording.
        recorded: Its record, or settings, with a list of cameras; empty where there is none.

    Raises:
        ResultsError: What is recorded is damaged.
    """
    path = folder / ZONES_FILE
    try:
        found = {
            str(camera["name"]): {name: camera.get(name) or {} for name in ("zones", "lines")}
            for camera in (recorded.get("settings") or {}).get("cameras") or ()
        }
        recorded_floor = (recorded.get("settings") or {}).get("floor") or {}
        found[FLOOR] = {name: recorded_floor.get(name) or {} for name in ("zones", "lines")}
        if path.is_file():
            found |= json.loads(path.read_bytes())
        maps = {camera: ZoneMap.model_validate(each) for camera, each in found.items()}
    except DAMAGE as error:
        problem = " ".join(str(error).split())[:100]
        raise ResultsError(f"zones of {folder} are damaged ({problem}): remove {path}") from None
    return {camera: each for camera, each in maps.items() if each.zones or each.lines}


def write_zones(folder: Path, maps: Mapping[str, ZoneMap]) -> None:
    """Write what was drawn; an empty map says that a camera has nothing, whatever its list says.

    Raises:
        SinkError: It cannot be written.
    """
    drawn = {
        camera: each.model_dump(include={"zones", "lines"})
        for camera, each in maps.items()
        if camera != FLOOR  # drawn on pictures alone
    }
    write_private(folder / ZONES_FILE, as_json(drawn))
