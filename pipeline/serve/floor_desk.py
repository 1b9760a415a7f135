"""The interface between the page and whoever knows where cameras and people stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

__all__ = ["FloorDesk", "FloorPlan", "FloorPoint", "FloorShape", "Heat", "PersonPath", "PointsFit"]

FloorPoint = tuple[float, float, float, float]
"""``px, py, x_m, y_m``."""


@dataclass(frozen=True, slots=True)
class FloorPlan:
    """A picture of the floor from above.

    Attributes:
        image: Its file.
        size: Width and height, pixels.
        m_per_pixel: Metres that a pixel covers.
        origin: Pixel where ``x_m`` and ``y_m`` are 0.
    """

    image: Path
    size: tuple[int, int]
    m_per_pixel: float
    origin: tuple[float, float]


@dataclass(frozen=True, slots=True)
class FloorShape:
    """What does not move.

    Attributes:
        y_up: Whether ``y_m`` goes up where ``x_m`` goes to the right, seen from above.
        calibrated: Cameras that are calibrated.
        views: Corners in metres of what each of them sees, far side first; where that is known.
        plan: A picture of the floor, if there is one.
    """

    y_up: bool
    calibrated: Sequence[str]
    views: Mapping[str, Sequence[tuple[float, float]]]
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


@dataclass(frozen=True, slots=True)
class Heat:
    """How long people were where.

    Attributes:
        side_m: Side of a square.
        cells: Low corner of a square in metres, and seconds.
    """

    side_m: float
    cells: Sequence[tuple[float, float, float]]


@dataclass(frozen=True, slots=True)
class PointsFit:
    """How well points tell where a camera stands.

    Attributes:
        errors_cm: Of each point.
        pixel_cm: What a pixel covers at each point.
        worst: Position of the point without which the others agree best.
        has_lens: Whether lens distortion is taken out.
        view: Corners in metres of what the camera sees.
        text: A camera list with these points.
    """

    errors_cm: Sequence[float]
    pixel_cm: Sequence[float]
    worst: int
    has_lens: bool
    view: Sequence[tuple[float, float]]
    text: str


class FloorDesk(Protocol):
    """Knows the floor; called from any thread."""

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
