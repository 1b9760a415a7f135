"""The JSON API, its pictures and its streams."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Header, HTTPException, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from pipeline.datatypes import Event as ShownEvent
from pipeline.layout.edits import Edit as IdentityEdit
from pipeline.protocols import LiveView
from pipeline.serve.access import ANYBODY, TOKEN_HOLDER, Visitor
from pipeline.serve.condition import condition_of
from pipeline.serve.finished import Finished
from pipeline.serve.register import Register
from pipeline.serve.replies import (
    JPEG,
    Camera,
    Edit,
    Event,
    Merge,
    Name,
    Person,
    Sighting,
    Split,
    Status,
    jpeg,
    require_camera,
)
from pipeline.serve.streams import BOUNDARY, Streams

__all__ = ["RunFacts", "api_router"]

Clock = Callable[[], float]
Number = Annotated[int, Path(ge=1, lt=2**53)]
"""Numbers of people, sightings and edits; larger ones JavaScript could not tell apart."""
Limit = Annotated[int, Query(ge=1, le=2000)]


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What the page knows of itself.

    Attributes:
        needs_token: Whether people had to log in.
        now: Seconds since the epoch.
        finished: What is shown instead of a live run.
    """

    needs_token: bool
    now: Clock
    finished: Finished | None = None


def api_router(view: LiveView, register: Register, streams: Streams, run: RunFacts) -> APIRouter:
    """Return all routes below ``/api``.

    Args:
        view: The run.
        register: Where identities are stored.
        streams: Makes the answers that do not end.
        run: What the page knows of itself.
    """
    router = APIRouter(prefix="/api")
    router.include_router(_run_routes(view, register, run))
    router.include_router(_picture_routes(view, streams))
    router.include_router(_event_routes(register, streams))
    router.include_router(_people_routes(register))
    router.include_router(_edit_routes(view, register))
    return router


def _run_routes(view: LiveView, register: Register, run: RunFacts) -> APIRouter:
    router = APIRouter(tags=["run"])

    @router.get("/status")
    def status(request: Request) -> Status:
        """How the run and each of its cameras are doing."""
        past = run.finished
        condition = condition_of(view, trouble=register.trouble, is_live=past is None)
        return Status(
            name="" if past is None else past.name,
            is_live=past is None,
            first_s=None if past is None else past.first_s,
            has_dates=past is None or past.has_dates,
            now_s=run.now() if past is None else past.last_s,
            level=condition.level,
            reasons=condition.reasons,
            cameras=[Camera.model_validate(each) for each in view.health()],
            figures=dict(view.figures()),
            recording=str(view.recording()),
            newest_event=register.newest_event,
            needs_token=run.needs_token,
            user=request.state.visitor.name,
            role=request.state.visitor.role,
        )

    return router


def _picture_routes(view: LiveView, streams: Streams) -> APIRouter:
    router = APIRouter(prefix="/cameras/{camera}", tags=["pictures"])

    @router.get("/picture.jpg", responses=JPEG)
    def picture(camera: str, after: int = -1) -> Response:
        """The newest annotated picture; 204 where there is none newer than ``after``.

        The header `X-Picture-Number` holds its number.
        """
        require_camera(view, camera)
        newest = view.picture(camera)
        if newest is None or newest[0] == after:
            return Response(status_code=204)
        number, picture = newest
        return jpeg(picture, missing="", headers={"X-Picture-Number": str(number)})

    @router.get("/stream.mjpeg", responses={200: {"content": {"multipart/x-mixed-replace": {}}}})
    def stream(camera: str) -> StreamingResponse:
        """Annotated pictures as they come, for players that cannot ask for each."""
        require_camera(view, camera)
        streams.require_room()
        kind = f"multipart/x-mixed-replace; boundary={BOUNDARY}"
        return StreamingResponse(streams.pictures(camera), media_type=kind)

    return router


