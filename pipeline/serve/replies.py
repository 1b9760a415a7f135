"""What the API takes and gives, as its OpenAPI description states it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import HTTPException, Response
from pydantic import BaseModel, ConfigDict, Field, computed_field

from pipeline.colours import identity_colour
from pipeline.health import CameraState
from pipeline.protocols import LiveView
from pipeline.serve.condition import Level
from pipeline.serve.users import Role

__all__ = [
    "JPEG",
    "Ask",
    "Camera",
    "Edit",
    "Event",
    "Merge",
    "Name",
    "OfIdentity",
    "Person",
    "Reply",
    "Sighting",
    "Split",
    "Status",
    "hex_colour",
    "jpeg",
    "require_camera",
]

JPEG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/jpeg": {}}}}
"""What a route says of itself that answers with a picture."""


class Reply(BaseModel):
    """What the API gives."""

    model_config = ConfigDict(from_attributes=True, use_attribute_docstrings=True)


class Ask(BaseModel):
    """What the API takes."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


def jpeg(content: bytes | None, *, missing: str, headers: dict[str, str] | None = None) -> Response:
    """Return a picture as an answer, 404 with what is missing where there is none."""
    if content is None:
        raise HTTPException(404, missing)
    return Response(content, media_type="image/jpeg", headers=headers)


def require_camera(view: LiveView, camera: str) -> None:
    """Answer 404 unless there is such a camera."""
    if camera not in {each.camera for each in view.health()}:
        raise HTTPException(404, "there is no such camera")


def hex_colour(identity: int) -> str:
    """Return the colour of an identity's boxes, ``#rrggbb``."""
    blue, green, red = identity_colour(identity)
    return f"#{red:02x}{green:02x}{blue:02x}"


class Camera(Reply):
    """How a camera is doing. Rates are per second over the last ten seconds."""

    camera: str
    address: str
    state: CameraState
    reason: str
    since_s: float
    """When it got into that state, seconds since the epoch."""
    size: tuple[int, int] | None
    """Width and height of its picture, pixels."""
    received_fps: float
    processed_fps: float
    dropped_fps: float
    dropped: int
    latency_p50_s: float
    latency_p95_s: float
    corrupt: int
    reconnects: int
    stalls: int
    skew_s: float | None
    last_frame_s: float | None


class Status(Reply):
    """How the run is doing."""

    name: str
    """What finished work is called; empty of a live run."""
    is_live: bool
    first_s: float | None
    """When finished work begins; null of a live run."""
    has_dates: bool
    """Whether times are seconds since the epoch; those of a finished run count from its start."""
    now_s: float
    """The server's clock, seconds since the epoch; of finished work its end."""
    level: Level
    reasons: tuple[str, ...]
    """Why the level is not better."""
    cameras: list[Camera]
    figures: dict[str, float]
    recording: str
    """What is recorded; ``paused: ...`` with the reason where a disk is full."""
    newest_event: int
    needs_token: bool
    user: str
    """Who asks: `local` where nobody is asked, `token` with the one token."""
    role: Role


class OfIdentity(Reply):
    """What is about an identity."""

    identity: int
    name: str
    """Empty if it has no name."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def colour(self) -> str:
        """The colour of its boxes, ``#rrggbb``."""
        return hex_colour(self.identity)


class _Placed(OfIdentity):
    x_m: float | None
    """Last place on the floor, metres; null where it is not known."""
    y_m: float | None
    uncertainty_m: float | None
    """Deviation of that place, metres, along the direction that is known least."""
    speed_m_s: float | None
    """Median speed of the last track."""


class Person(_Placed):
    """An identity and where it was."""

    first_s: float
    last_s: float
    sightings: int
    cameras: tuple[str, ...]
    last_camera: str
    portrait: int
    """The sighting with the best thumbnail."""
    merged: tuple[int, ...]
    """Other numbers that it also had."""


class Sighting(_Placed):
    """One track of an identity in one camera."""

    sighting: int
    camera: str
    first_s: float
    last_s: float
    frames: int
    by_hand: bool
    """Whether somebody said by hand whose it is."""


class Event(Reply):
    """A change of identities; `pipeline.datatypes.Event` says what the fields are."""

    event: int
    time: float
    kind: str
    global_id: int
    name: str
    other_id: int | None
    other_name: str
    camera: str | None
    from_camera: str | None
    track_id: int | None
    author: str
    user: str | None
    """Who did it by hand; null where nobody signed in."""
    edit: int | None
    watched: str | None
    similarity: float | None
    zone: str | None
    dwell_s: float | None
    x_m: float | None
    y_m: float | None
    uncertainty_m: float | None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def colour(self) -> str:
        """The colour of its boxes, ``#rrggbb``."""
        return hex_colour(self.global_id)


class Edit(OfIdentity):
    """An edit of identities, by hand or by the matcher."""

    edit: int
    time_s: float
    author: str
    user: str
    """Who made it by hand; empty where nobody signed in."""
    kind: str
    other: int | None
    new_name: str
    """What a rename named it; empty took the name away."""
    undone: bool


class Name(Ask):
    """The name that an identity is to have."""

    name: Annotated[str, Field(max_length=200)]
    """Empty takes the name away."""


class Merge(Ask):
    """Who is the same person."""

    other: Annotated[int, Field(ge=1, lt=2**53)]
    """This identity goes into the one of the address."""


class Split(Ask):
    """Which sightings are somebody else."""

    sightings: Annotated[list[Annotated[int, Field(ge=1, lt=2**53)]], Field(max_length=10_000)]
