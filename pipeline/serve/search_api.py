"""Search in the API: where and when somebody was seen."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Body, HTTPException, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from pipeline.colours import identity_colour
from pipeline.datatypes import UNASSIGNED, FloatArray
from pipeline.serve.lookup import FoundSighting, Lookup, Narrowed

__all__ = ["search_router"]

JPEG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/jpeg": {}}}}
Picture = Annotated[bytes, Body(media_type="application/octet-stream")]
Count = Annotated[int, Field(ge=1, le=500)]
Time = Annotated[float, Field(ge=0, le=1e12)]
ArchiveName = Annotated[str, Field(max_length=300)]


class Search(BaseModel):
    """Who is looked for, and where."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    identity: Annotated[int, Field(ge=1, lt=2**53)]
    archive: ArchiveName = ""
    """Where that identity is known; empty is what this page shows."""
    archives: Annotated[list[ArchiveName], Field(max_length=100)] = []
    """Where to look; none = everywhere, and an empty name is what this page shows."""
    cameras: Annotated[list[ArchiveName], Field(max_length=1000)] = []
    since: Time | None = None
    """Only what ended no earlier, seconds since the epoch; runs have no dates."""
    until: Time | None = None
    count: Count = 50


class Found(BaseModel):
    """One sighting that looks like who was looked for."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    archive: str
    """Where; empty is what this page shows."""
    sighting: str
    similarity: float
    camera: str
    first_s: float
    last_s: float
    has_dates: bool
    """Whether times are since the epoch; those of runs count from their start."""
    identity: int | None
    name: str
    colour: str
    picture: str
    """Address of its picture."""


class Findings(BaseModel):
    """What was found, best first."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    found: list[Found]
    is_complete: bool
    """False while a long recording is still being read: ask again."""


def search_router(lookup: Lookup) -> APIRouter:
    """Return the routes below ``/search``.

    Args:
        lookup: Finds people.
    """
    router = APIRouter(prefix="/search", tags=["search"])

    def findings(vector: FloatArray, narrowed: Narrowed) -> Findings:
        found, is_complete = lookup.find(vector, narrowed)
        return Findings(found=[_reply(each) for each in found], is_complete=is_complete)

    @router.post("")
    def search(asked: Search) -> Findings:
        """Where and when an identity was seen, by its looks."""
        vector = lookup.vector_of(asked.archive, asked.identity)
        narrowed = Narrowed(asked.count, asked.archives, asked.cameras, asked.since, asked.until)
        return findings(vector, narrowed)

    @router.post("/picture")
    def search_picture(
        picture: Picture,
        *,
        since: Annotated[float | None, Query(ge=0, le=1e12)] = None,
        until: Annotated[float | None, Query(ge=0, le=1e12)] = None,
        count: Annotated[int, Query(ge=1, le=500)] = 50,
        archive: Annotated[list[str] | None, Query(max_length=100)] = None,
        camera: Annotated[list[str] | None, Query(max_length=1000)] = None,
    ) -> Findings:
        """Where and when the clearest person on a picture was seen (at most 10 MB)."""
        narrowed = Narrowed(count, archive or [], camera or [], since, until)
        return findings(lookup.person_on(picture).vector, narrowed)

    @router.get("/picture.jpg", responses=JPEG)
    def picture(
        archive: Annotated[str, Query(max_length=300)],
        sighting: Annotated[str, Query(max_length=1000)],
    ) -> Response:
        """The picture of what was found in an archive lately."""
        jpeg = lookup.found_picture(archive, sighting)
        if not jpeg:
            raise HTTPException(404, "there is no such picture: search again")
        return Response(jpeg, media_type="image/jpeg")

    return router


def _reply(found: FoundSighting) -> Found:
    is_number = not found.archive and found.sighting.isdecimal()
    query = urlencode({"archive": found.archive, "sighting": found.sighting})
    blue, green, red = identity_colour(found.identity or UNASSIGNED)
    return Found(
        archive=found.archive,
        sighting=found.sighting,
        similarity=round(found.similarity, 4),
        camera=found.camera,
        first_s=found.first_s,
        last_s=found.last_s,
        has_dates=found.has_dates,
        identity=found.identity,
        name=found.name,
        colour=f"#{red:02x}{green:02x}{blue:02x}",
        picture=f"/api/sightings/{found.sighting}/thumbnail.jpg"
        if is_number
        else f"/api/search/picture.jpg?{query}",
    )
