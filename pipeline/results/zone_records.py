"""What zones and lines counted, for the page, the API and metrics."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pipeline.layout.database import open_reader
from pipeline.layout.recording import REGISTRY
from pipeline.passages import ZoneCount, ZoneTotal, cameras_of
from pipeline.zone_settings import ZoneMap

__all__ = ["ZoneRecords"]

SUMS = (
    "SELECT name, sum(entries) AS entries, sum(exits) AS exits FROM zone_counts "
    "WHERE hour > ? GROUP BY name"
)
STAYS = "SELECT name, dwell_s FROM zone_stays WHERE hour > ?"


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

    def counts(self, *, since_s: float | None = None) -> list[ZoneCount]:
        """Return what was counted, by name.

        Args:
            since_s: From the hour on in which this is, seconds since the epoch; ``None`` = all
                that is kept, without how long people stayed: every stay is a row.
        """
        after = -1.0 if since_s is None else since_s - 3600
        stays = dict[str, list[float]]()
        with open_reader(self._path) as reader:
            sums = {row["name"]: row for row in reader.execute(SUMS, (after,))}
            for row in () if since_s is None else reader.execute(STAYS, (after,)):
                stays.setdefault(row["name"], []).append(row["dwell_s"])
        return [
            ZoneCount(
                name,
                name not in self._inside,
                cameras,
                inside=self._inside.get(name, 0),
                entries=sums[name]["entries"] if name in sums else 0,
                exits=sums[name]["exits"] if name in sums else 0,
                median_dwell_s=ZoneTotal(dwells_s=stays.get(name, [])).median_dwell_s,
            )
            for name, cameras in cameras_of(self.maps).items()
        ]
