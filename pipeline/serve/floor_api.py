"""Cameras and people on the floor in the API."""

from __future__ import annotations

import mimetypes
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Response
from fastapi.responses import FileResponse
from pydantic import Field

from pipeline.protocols import LiveView
from pipeline.serve.floor_desk import FloorDesk, FloorShape, Heat, PointsFit, Triple
from pipeline.serve.register import Register
from pipeline.serve.replies import JPEG, Ask, OfIdentity, jpeg, require_camera

__all__ = ["floor_router"]

PLAN: dict[int | str, dict[str, Any]] = {200: {"content": {"image/*": {}}}}
Since = Annotated[float, Query(allow_inf_nan=False)]
Number = Annotated[float, Field(allow_inf_nan=False, ge=-100_000, le=100_000)]
MAX_POINTS = 20_000
"""Of all paths in an answer; of more, every second or third is left out."""


class Path(OfIdentity):
    """Where an identity was."""

    points: list[Triple]
    """Time in seconds, x and y in metres, each half second in which it is known."""


class Asked(Ask):
    """Points of the floor in a camera's view."""

    camera: Annotated[str, Field(max_length=300)]
    points: Annotated[list[tuple[Number, Number, Number, Number]], Field(max_length=200)]
    """Pixel and place in metres of each."""


def floor_router(view: LiveView, register: Register, floor: FloorDesk) -> APIRouter:
    """Return the routes about the floor.

    Args:
        view: The run.
        register: Knows names.
        floor: Knows where cameras and people stand.
    """
    router = APIRouter(tags=["floor"])

    @router.get("/floor")
    def shape() -> FloorShape:
        """Where cameras stand, and what they see."""
        return floor.shape()

    @router.get("/floor/plan", responses=PLAN)
    def plan() -> FileResponse:
        """The picture of the floor; 404 where there is none."""
        image = floor.plan_image
        if image is None:
            raise HTTPException(404, "there is no plan of the floor")
        return FileResponse(image, media_type=mimetypes.guess_type(image.name)[0])

    @router.get("/floor/paths")
    def paths(
        since: Since, until: Since, limit: Annotated[int, Query(ge=1, le=200)] = 60
    ) -> list[Path]:
        """Where people were within a span of time: those with most places, by number."""
        found = floor.paths(since, until, limit=limit)
        step = 1 + sum(len(each.points) for each in found) // MAX_POINTS
        return [
            Path(
                identity=each.identity,
                name=register.name(each.identity),
                points=[list(point) for point in each.points[::step]],
            )
            for each in found
        ]

    @router.get("/floor/heat")
    def heat(since: Since, until: Since) -> Heat:
        """How long people were where within a span of time."""
        return floor.heat(since, until)

    @router.get("/cameras/{camera}/view.jpg", responses=JPEG)
    def picture(camera: str) -> Response:
        """A picture of a camera in its full size, to find points of the floor in."""
        require_camera(view, camera)
        return jpeg(floor.view(camera), missing=f"camera {camera} has no picture yet")

    @router.post("/floor/fit")
    def fit(asked: Asked) -> PointsFit:
        """How well points fit the view of a camera, as `floor fit` says; nothing is changed."""
        require_camera(view, asked.camera)
        return floor.fit(asked.camera, asked.points)

    @router.post("/floor/grid", responses=JPEG)
    def grid(asked: Asked) -> Response:
        """The view of a camera with the grid that points give drawn in."""
        require_camera(view, asked.camera)
        return jpeg(floor.grid(asked.camera, asked.points), missing="")

    return router
