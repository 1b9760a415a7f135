"""Zones and lines in the API."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from pipeline.protocols import LiveView
from pipeline.serve.register import Register
from pipeline.serve.replies import Reply, require_camera
from pipeline.zone_settings import FLOOR, ZoneMap

__all__ = ["zones_router"]


class Zone(Reply):
    """What one zone or line counted."""

    name: str
    is_line: bool
    cameras: list[str]
    """Where it is in pixels; `the floor` of one in metres."""
    inside: int
    """People in it now; 0 of a line."""
    entries: int
    """Who came in, or crossed the line from its left to its right."""
    exits: int
    median_dwell_s: float | None
    """How long somebody who left was usually inside; null where nobody left."""


class Zones(Reply):
    """Zones and lines, and what they counted."""

    cameras: dict[str, ZoneMap]
    """In pixels."""
    floor: ZoneMap
    """In metres, counted in all cameras that are calibrated."""
    zones: list[Zone]


def zones_router(view: LiveView, register: Register) -> APIRouter:
    """Return the routes about zones and lines.

    Args:
        view: The run.
        register: Where people are counted.
    """
    router = APIRouter(tags=["zones"])

    @router.get("/zones")
    def zones(since: Annotated[float, Query(ge=0, le=1e12)] = 0.0) -> Zones:
        """Zones and lines, and counts from the hour of `since` on, seconds since the epoch."""
        records = register.zones
        counts = [Zone.model_validate(each) for each in records.counts(since_s=since)]
        maps = {
            camera: ZoneMap(zones=each.zones, lines=each.lines)
            for camera, each in records.maps.items()
        }
        floor = maps.pop(FLOOR, ZoneMap())
        return Zones(cameras=maps, floor=floor, zones=counts)

    @router.put("/cameras/{camera}/zones")
    def draw(camera: str, drawn: ZoneMap) -> Zones:
        """Have a camera's zones and lines be these from now on; who is inside counts anew."""
        require_camera(view, camera)
        register.draw_zones(camera, drawn)
        return zones()

    return router