def _event_routes(register: Register, streams: Streams) -> APIRouter:
    router = APIRouter(prefix="/events", tags=["events"])

    @router.get("")
    def events(after: Annotated[int, Query(ge=0)] = 0, limit: Limit = 100) -> list[Event]:
        """The newest events with a number above ``after``, oldest first."""
        told = register.records.events(limit=limit, after=after, newest=True)
        return [Event.model_validate(each.as_json()) for each in told]

    @router.get("/stream", responses={200: {"content": {"text/event-stream": {}}}})
    def stream(
        last_event_id: Annotated[str | None, Header()] = None,
        after: Annotated[int | None, Query(ge=0)] = None,
    ) -> StreamingResponse:
        """Events as they happen, as server-sent events; a client that comes back misses none."""
        streams.require_room()
        start = register.newest_event if after is None else min(after, register.newest_event)
        if last_event_id is not None and last_event_id.isascii() and last_event_id.isdecimal():
            start = min(int(last_event_id), register.newest_event)
        return StreamingResponse(streams.events(start), media_type="text/event-stream")

    return router


def _people_routes(register: Register) -> APIRouter:
    router = APIRouter(tags=["people"])

    @router.get("/people")
    def people(
        search: Annotated[str, Query(max_length=200)] = "",
        before: float | None = None,
        limit: Limit = 60,
    ) -> list[Person]:
        """Identities, those seen last first; ``before`` turns pages, by ``last_s``."""
        found = register.records.people(limit=limit, search=search, seen_before_s=before)
        return [Person.model_validate(each) for each in found]

    @router.get("/people/{identity}")
    def person(identity: Number) -> Person:
        """One identity, by any number that it ever had."""
        return Person.model_validate(_require_person(register, identity))

    @router.get("/people/{identity}/sightings")
    def sightings_of(identity: Number, limit: Limit = 200) -> list[Sighting]:
        """Where and when an identity was seen, newest first."""
        _require_person(register, identity)
        found = register.records.sightings(identity=identity, limit=limit)
        return [Sighting.model_validate(each) for each in found]

    @router.get("/sightings")
    def sightings(since: float, until: float, limit: Limit = 1000) -> list[Sighting]:
        """All sightings that overlap a span of time, newest first."""
        found = register.records.sightings(since_s=since, until_s=until, limit=limit)
        return [Sighting.model_validate(each) for each in found]

    @router.get("/sightings/{sighting}/thumbnail.jpg", responses=JPEG)
    def thumbnail(sighting: Number) -> Response:
        """The best picture of a sighting."""
        found = register.records.thumbnail(sighting)
        return jpeg(found, missing="this sighting has no picture")

    return router


def _edit_routes(view: LiveView, register: Register) -> APIRouter:
    router = APIRouter(tags=["edits"])

    def told(event: ShownEvent) -> Event:
        view.say(event)
        return Event.model_validate(event.as_json())

    @router.get("/edits")
    def edits(limit: Limit = 100) -> list[Edit]:
        """Edits by hand, and merges of the matcher, newest first."""
        return [_edit(register, each) for each in register.records.edits(limit=limit)]

    @router.put("/people/{identity}/name")
    def rename(identity: Number, asked: Name, request: Request) -> Event:
        """Give an identity a name."""
        _require_person(register, identity)
        return told(register.rename(identity, asked.name, user=_user(request)))

    @router.post("/people/{identity}/merge")
    def merge(identity: Number, asked: Merge, request: Request) -> Event:
        """Say that another identity is the same person, who keeps this number."""
        _require_person(register, identity)
        _require_person(register, asked.other)
        return told(register.merge(identity, asked.other, user=_user(request)))

    @router.post("/people/{identity}/split")
    def split(identity: Number, asked: Split, request: Request) -> Event:
        """Say that some sightings are somebody else, who gets a new number."""
        _require_person(register, identity)
        return told(register.split(identity, asked.sightings, user=_user(request)))

    @router.post("/edits/{edit}/undo")
    def undo(edit: Number, request: Request) -> Event:
        """Take an edit back, whatever was edited since."""
        return told(register.undo(edit, user=_user(request)))

    return router


def _user(request: Request) -> str:
    """Return who asks, empty where nobody signed in."""
    visitor: Visitor = request.state.visitor
    return "" if visitor in {ANYBODY, TOKEN_HOLDER} else visitor.name


def _require_person(register: Register, identity: int) -> object:
    person = register.records.person(identity)
    if person is None:
        raise HTTPException(404, f"there is no identity {identity}")
    return person


def _edit(register: Register, edit: IdentityEdit) -> Edit:
    return Edit(
        edit=edit.number,
        time_s=edit.time_s,
        author=edit.author,
        user=edit.user,
        kind=edit.kind,
        identity=edit.identity,
        name=register.name(edit.identity),
        other=edit.other,
        new_name=edit.name,
        undone=edit.undone,
    )
