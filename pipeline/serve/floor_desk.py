"""The interface between the page and whoever knows where cameras and people stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Protocol

from pydantic import Field

from pipeline.serve.replies import Reply

__all__ = [
    "FloorDesk",
    "FloorPlan",
    "FloorPoint",
    "FloorShape",
    "Heat",
    "PersonPath",
    "PointsFit",
    "Triple",
]

Pair = Annotated[list[float], Field(min_length=2, max_length=2)]
Triple = Annotated[list[float], Field(min_length=3, max_length=3)]
FloorPoint = tuple[float, float, float, float]
"""``px, py, x_m, y_m``."""


class FloorPlan(Reply):
    """A picture of the floor from above, at `/api/floor/plan`."""

    size: tuple[int, int]
    """Width and height, pixels."""
    m_per_pixel: float
    origin: tuple[float, float]
    """Pixel where `x_m` and `y_m` are 0."""


class FloorShape(Reply):
    """Where cameras stand."""

    y_up: bool
    """Whether `y_m` goes up where `x_m` goes to the right, seen from above."""
    calibrated: list[str]
    views: dict[str, list[Pair]]
    """What each calibrated camera sees, corners in metres, the far side first."""
    plan: FloorPlan | None


@dataclass(frozen=True, slots=True)
class PersonPath:
    """Where an identity was.

    Attributes:
        identity: Its number.
        points: Time in seconds, ``x_m`` and ``y_m``, each half second in which it is known.
    """

    identity: int
    points: Sequence[tuple[float, float, float]]


class Heat(Reply):
    """How long people were where."""

    side_m: float
    cells: list[Triple]
    """Low corner of a square in metres, and seconds."""


class PointsFit(Reply):
    """How well points tell where a camera stands."""

    errors_cm: list[float]
    pixel_cm: list[float]
    """What a pixel covers at each point."""
    worst: int
    """Position of the point without which the others agree best."""
    has_lens: bool
    """Whether lens distortion is taken out."""
    view: list[Pair]
    """Corners in metres of what the camera sees."""
    text: str
    """A camera list with these points."""


class FloorDesk(Protocol):
    """Knows the floor; called from any thread."""

    @property
    def plan_image(self) -> Path | None:
        """The picture of the floor from above, if there is one."""

    def shape(self) -> FloorShape:
        """Return what does not move."""

    def paths(self, since_s: float, until_s: float, *, limit: int) -> list[PersonPath]:
        """Return where people were within a span of time, those with most places."""

    def heat(self, since_s: float, until_s: float) -> Heat:
        """Return how long people were where within a span of time."""

    def view(self, camera: str) -> bytes | None:
        """Return a picture of a camera in its full size as JPEG, ``None`` where there is none."""

    def fit(self, camera: str, points: Sequence[FloorPoint]) -> PointsFit:
        """Return how well points fit the view of a camera.

        Raises:
            InputError: They are too few or contradict each other, or there is no picture.
        """

    def grid(self, camera: str, points: Sequence[FloorPoint]) -> bytes:
        """Return the picture of ``view`` with the grid that points give drawn in, as JPEG.

        Raises:
            InputError: As ``fit``.
        """
