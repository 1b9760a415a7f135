"""The building: a street front, a lobby and a corridor, as boxes and plants.

x points east, y north, z up, in metres. The front runs along y = 0; the lobby lies behind it and
the corridor leads east from the lobby.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .camera import Camera
from .mesh import Floats, Mesh, blob, joined, tube


@dataclass(frozen=True, slots=True)
class Box:
    """A block of one material, its sides along the axes.

    Attributes:
        low: (3,) least corner, metres.
        high: (3,) greatest corner.
        material: a name `materials.albedo_of` knows.
        casts: whether its shadow is worth computing.
    """

    low: tuple[float, float, float]
    high: tuple[float, float, float]
    material: str
    casts: bool = False


Span = tuple[float, float]


def _box(x: Span, y: Span, z: Span, material: str, *, casts: bool = False) -> Box:
    return Box((x[0], y[0], z[0]), (x[1], y[1], z[1]), material, casts)


STREET: tuple[Box, ...] = (
    _box((-30, 40), (-30, 0.15), (-0.3, 0), "paving"),
    _box((-30, 1.4), (0, 0.3), (0, 7), "brick", casts=True),
    _box((4.2, 40), (0, 0.3), (0, 7), "brick", casts=True),
    _box((1.4, 4.2), (0, 0.3), (2.6, 7), "brick", casts=True),
    _box((1.25, 1.4), (-0.06, 0.36), (0, 2.7), "steel"),
    _box((4.2, 4.35), (-0.06, 0.36), (0, 2.7), "steel"),
    _box((1.25, 4.35), (-0.06, 0.36), (2.6, 2.75), "steel"),
    _box((0.6, 5.0), (-1.3, -0.02), (2.95, 3.1), "steel", casts=True),
    _box((-7.6, -5.4), (-0.03, 0.02), (1.0, 2.7), "window"),
    _box((-4.6, -2.4), (-0.03, 0.02), (1.0, 2.7), "window"),
    _box((-1.7, 0.5), (-0.03, 0.02), (1.0, 2.7), "window"),
    _box((5.6, 7.8), (-0.03, 0.02), (1.0, 2.7), "window"),
    _box((8.6, 10.8), (-0.03, 0.02), (1.0, 2.7), "window"),
    _box((11.6, 13.8), (-0.03, 0.02), (1.0, 2.7), "window"),
    _box((-30, 1.25), (-0.05, 0.01), (0, 0.45), "stone"),
    _box((4.35, 40), (-0.05, 0.01), (0, 0.45), "stone"),
    _box((-0.6, 0.9), (-1.15, -0.45), (0, 0.55), "stone", casts=True),
    _box((5.2, 6.7), (-1.15, -0.45), (0, 0.55), "stone", casts=True),
    _box((-4.4, -2.6), (-0.95, -0.50), (0.40, 0.46), "wood", casts=True),
    _box((-4.3, -4.2), (-0.92, -0.53), (0, 0.40), "steel"),
    _box((-2.8, -2.7), (-0.92, -0.53), (0, 0.40), "steel"),
    _box((-0.33, -0.20), (-4.73, -4.60), (0, 6), "steel", casts=True),
    _box((7.3, 7.75), (-1.0, -0.55), (0, 0.85), "bin", casts=True),
)

LOBBY: tuple[Box, ...] = (
    _box((-6.3, 6.3), (0.15, 11.3), (-0.3, 0), "tiles"),
    _box((-6.3, 6.3), (0.3, 11.3), (3.3, 3.5), "ceiling"),
    _box((-6.3, -6.0), (0.3, 11.3), (0, 3.3), "plaster"),
    _box((-6.3, 6.3), (11.0, 11.3), (0, 3.3), "accent"),
    _box((6.0, 6.2), (0.3, 6.4), (0, 3.3), "plaster"),
    _box((6.0, 6.2), (9.2, 11.3), (0, 3.3), "plaster"),
    _box((6.0, 6.2), (6.4, 9.2), (2.6, 3.3), "plaster"),
    _box((5.96, 6.22), (6.3, 6.42), (0, 2.66), "steel"),
    _box((5.96, 6.22), (9.18, 9.3), (0, 2.66), "steel"),
    _box((-6.0, 1.25), (0.3, 0.34), (0, 3.3), "plaster"),
    _box((4.35, 6.0), (0.3, 0.34), (0, 3.3), "plaster"),
    _box((-4.1, -0.4), (8.35, 8.95), (0, 1.08), "desk", casts=True),
    _box((-4.2, -0.3), (8.25, 9.0), (1.08, 1.13), "top", casts=True),
    _box((-2.9, -2.3), (8.78, 8.84), (1.13, 1.53), "screen"),
    _box((0.70, 1.15), (5.05, 5.50), (0, 3.3), "pillar", casts=True),
    _box((-3.2, -2.75), (5.05, 5.50), (0, 3.3), "pillar", casts=True),
    _box((2.2, 4.6), (10.35, 10.85), (0, 0.44), "sofa", casts=True),
    _box((2.2, 4.6), (10.72, 10.95), (0.44, 0.86), "sofa", casts=True),
    _box((-0.2, 1.7), (10.97, 11.0), (1.3, 2.5), "picture"),
    _box((5.98, 6.0), (2.0, 3.5), (1.2, 2.3), "picture"),
    _box((5.93, 6.0), (4.4, 5.4), (0, 2.15), "door"),
    _box((4.8, 5.3), (10.3, 10.8), (0, 0.5), "pot", casts=True),
    _box((5.25, 5.75), (0.7, 1.2), (0, 0.5), "pot", casts=True),
)

CORRIDOR: tuple[Box, ...] = (
    _box((6.3, 28), (6.1, 9.5), (-0.3, 0), "lino"),
    _box((6.2, 28), (6.2, 9.4), (2.7, 2.9), "panels"),
    _box((6.2, 28), (9.3, 9.6), (0, 2.7), "paint"),
    _box((6.2, 28), (6.0, 6.3), (0, 2.7), "paint"),
    _box((27.7, 28), (6.2, 9.4), (0, 2.7), "paint"),
    *(
        box
        for x in (8.0, 12.2, 16.4, 20.6)
        for box in (
            _box((x, x + 1.0), (9.26, 9.32), (0, 2.1), "door"),
            _box((x - 0.08, x), (9.24, 9.32), (0, 2.18), "steel"),
            _box((x + 1.0, x + 1.08), (9.24, 9.32), (0, 2.18), "steel"),
            _box((x - 0.08, x + 1.08), (9.24, 9.32), (2.1, 2.18), "steel"),
            _box((x + 1.8, x + 2.8), (6.28, 6.34), (0, 2.1), "door"),
            _box((x + 1.72, x + 1.8), (6.28, 6.36), (0, 2.18), "steel"),
            _box((x + 2.8, x + 2.88), (6.28, 6.36), (0, 2.18), "steel"),
            _box((x + 1.72, x + 2.88), (6.28, 6.36), (2.1, 2.18), "steel"),
        )
    ),
    _box((11.9, 11.95), (6.3, 9.3), (2.35, 2.7), "steel"),
    _box((14.6, 15.5), (8.88, 9.3), (0, 1.25), "cabinet", casts=True),
    _box((11.0, 12.6), (6.34, 6.72), (0.40, 0.46), "wood", casts=True),
    _box((11.1, 11.2), (6.36, 6.70), (0, 0.40), "steel"),
    _box((12.4, 12.5), (6.36, 6.70), (0, 0.40), "steel"),
    _box((9.7, 11.0), (9.27, 9.3), (1.25, 2.05), "picture"),
    _box((17.0, 17.9), (6.3, 6.33), (1.2, 1.9), "notice"),
)

BOXES = STREET + LOBBY + CORRIDOR

CAMERAS: tuple[Camera, ...] = (
    Camera("entrance", (-4.6, -9.6, 3.1), (1.6, -1.6, 0.9), 62, balance=(1.04, 1.0, 0.93)),
    Camera("lobby", (-5.6, 0.8, 2.9), (1.7, 6.2, 0.75), 74, balance=(0.98, 1.0, 0.99), grain=2.4),
    Camera(
        "corridor", (21.5, 8.35, 2.45), (11.5, 7.7, 0.75), 60, balance=(0.93, 0.97, 1.06), grain=2.6
    ),
)
"""West of the street, in the south-west corner of the lobby, and near the corridor's end."""


