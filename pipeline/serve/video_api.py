"""Annotated video at the moment of a sighting."""

from __future__ import annotations

from pathlib import Path as File
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query
from fastapi.responses import FileResponse

from pipeline.serve.lookup import Lookup
from pipeline.serve.replies import Reply

__all__ = ["video_router"]

MP4: dict[int | str, dict[str, Any]] = {200: {"content": {"video/mp4": {}}}}
Time = Annotated[float, Query(ge=0, le=1e12)]
Camera = Annotated[str, Path(max_length=300)]


class Moment(Reply):
    """Where a video shows a moment."""

    at_s: float
    """Seconds from the start of the video."""


def video_router(lookup: Lookup) -> APIRouter:
    """Return the routes about recorded video.

    Args:
        lookup: Knows where video lies.
    """
    router = APIRouter(tags=["pictures"])

    @router.get("/videos/{camera}/moment")
    def moment(camera: Camera, time: Time) -> Moment:
        """Where the recorded video of a camera shows a moment; 404 where none does."""
        return Moment(at_s=found(camera, time)[1])

    @router.get("/videos/{camera}/video.mp4", responses=MP4)
    def video(camera: Camera, time: Time) -> FileResponse:
        """The recorded video of a camera that shows a moment."""
        return FileResponse(found(camera, time)[0], media_type="video/mp4")

    def found(camera: str, time_s: float) -> tuple[File, float]:
        video = lookup.video_at(camera, time_s)
        if video is None:
            raise HTTPException(404, "there is no finished video of that moment")
        return video

    return router
