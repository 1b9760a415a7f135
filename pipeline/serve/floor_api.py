"""Cameras and people on the floor in the API."""

from __future__ import annotations

import mimetypes
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field

from pipeline.protocols import LiveView
from pipeline.serve.floor_desk import FloorDesk
from pipeline.serve.register import Register
from pipeline.serve.replies import OfIdentity

__all__ = ["floor_router"]

JPEG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/jpeg": {}}}}
PLAN: dict[int | str, dict[str, Any]] = {200: {"content": {"image/*": {}}}}
Since = Annotated[float, Query(allow_inf_nan=False)]
Number = Annotated[float, Field(allow_inf_nan=False, ge=-100_000, le=100_000)]
Pair = Annotated[list[float], Field(min_length=2, max_length=2)]
Triple = Annotated[list[float], Field(min_length=3, max_length=3)]
MAX_POINTS = 20_000
"""Of all paths in an answer; of more, every second or third is left out."""


class _Reply(BaseModel):
    model_config = ConfigDict(from_attributes=True, use_attribute_docstrings=True)


class Plan(_Reply):
    """A picture of the floor from above, at `/api/floor/plan`."""

    size: tuple[int, int]
    m_per_pixel: float
    origin: tuple[float, float]
    """Pixel where `x_m` and `y_m` are 0."""


class Floor(_Reply):
    """Where cameras stand."""

    y_up: bool
    """Whether `y_m` goes up where `x_m` goes to the right, seen from above."""
    calibrated: list[str]
    views: dict[str, list[Pair]]
    """What each calibrated camera sees, corners in metres, the far side first."""
    plan: Plan | None


class Path(OfIdentity):
    """Where an identity was."""

    points: list[Triple]
    """Time in seconds, x and y in metres, each half second in which it is known."""


class Heat(_Reply):
    """How long people were where."""

    side_m: float
    cells: list[Triple]
    """Low corner of a square in metres, and seconds."""


class Asked(BaseModel):
    """Points of the floor in a camera's view."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    camera: Annotated[str, Field(max_length=300)]
    points: Annotated[list[tuple[Number, Number, Number, Number]], Field(max_length=200)]
    """Pixel and place in metres of each."""


class Fitted(_Reply):
    """How well points fit."""

    errors_cm: list[float]
    pixel_cm: list[float]
    """What a pixel covers at each point."""
    worst: int
    """Position of the point without which the others agree best."""
    has_lens: bool
    view: list[Pair]
    text: str
    """A camera list with these points."""


def floor_router(view: LiveView, register: Register, floor: FloorDesk) -> APIRouter:
    """Return the routes about the floor.

    Args:
        view: The run.
        register: Knows names.
        floor: Knows where cameras and people stand.
    """
    router = APIRouter(tags=["floor"])

    @router.get("/floor")
    def shape() -> Floor:
        """Where cameras stand, and what they see."""
        return Floor.model_validate(floor.shape())

    @router.get("/floor/plan", responses=PLAN)
    def plan() -> FileResponse:
        """The picture of the floor; 404 where there is none."""
        found = floor.shape().plan
        if found is None:
            raise HTTPException(404, "there is no plan of the floor")
        return FileResponse(found.image, media_type=mimetypes.guess_type(found.image.name)[0])

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
        return Heat.model_validate(floor.heat(since, until))

    @router.get("/cameras/{camera}/view.jpg", responses=JPEG)
    def picture(camera: str) -> Response:
        """A picture of a camera in its full size, to find points of the floor in."""
        require(camera)
        found = floor.view(camera)
        if found is None:
            raise HTTPException(404, f"camera {camera} has no picture yet")
        return Response(found, media_type="image/jpeg")

    @router.post("/floor/fit")
    def fit(asked: Asked) -> Fitted:
        """How well points fit the view of a camera, as `floor fit` says; nothing is changed."""
        require(asked.camera)
        return Fitted.model_validate(floor.fit(asked.camera, asked.points))

    @router.post("/floor/grid", responses=JPEG)
    def grid(asked: Asked) -> Response:
        """The view of a camera with the grid that points give drawn in."""
        require(asked.camera)
        return Response(floor.grid(asked.camera, asked.points), media_type="image/jpeg")

    def require(camera: str) -> None:
        if camera not in {each.camera for each in view.health()}:
            raise HTTPException(404, "there is no such camera")

    return router