def plants() -> tuple[Mesh, Floats]:
    """Return shrubs and pot plants as one mesh and (F, 3) the linear colour of its faces."""
    rng = np.random.default_rng(7)
    none = np.ones(1)
    meshes, colours = [], []
    spots = [
        # x, y, foot, spread along x, spread along y, height, leaves, upright
        (0.15, -0.8, 0.5, 0.62, 0.28, 0.55, 190, 0.3),
        (5.95, -0.8, 0.5, 0.62, 0.28, 0.55, 190, 0.3),
        (5.05, 10.55, 0.5, 0.40, 0.40, 1.15, 90, 0.9),
        (5.50, 0.95, 0.5, 0.40, 0.40, 1.25, 90, 0.9),
    ]
    for x, y, foot, wide, deep, tall, leaves, upright in spots:
        for _ in range(leaves):
            angle, away = rng.uniform(0, 2 * np.pi), np.sqrt(rng.uniform(0, 1))
            out = np.array([np.cos(angle) * wide, np.sin(angle) * deep, 0]) * away
            rise = tall * rng.uniform(0.05, 1) * (1 - 0.45 * away**2)
            tip = np.array([x, y, foot + rise]) + out
            root = np.array([x, y, foot + max(rise - 0.35 * upright - 0.10, 0)])
            root = root + out * (0.25 if upright > 0.5 else 0.8)
            share = np.linspace(0, 1, 5)[:, None]
            path = root + share * (tip - root)
            path[:, 2] += 0.08 * np.sin(np.pi * share[:, 0])
            radius = np.array([0.006, 0.03, 0.042, 0.03, 0.003]) * (0.7 + 0.5 * upright)
            leaf = tube(path, radius, part=0, weights=np.ones((5, 1)), sides=6, flat=0.25)
            meshes.append(leaf)
            green = np.array([0.05, 0.14, 0.03]) * rng.uniform(0.5, 1.5)
            green = green * (0.45 + 0.55 * rise / tall)
            colours.append(np.repeat(green[None], len(leaf.faces), 0))
        soil = blob((x, y, foot), (wide * 0.8, deep * 0.8, 0.03), part=0, weights=none)
        meshes.append(soil)
        colours.append(np.full((len(soil.faces), 3), 0.02))
    return joined(meshes), np.concatenate(colours)
