"""Search in the API: where and when somebody was seen."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Query, Response
from pydantic import Field

from pipeline.datatypes import FloatArray
from pipeline.serve.lookup import FoundSighting, Lookup, Narrowed
from pipeline.serve.replies import JPEG, Ask, Reply, jpeg

__all__ = ["search_router"]

Picture = Annotated[bytes, Body(media_type="application/octet-stream")]
Count = Annotated[int, Field(ge=1, le=500)]
Time = Annotated[float, Field(ge=0, le=1e12)]
ArchiveName = Annotated[str, Field(max_length=300)]


class Search(Ask):
    """Who is looked for, and where."""

    identity: Annotated[int, Field(ge=1, lt=2**53)]
    archive: ArchiveName = ""
    """Where that identity is known; empty is what this page shows."""
    archives: Annotated[tuple[ArchiveName, ...], Field(max_length=100)] = ()
    """Where to look; none = everywhere, and an empty name is what this page shows."""
    cameras: Annotated[tuple[ArchiveName, ...], Field(max_length=1000)] = ()
    since: Time | None = None
    """Only what ended no earlier, seconds since the epoch; runs have no dates."""
    until: Time | None = None
    count: Count = 50


class Findings(Reply):
    """What was found, best first."""

    found: list[FoundSighting]
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
        return Findings(found=found, is_complete=is_complete)

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
        found = lookup.found_picture(archive, sighting)
        return jpeg(found or None, missing="there is no such picture: search again")

    return router
