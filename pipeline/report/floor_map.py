"""The floor from above: what cameras see, where people went, and where they were longest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import ValidationError

from pipeline.colours import camera_colour
from pipeline.crops import encode_jpeg
from pipeline.errors import InputError
from pipeline.floor_settings import PlanSettings
from pipeline.foreign import read_picture
from pipeline.places import SLOT_S
from pipeline.report.lanes import css_colour
from pipeline.report.pictures import data_uri
from pipeline.results import Results
from pipeline.results.places import occupied, placed_boxes
from pipeline.results.zones import zones_of
from pipeline.zone_settings import FLOOR, ZoneMap

__all__ = ["FloorMap", "draw_map"]

Array = NDArray[np.float64]
MAX_PATHS = 60
"""People whose paths are drawn: those with most places."""
MAX_PAUSE_S = 3.0
"""Over a longer pause a path is not drawn on."""
WIDTH = 960.0
MAX_PLAN_PX = 1600
STEPS_M = (1, 2, 5, 10, 20, 50, 100)
EDGE_M = 1.0


class Shape(NamedTuple):
    """Something drawn: points as SVG has them, its colour, and what it is."""

    points: str
    colour: str
    hint: str


class Plan(NamedTuple):
    """A picture below all else."""

    x: float
    y: float
    width: float
    height: float
    uri: str


class Cell(NamedTuple):
    """A square in which somebody was."""

    x: float
    y: float
    share: float
    hint: str


@dataclass(frozen=True, slots=True)
class FloorMap:
    """A map in a field of ``width`` by ``height``.

    Attributes:
        width: Of the drawing.
        height: Of the drawing.
        step_m: Metres between two lines of the grid.
        lines: ``x1, y1, x2, y2`` of the grid's lines.
        labels: Where which metre is written.
        views: What each camera sees.
        names: Where the name of each camera is written.
        paths: Where people went.
        zones: Zones in metres.
        gates: Lines in metres.
        zone_names: Where the name of each of them is written.
        plan: A picture of the floor, ``None`` where there is none.
        cells: Where people were longest; ``share`` of the longest.
        side: Of a cell.
        left_out: People whose path is not drawn.
    """

    width: float
    height: float
    step_m: int
    lines: list[tuple[float, float, float, float]]
    labels: list[tuple[float, float, str]]
    views: list[Shape]
    names: list[Shape]
    paths: list[Shape]
    zones: list[Shape]
    gates: list[Shape]
    zone_names: list[Shape]
    plan: Plan | None
    cells: list[Cell]
    side: float
    left_out: int


def draw_map(results: Results) -> FloorMap | None:
    """Return the map of a run, an archive or a recording, ``None`` where no place is known."""
    record = results.summary().floor
    if record is None:  # no camera is calibrated: boxes, which are most of an archive, stay unread
        return None
    places = placed_boxes(results)
    if places.empty:
        return None
    views = {name: np.array(corners) for name, corners in record.views.items() if corners}
    xy = places[["x", "y"]].to_numpy()
    shapes = zones_of(results).get(FLOOR, ZoneMap())
    corners = [np.array(each) for each in [*shapes.zones.values(), *shapes.lines.values()]]
    seen = [_near(view, xy) for view in views.values()]
    frame = _Frame.around([xy, *seen, *corners], y_up=record.y_up)
    step = next((s for s in STEPS_M if frame.max_side_m / s <= 12), STEPS_M[-1])
    shown = places["global_id"].value_counts().index[:MAX_PATHS].tolist()
    cells, side = _cells(xy, frame)
    cameras = dict.fromkeys([*results.cameras(), *views])
    colours = {name: camera_colour(place) for place, name in enumerate(cameras)}
    return FloorMap(
        width=WIDTH,
        height=frame.height,
        step_m=step,
        lines=frame.grid(step),
        labels=frame.metres(step),
        views=[Shape(frame.points(_near(v, xy)), colours[name], name) for name, v in views.items()],
        # The second half of the corners is the near side, in front of the camera.
        names=[
            Shape(frame.points(v[len(v) // 2 :].mean(axis=0, keepdims=True)), colours[name], name)
            for name, v in views.items()
        ],
        paths=[path for number in shown for path in _paths(places, number, frame)],
        zones=[Shape(frame.points(np.array(c)), "", name) for name, c in shapes.zones.items()],
        gates=[Shape(frame.points(np.array(c)), "", name) for name, c in shapes.lines.items()],
        zone_names=[
            Shape(frame.points(np.array(c[:1])), "", name)
            for name, c in [*shapes.zones.items(), *shapes.lines.items()]
        ],
        plan=_plan(results, frame),
        cells=cells,
        side=side,
        left_out=places["global_id"].nunique() - len(shown),
    )


@dataclass(frozen=True, slots=True)
class _Frame:
    """Which part of the floor is drawn, and how large."""

    low: Array
    high: Array
    y_up: bool

    @classmethod
    def around(cls, parts: Sequence[Array], *, y_up: bool) -> _Frame:
        every = np.concatenate([part for part in parts if len(part)])
        return cls(every.min(axis=0) - EDGE_M, every.max(axis=0) + EDGE_M, y_up)

    @property
    def max_side_m(self) -> float:
        return float((self.high - self.low).max())

    @property
    def scale(self) -> float:
        return WIDTH / float(max(self.high[0] - self.low[0], (self.high[1] - self.low[1]) / 1.2))

    @property
    def height(self) -> float:
        return round(float(self.high[1] - self.low[1]) * self.scale, 1)

    def at(self, xy: Array) -> tuple[float, float]:
        """Return where a place is drawn."""
        x, y = (xy - self.low) * self.scale
        return round(float(x), 1), round(self.height - float(y) if self.y_up else float(y), 1)

    def points(self, places: Array) -> str:
        return " ".join(f"{x},{y}" for x, y in (self.at(place) for place in places))

    def grid(self, step: int) -> list[tuple[float, float, float, float]]:
        low, high = self.low, self.high
        upright = [(np.array([x, low[1]]), np.array([x, high[1]])) for x in self._ticks(0, step)]
        level = [(np.array([low[0], y]), np.array([high[0], y])) for y in self._ticks(1, step)]
        return [(*self.at(one), *self.at(two)) for one, two in [*upright, *level]]

    def metres(self, step: int) -> list[tuple[float, float, str]]:
        below = self.low if self.y_up else np.array([self.low[0], self.high[1]])
        x_labels = [(*self.at(np.array([x, below[1]])), f"{x:g} m") for x in self._ticks(0, step)]
        y_labels = [(*self.at(np.array([below[0], y])), f"{y:g} m") for y in self._ticks(1, step)]
        return [(x + 3, y - 4, text) for x, y, text in [*x_labels, *y_labels]]

    def _ticks(self, axis: int, step: int) -> list[float]:
        first = np.ceil(self.low[axis] / step) * step
        ticks: list[float] = np.arange(first, self.high[axis], step).tolist()
        return ticks


def _plan(results: Results, frame: _Frame) -> Plan | None:
    """Return the plan of the settings, ``None`` where it has none, or it is gone or damaged."""
    recorded = ((results.record.get("settings") or {}).get("floor") or {}).get("plan")
    try:
        plan = None if recorded is None else PlanSettings.model_validate(recorded)
        image = None if plan is None else read_picture(plan.image)
    except (InputError, ValidationError):
        return None
    if plan is None or image is None:
        return None
    extent = np.array(image.shape[1::-1]) * plan.m_per_pixel
    corner = np.array(plan.origin) * plan.m_per_pixel * [-1, 1 if frame.y_up else -1]
    width, height = (extent * frame.scale).round(1).tolist()
    return Plan(
        *frame.at(corner), width, height, data_uri(encode_jpeg(image), max_side=MAX_PLAN_PX)
    )


def _near(view: Array, places: Array) -> Array:
    """Return a view cut to what lies not much further out than people went."""
    low, high = places.min(axis=0), places.max(axis=0)
    reach = np.maximum((high - low) / 4, 3.0)
    return np.clip(view, low - reach, high + reach)


def _paths(places: pd.DataFrame, number: int, frame: _Frame) -> list[Shape]:
    """Return the parts of a person's path, cut where nobody saw them for long."""
    own = places[places["global_id"] == number]
    breaks = np.flatnonzero(np.diff(own["slot"]) * SLOT_S > MAX_PAUSE_S) + 1
    parts = np.split(own[["x", "y"]].to_numpy(), breaks)
    colour = css_colour(number)[0]
    return [
        Shape(frame.points(part), colour, f"person {number}") for part in parts if len(part) > 1
    ]


def _cells(xy: Array, frame: _Frame) -> tuple[list[Cell], float]:
    """Return the squares in which people were, and their side in the drawing."""
    side_m, corners, seconds = occupied(xy)
    cells = []
    for corner, own_s in zip(corners, seconds.tolist(), strict=True):
        x, y = frame.at(corner + np.array([0, side_m]) if frame.y_up else corner)
        # The root, so that a place to stand does not hide all ways to walk.
        share = round(float(np.sqrt(own_s / seconds.max())), 3)
        cells.append(Cell(x, y, share, f"{own_s:g} s"))
    return cells, round(side_m * frame.scale, 1)
