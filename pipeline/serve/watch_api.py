"""The watch list in the API: who is looked for, and alerts."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Response
from pydantic import Field

from pipeline.errors import EditError
from pipeline.person_picture import PersonPicture
from pipeline.serve.lookup import Lookup
from pipeline.serve.register import Register
from pipeline.serve.replies import JPEG, Ask, Reply, jpeg

__all__ = ["watch_router"]

Number = Annotated[int, Path(ge=1, lt=2**53)]
Name = Annotated[str, Field(max_length=200)]
Picture = Annotated[bytes, Body(media_type="application/octet-stream")]
NO_PICTURE = "there is no such picture"


class Watched(Reply):
    """Somebody who is looked for."""

    watched: int
    name: str
    is_of_folder: bool
    """Whether the folder of `--watch` has them; it enrols them anew at each start."""
    pictures: int
    alerts: int
    last_alert_s: float | None


class WatchList(Reply):
    """Everybody who is looked for."""

    threshold: float | None
    """The least similarity that is an alert now; null where the weights are not calibrated."""
    archives: list[str]
    """Finished work from which people can be enrolled."""
    people: list[Watched]


class Alert(Reply):
    """Somebody who is looked for was seen."""

    alert: int
    time_s: float
    watched: int
    name: str
    camera: str
    identity: int | None
    """Which identity that track shows now; null where it is not decided."""
    similarity: float
    is_match: bool | None
    """What the operator said; null while nobody did."""


class OfSighting(Ask):
    """Whom a sighting shows is to be looked for."""

    name: Name
    sighting: Annotated[int, Field(ge=1, lt=2**53)]


class OfArchive(Ask):
    """An identity of finished work is to be looked for."""

    name: Name
    archive: Annotated[str, Field(max_length=300)]
    identity: Annotated[int, Field(ge=1, lt=2**53)]


class Answer(Ask):
    """What the operator says of an alert."""

    is_match: bool


def watch_router(register: Register, lookup: Lookup) -> APIRouter:
    """Return the routes below ``/watch`` and ``/alerts``.

    Args:
        register: Where identities are stored.
        lookup: Reads pictures and archives.
    """
    router = APIRouter(tags=["watch list"])
    records = register.watched

    def enrolled(name: str, picture: PersonPicture) -> Watched:
        number = register.enrol(name, [picture])
        return next(each for each in people() if each.watched == number)

    def people() -> list[Watched]:
        return [Watched.model_validate(each) for each in records.people()]

    @router.get("/watch")
    def watch_list() -> WatchList:
        """Who is looked for, by name."""
        archives = list(lookup.archives)
        return WatchList(threshold=register.alert_threshold, archives=archives, people=people())

    @router.post("/watch/picture")
    def enrol_picture(name: Annotated[str, Query(max_length=200)], picture: Picture) -> Watched:
        """Look for the clearest person on a picture (JPEG, PNG, BMP, WebP; at most 10 MB)."""
        return enrolled(name, lookup.person_on(picture))

    @router.post("/watch/sighting")
    def enrol_sighting(asked: OfSighting) -> Watched:
        """Look for whom a sighting shows."""
        vector = records.vector(asked.sighting)
        picture = register.records.thumbnail(asked.sighting)
        if vector is None or picture is None:
            raise EditError(f"sighting {asked.sighting} has no picture that is good enough")
        return enrolled(asked.name, PersonPicture(picture, vector, asked.sighting))

    @router.post("/watch/identity")
    def enrol_identity(asked: OfArchive) -> Watched:
        """Look for an identity of a run, archive or recording that was named at the start."""
        return enrolled(asked.name, lookup.identity_of(asked.archive, asked.identity))

    @router.delete("/watch/{watched}")
    def remove(watched: Number) -> WatchList:
        """Look for somebody no more; their alerts go, too."""
        register.stop_watching(watched)
        return watch_list()

    @router.get("/watch/{watched}/picture.jpg", responses=JPEG)
    def watched_picture(watched: Number) -> Response:
        """The first picture of somebody who is looked for."""
        return jpeg(records.picture(watched), missing=NO_PICTURE)

    @router.get("/alerts")
    def alerts(
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        before: Annotated[int | None, Query(ge=1, lt=2**53)] = None,
    ) -> list[Alert]:
        """Alerts, newest first; ``before`` turns pages."""
        return [Alert.model_validate(each) for each in records.alerts(limit=limit, before=before)]

    @router.get("/alerts/{alert}/picture.jpg", responses=JPEG)
    def alert_picture(alert: Number) -> Response:
        """What was seen."""
        return jpeg(records.alert_picture(alert), missing=NO_PICTURE)

    @router.put("/alerts/{alert}/answer")
    def answer(alert: Number, asked: Answer) -> WatchList:
        """Say whether an alert was right; false alerts become rarer by it."""
        register.answer_alert(alert, is_match=asked.is_match)
        return watch_list()

    return router
