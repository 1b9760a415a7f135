"""Zones and lines of a live run: who comes and goes, and counts that outlive a restart."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from pipeline.datatypes import Event, FrameResult, IntArray
from pipeline.layout.zones import write_zones
from pipeline.registry.store import Store
from pipeline.zone_settings import ZoneMap, told_outside
from pipeline.zones import ZoneCounter

__all__ = ["LiveZones"]

logger = logging.getLogger(__name__)

HOUR_S = 3600
COUNT = (
    "INSERT INTO zone_counts VALUES (?, ?, ?, ?) ON CONFLICT (name, hour) DO UPDATE SET "
    "entries = entries + excluded.entries, exits = exits + excluded.exits"
)
STAY = "INSERT INTO zone_stays VALUES (?, ?, ?)"


class LiveZones:
    """Follows who is in which zone; not safe for threads by itself.

    Args:
        store: Where counts rest.
        folder: Where what is drawn rests.
        maps: Zones and lines by camera, and of the floor.
        y_up: As for ``ZoneCounter``.
    """

    def __init__(
        self, store: Store, folder: Path, maps: Mapping[str, ZoneMap], *, y_up: bool = True
    ) -> None:
        self._store = store
        self._folder = folder
        self._maps = dict(maps)
        self._y_up = y_up
        self._counter = ZoneCounter(self._maps, y_up=y_up)
        self._forgotten: set[int] = set()
        self._sizes: dict[str, tuple[int, ...]] = {}

    @property
    def maps(self) -> Mapping[str, ZoneMap]:
        """Zones and lines by camera."""
        return self._maps

    def inside(self) -> Mapping[str, int]:
        """Return how many people are in each zone now."""
        return self._counter.inside()

    def forget(self, identity: int) -> None:
        """Tell nothing more of somebody; that they leave still counts."""
        self._forgotten.add(identity)

    def draw(self, camera: str, drawn: ZoneMap) -> None:
        """Have a camera's zones and lines be these from now on; who is inside counts anew.

        Raises:
            SinkError: They cannot be stored.
        """
        maps = {**self._maps, camera: drawn}
        write_zones(self._folder, maps)
        self._maps = maps
        self._counter = ZoneCounter(maps, y_up=self._y_up)
        self._sizes.pop(camera, None)

    def see(self, result: FrameResult, shown: IntArray) -> list[Event]:
        """Take in a frame and return what became sure by it, not numbered yet.

        Args:
            result: Of the core.
            shown: ``(N,)`` the identity that each of its tracks shows.
        """
        if not self._maps:
            return []
        self._check(result.frame.camera, result.frame.shape[:2])
        tracks = result.tracks
        passages = self._counter.see(
            result.frame.camera,
            result.frame.time_s,
            tracks.track_id.tolist(),
            shown.tolist(),
            tracks.xyxy,
            places=None if tracks.places is None else tracks.places.cells(),
        )
        for each in passages:
            hour = int(each.time_s // HOUR_S) * HOUR_S
            is_in = each.kind in {"entry", "line_in"}
            self._store.later((COUNT, (each.name, hour, int(is_in), int(not is_in))))
            if each.dwell_s is not None:
                self._store.later((STAY, (hour, each.name, each.dwell_s)))
        return [
            Event(
                each.time_s,
                each.kind,
                each.global_id,
                each.camera,
                each.track_id,
                zone=each.name,
                dwell_s=each.dwell_s,
            )
            for each in passages
            if each.global_id not in self._forgotten
        ]

    def _check(self, camera: str, shape: tuple[int, ...]) -> None:
        """Warn of what lies outside a camera's picture, once for each size of it."""
        if self._sizes.get(camera) == shape or camera not in self._maps:
            return
        self._sizes[camera] = shape
        height, width = shape
        for name in self._maps[camera].outside(width, height):
            logger.warning("%s", told_outside(camera, name, width, height))
