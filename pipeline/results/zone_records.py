"""What zones and lines counted, for the page, the API and metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.layout.database import open_reader
from pipeline.layout.recording import REGISTRY
from pipeline.zone_settings import ZoneMap

__all__ = ["ZoneCount", "ZoneRecords"]


@dataclass(frozen=True, slots=True)
class ZoneCount:
    """One zone or line.

    Attributes:
        name: What it is called.
        is_line: Whether it is a line.
        cameras: Where it is.
        inside: People in it now; 0 of a line.
        entries: Who came in, or crossed inwards.
        exits: Who went out, or crossed outwards.
        mean_dwell_s: How long somebody who left was inside, ``None`` where nobody left.
    """

    name: str
    is_line: bool
    cameras: tuple[str, ...]
    inside: int
    entries: int
    exits: int
    mean_dwell_s: float | None


class ZoneRecords:
    """Zones and lines at one moment.

    Args:
        folder: The recording; counts of the last second may be missing.
        maps: Zones and lines by camera.
        inside: How many people are in each zone.
    """

    def __init__(
        self, folder: Path, maps: Mapping[str, ZoneMap], inside: Mapping[str, int]
    ) -> None:
        self._path = folder / REGISTRY
        self.maps = maps
        self._inside = inside

    def counts(self, *, since_s: float = 0.0) -> list[ZoneCount]:
        """Return what was counted, by name.

        Args:
            since_s: From the hour on in which this is, seconds since the epoch.
        """
        cameras: dict[str, list[str]] = {}
        for camera, each in self.maps.items():
            for name in (*each.zones, *each.lines):
                cameras.setdefault(name, []).append(camera)
        with open_reader(self._path) as reader:
            rows = reader.execute(
                "SELECT name, sum(entries) AS entries, sum(exits) AS exits, sum(dwell_s) AS dwell_s "
                "FROM zone_hours WHERE hour > ? GROUP BY name",
                (since_s - 3600,),
            ).fetchall()
        sums = {row["name"]: row for row in rows}
        counts = []
        for name in sorted(cameras):
            row = sums.get(name)
            exits = 0 if row is None else int(row["exits"])
            is_line = name not in self._inside
            mean_s = None if row is None or is_line or not exits else row["dwell_s"] / exits
            entries = 0 if row is None else int(row["entries"])
            where = tuple(cameras[name])
            inside = self._inside.get(name, 0)
            counts.append(ZoneCount(name, is_line, where, inside, entries, exits, mean_s))
        return counts
