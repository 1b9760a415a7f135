"""People in zones and over lines, counted in finished work with the identities of now."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from pipeline.datatypes import FloatArray
from pipeline.layout.zones import read_zones
from pipeline.passages import Passage
from pipeline.places import PLACE_COLUMNS
from pipeline.polygons import Floats
from pipeline.results.base import Results
from pipeline.results.visits import seconds
from pipeline.zone_settings import FLOOR, ZoneMap
from pipeline.zones import ZoneCounter

__all__ = ["passages", "zones_of"]


@dataclass(frozen=True, slots=True, order=True)
class _When:
    time_s: float
    camera: str


def zones_of(results: Results) -> dict[str, ZoneMap]:
    """Return zones and lines by camera: those drawn on the page, else those of its settings.

    Raises:
        ResultsError: They are damaged.
    """
    return read_zones(results.path, results.record)


def passages(results: Results, maps: Mapping[str, ZoneMap]) -> list[Passage]:
    """Return everything that happened in zones and at lines, oldest first.

    A part of each camera is in memory at a time.

    Args:
        results: Finished work.
        maps: Zones and lines by camera.

    Raises:
        ResultsError: A table is missing or damaged.
    """
    floor = results.summary().floor
    counter = ZoneCounter(maps, y_up=floor is None or floor.y_up)
    found = list[Passage]()
    cameras = results.cameras() if FLOOR in maps else maps
    frames = heapq.merge(*(_frames(results, each) for each in cameras), key=lambda each: each[0])
    for when, tracks, people, boxes, places in frames:
        found += counter.see(when.camera, when.time_s, tracks, people, boxes, places=places)
    found += counter.finish()
    return sorted(found, key=lambda each: each.time_s)


def _frames(
    results: Results, camera: str
) -> Iterator[tuple[_When, list[int], list[int], FloatArray, Floats | None]]:
    for part in results.sequences(camera):
        boxes = part.boxes
        times = seconds(boxes["time"])
        corners = boxes[["x", "y", "w", "h"]].to_numpy(np.float32)
        corners[:, 2:] += corners[:, :2]
        tracks, people = boxes["track_id"].to_numpy(), boxes["global_id"].to_numpy()
        names = list(PLACE_COLUMNS)
        placed = boxes[names].to_numpy(np.float64) if set(names) <= set(boxes) else None
        order = np.argsort(times, kind="stable")
        starts = np.flatnonzero(np.diff(times[order], prepend=-np.inf))
        for rows in np.split(order, starts[1:]) if len(order) else ():
            when = _When(float(times[rows[0]]), camera)
            where = None if placed is None else placed[rows]
            yield when, tracks[rows].tolist(), people[rows].tolist(), corners[rows], where
