"""Hand-overs between cameras, as a matrix and as a diagram of arrows in a ring."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from pipeline.report.movement import HandOver
from pipeline.report.times import duration

__all__ = [
    "Arrow",
    "Cell",
    "Node",
    "Ring",
    "Way",
    "draw_ring",
    "matrix",
    "shortened",
    "took",
    "ways",
]

WIDTH, HEIGHT = 760.0, 430.0
RADIUS_X, RADIUS_Y = 185.0, 155.0
"""Of the ring; beside it is room for the names."""
NODE_RADIUS = 12.0
BEND = 0.2
"""How far an arrow swings out, in lengths of the way, so that there and back lie apart."""
LABEL_CHARACTERS = 16


@dataclass(frozen=True, slots=True)
class Way:
    """All hand-overs from one camera to another.

    Attributes:
        origin: From.
        target: To.
        travels_s: How long each took, ascending; negative where both saw the person at once.
    """

    origin: str
    target: str
    travels_s: list[float]

    @property
    def count(self) -> int:
        """How many there were."""
        return len(self.travels_s)

    @property
    def median_s(self) -> float:
        """How long it usually took."""
        return float(median(self.travels_s))


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the matrix; ``share`` of the largest count, 0 to 1, is how dark it is."""

    count: int
    share: float
    took: str
    hint: str


@dataclass(frozen=True, slots=True)
class Node:
    """A camera in the ring, and where its name goes."""

    name: str
    label: str
    x: float
    y: float
    text_x: float
    text_y: float
    anchor: str


@dataclass(frozen=True, slots=True)
class Arrow:
    """A way in the ring: an SVG path, and where its count goes."""

    path: str
    stroke: float
    count: int
    x: float
    y: float
    hint: str


@dataclass(frozen=True, slots=True)
class Ring:
    """The whole diagram, ``WIDTH`` by ``HEIGHT``."""

    width: float
    height: float
    nodes: list[Node]
    arrows: list[Arrow]


def ways(moves: Sequence[HandOver]) -> list[Way]:
    """Group hand-overs by where from and where to, the most frequent first."""
    grouped: dict[tuple[str, str], list[float]] = {}
    for move in moves:
        grouped.setdefault((move.origin, move.target), []).append(move.travel_s)
    found = [Way(a, b, sorted(travels)) for (a, b), travels in grouped.items()]
    return sorted(found, key=lambda way: (-way.count, way.origin, way.target))


def matrix(cameras: Sequence[str], all_ways: Sequence[Way]) -> list[list[Cell | None]]:
    """Return a row for each camera of origin, a column for each target; ``None`` where nobody."""
    by_pair = {(way.origin, way.target): way for way in all_ways}
    largest = max((way.count for way in all_ways), default=1)

    def cell(origin: str, target: str) -> Cell | None:
        way = by_pair.get((origin, target))
        if way is None:
            return None
        return Cell(way.count, round(way.count / largest, 3), took(way), _hint(way))

    return [[cell(origin, target) for target in cameras] for origin in cameras]


def shortened(name: str) -> str:
    """Return a name that fits beside the ring; names that differ do so at their ends mostly."""
    if len(name) <= LABEL_CHARACTERS:
        return name
    half = LABEL_CHARACTERS // 2
    return f"{name[: half - 1]}…{name[-half:]}"


def took(way: Way) -> str:
    """Return how long a way usually took."""
    return duration(way.median_s) if way.median_s >= 0 else "at once"


def draw_ring(cameras: Sequence[str], all_ways: Sequence[Way]) -> Ring:
    """Place the cameras on a ring and the ways between them as bent arrows.

    Args:
        cameras: At least one.
        all_ways: Those with another camera are left out.
    """
    nodes = [_node(name, place, len(cameras)) for place, name in enumerate(cameras)]
    by_name = {node.name: node for node in nodes}
    shown = [way for way in all_ways if way.origin in by_name and way.target in by_name]
    largest = max((way.count for way in shown), default=1)
    arrows = [_arrow(way, by_name[way.origin], by_name[way.target], largest) for way in shown]
    return Ring(WIDTH, HEIGHT, nodes, arrows)


def _node(name: str, place: int, count: int) -> Node:
    # Two cameras lie side by side, more begin at the top.
    angle = 2 * math.pi * place / count + (math.pi if count == 2 else -math.pi / 2)
    dx, dy = (math.cos(angle), math.sin(angle)) if count > 1 else (0.0, 0.0)
    x, y = WIDTH / 2 + dx * RADIUS_X, HEIGHT / 2 + dy * RADIUS_Y
    away = NODE_RADIUS + 10
    anchor = "start" if dx > 0.3 else "end" if dx < -0.3 else "middle"
    text_x = x + (away if anchor == "start" else -away if anchor == "end" else 0)
    text_y = y + 5 if anchor != "middle" else y + (away + 10 if dy > 0 else -away + 2)
    return Node(
        name, shortened(name), round(x, 1), round(y, 1), round(text_x, 1), round(text_y, 1), anchor
    )


def _arrow(way: Way, origin: Node, target: Node, largest: int) -> Arrow:
    dx, dy = target.x - origin.x, target.y - origin.y
    length = math.hypot(dx, dy)
    bend_x = (origin.x + target.x) / 2 + dy * BEND
    bend_y = (origin.y + target.y) / 2 - dx * BEND
    stroke = round(1.5 + 5.5 * way.count / largest, 2)
    start = _towards(origin, bend_x, bend_y, NODE_RADIUS + 3)
    end = _towards(target, bend_x, bend_y, NODE_RADIUS + 7 + stroke)
    path = f"M{start[0]:.1f} {start[1]:.1f}Q{bend_x:.1f} {bend_y:.1f} {end[0]:.1f} {end[1]:.1f}"
    # The curve's highest point is half as far out as its control point.
    out = BEND / 2 + 14 / length
    middle_x = (origin.x + target.x) / 2 + dy * out
    middle_y = (origin.y + target.y) / 2 - dx * out + 5
    return Arrow(path, stroke, way.count, round(middle_x, 1), round(middle_y, 1), _hint(way))


def _towards(node: Node, x: float, y: float, distance: float) -> tuple[float, float]:
    length = math.hypot(x - node.x, y - node.y)
    return node.x + (x - node.x) * distance / length, node.y + (y - node.y) * distance / length


def _hint(way: Way) -> str:
    return (
        f"{way.origin} to {way.target}: {way.count}, median {duration(way.median_s)}, "
        f"{duration(way.travels_s[0])} to {duration(way.travels_s[-1])}"
    )
