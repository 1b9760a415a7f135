"""What walls, floors and furniture are made of."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .mesh import Floats
from .noise import noise
from .paint import linear
from .wardrobe import Colour

Painter = Callable[[Floats, Floats, Floats], Floats]
"""Points (N, 3), along (N,) and up (N,) of the face, metres -> (N, 3) linear colour."""


def _mix(one: Floats, two: Floats, share: Floats) -> Floats:
    return np.asarray(one + np.clip(share, 0, 1)[:, None] * (two - one))


def _cells(along: Floats, up: Floats, *, wide: float, tall: float, shift: float) -> Floats:
    """Return (N, 4): distances to the cell's edges in metres, and two random figures per cell."""
    row = np.floor(up / tall)
    moved = along / wide + shift * (row % 2)
    column = np.floor(moved)
    aside = wide * (0.5 - np.abs(moved - column - 0.5))
    above = tall * (0.5 - np.abs(up / tall - row - 0.5))
    first = np.modf(np.abs(np.sin(row * 127.1 + column * 311.7) * 43758.5453))[0]
    second = np.modf(np.abs(np.sin(row * 269.5 + column * 183.3) * 24634.6345))[0]
    return np.stack([aside, above, first, second], 1)


def _slabs(
    colour: Colour,
    joint: Colour,
    *,
    wide: float,
    tall: float,
    shift: float,
    vary: float,
    gap: float,
) -> Painter:
    def paint(points: Floats, along: Floats, up: Floats) -> Floats:
        cell = _cells(along, up, wide=wide, tall=tall, shift=shift)
        tone = 1 + vary * (cell[:, 2] - 0.5) + 0.02 * noise(points, size=0.05)
        tone = tone + 0.04 * noise(points, size=0.9)
        tint = 1 + 0.3 * vary * (cell[:, 3:4] - 0.5) * np.array([1.0, 0.0, -1.0])
        body = linear(colour) * tone[:, None] * tint
        edge = np.clip(1.5 - np.minimum(cell[:, 0], cell[:, 1]) / gap, 0, 1)
        return _mix(body, np.broadcast_to(linear(joint), body.shape), edge)

    return paint


def _wall(colour: Colour, skirting: Colour, *, rail: Colour | None = None) -> Painter:
    def paint(points: Floats, along: Floats, up: Floats) -> Floats:
        del along
        tone = 1 + 0.02 * noise(points, size=0.6) + 0.015 * noise(points, size=0.02)
        body = linear(colour) * tone[:, None]
        body[up < 0.10] = linear(skirting)
        body[np.abs(up - 0.10) < 0.006] *= 0.5
        if rail is not None:
            body[np.abs(up - 0.95) < 0.07] = linear(rail)
            body[up < 0.88] *= np.array([0.80, 0.86, 0.90])
            body[up < 0.10] = linear(skirting)
        return body

    return paint


def _flat(colour: Colour, *, vary: float = 0.03, size: float = 0.1) -> Painter:
    def paint(points: Floats, along: Floats, up: Floats) -> Floats:
        del along, up
        return np.asarray(linear(colour) * (1 + vary * noise(points, size=size))[:, None])

    return paint


def _wood(colour: Colour, *, plank: float) -> Painter:
    def paint(points: Floats, along: Floats, up: Floats) -> Floats:
        board = np.floor(along / plank)
        grain = noise(points, size=np.array([0.05, 0.05, 0.6])) * 0.10
        grain = grain + 0.08 * np.sin(board * 12.9) + 0.04 * noise(points, size=0.01)
        body = linear(colour) * (1 + grain)[:, None]
        gap = np.abs(along / plank - board - 0.5) > 0.5 - 0.004 / plank
        body[gap] *= 0.5
        del up
        return np.asarray(body)

    return paint


def _door(points: Floats, along: Floats, up: Floats) -> Floats:
    body = (
        linear((0.50, 0.36, 0.24))
        * (1 + 0.08 * noise(points, size=np.array([0.04, 0.04, 0.5])))[:, None]
    )
    across = along - along.min()
    body[(np.abs(up - 1.02) < 0.02) & (across > 0.08) & (across < 0.22)] = linear(
        (0.75, 0.75, 0.76)
    )
    body[(np.abs(up - 1.55) < 0.09) & (np.abs(across - 0.5) < 0.14)] = linear((0.86, 0.86, 0.82))
    return np.asarray(body)


def _window(points: Floats, along: Floats, up: Floats) -> Floats:
    pane = (along - along.min()) % 1.1
    sky = np.clip((up - 1.0) / 1.7, 0, 1) + 0.12 * noise(points, size=np.array([1.2, 1.2, 0.7]))
    body = _mix(linear((0.13, 0.16, 0.19))[None], linear((0.50, 0.58, 0.66))[None], sky)
    frame = (np.minimum(pane, 1.1 - pane) < 0.045) | (up < 1.05) | (up > 2.65)
    body[frame] = linear((0.22, 0.23, 0.25))
    return body


def _picture(points: Floats, along: Floats, up: Floats) -> Floats:
    at = np.stack([along, up, 0 * up + points[:1, 0] * 0.37], 1)
    tone = noise(at, size=0.55)
    body = _mix(
        linear((0.15, 0.33, 0.50))[None], linear((0.88, 0.66, 0.35))[None], 0.5 + 0.5 * tone
    )
    body[noise(at + 5, size=0.4) > 0.9] = linear((0.75, 0.25, 0.20))
    edge = (along < along.min() + 0.05) | (along > along.max() - 0.05)
    edge |= (up < up.min() + 0.05) | (up > up.max() - 0.05)
    body[edge] = linear((0.12, 0.11, 0.10))
    return body


def _notice(points: Floats, along: Floats, up: Floats) -> Floats:
    sheets = _cells(along, up, wide=0.24, tall=0.32, shift=0.0)
    body = np.repeat(linear((0.55, 0.42, 0.28))[None], len(points), axis=0)
    sheet = (np.minimum(sheets[:, 0], sheets[:, 1]) > 0.02) & (sheets[:, 2] > 0.25)
    body[sheet] = linear((0.90, 0.89, 0.84))
    lines = sheet & ((up / 0.035) % 1 < 0.35) & (sheets[:, 0] > 0.045)
    body[lines] *= 0.45
    return body


def _lino(points: Floats, along: Floats, up: Floats) -> Floats:
    specks = noise(points, size=0.03) * 0.05 + noise(points, size=0.5) * 0.04
    body = linear((0.50, 0.51, 0.49)) * (1 + specks)[:, None]
    edge = (up < 6.75) | (up > 8.85)
    body[edge] = body[edge] * np.array([0.45, 0.50, 0.60])
    body[np.abs(along % 2.0 - 1.0) < 0.004] *= 0.75
    return np.asarray(body)


_PAINTERS: dict[str, Painter] = {
    "paving": _slabs(
        (0.58, 0.56, 0.53), (0.36, 0.35, 0.33), wide=0.8, tall=0.5, shift=0.5, vary=0.16, gap=0.012
    ),
    "brick": _slabs(
        (0.50, 0.35, 0.30), (0.58, 0.54, 0.50), wide=0.24, tall=0.08, shift=0.5, vary=0.5, gap=0.009
    ),
    "tiles": _slabs(
        (0.66, 0.64, 0.60), (0.47, 0.45, 0.42), wide=0.6, tall=0.6, shift=0.0, vary=0.10, gap=0.006
    ),
    "ceiling": _slabs(
        (0.86, 0.86, 0.85), (0.6, 0.6, 0.6), wide=0.6, tall=0.6, shift=0.0, vary=0.02, gap=0.012
    ),
    "panels": _slabs(
        (0.82, 0.82, 0.81), (0.6, 0.6, 0.6), wide=1.2, tall=0.6, shift=0.0, vary=0.02, gap=0.012
    ),
    "accent": _wood((0.56, 0.42, 0.30), plank=0.32),
    "wood": _wood((0.52, 0.36, 0.22), plank=0.15),
    "desk": _wood((0.38, 0.27, 0.19), plank=0.22),
    "top": _flat((0.78, 0.77, 0.75), vary=0.04, size=0.04),
    "plaster": _wall((0.82, 0.80, 0.75), (0.45, 0.42, 0.38)),
    "paint": _wall((0.78, 0.79, 0.76), (0.25, 0.27, 0.30), rail=(0.42, 0.33, 0.24)),
    "pillar": _wall((0.70, 0.69, 0.66), (0.30, 0.30, 0.30)),
    "stone": _flat((0.52, 0.50, 0.47), vary=0.07, size=0.05),
    "steel": _flat((0.36, 0.37, 0.39), vary=0.02),
    "screen": _flat((0.08, 0.08, 0.09)),
    "sofa": _flat((0.25, 0.32, 0.42), vary=0.08, size=0.02),
    "pot": _flat((0.48, 0.30, 0.22), vary=0.06, size=0.05),
    "bin": _flat((0.20, 0.30, 0.24), vary=0.04),
    "cabinet": _slabs(
        (0.62, 0.63, 0.62),
        (0.25, 0.25, 0.25),
        wide=0.45,
        tall=0.62,
        shift=0.0,
        vary=0.02,
        gap=0.006,
    ),
    "door": _door,
    "window": _window,
    "picture": _picture,
    "notice": _notice,
    "lino": _lino,
}


def albedo_of(material: str, points: Floats, normals: Floats) -> Floats:
    """Return (N, 3) the linear colour of a material.

    Args:
        material: a name of `world`.
        points: (N, 3) metres in the world.
        normals: (N, 3) of the boxes' faces, along the axes.
    """
    level = np.abs(normals[:, 2]) > 0.5
    facing_x = np.abs(normals[:, 0]) > 0.5
    along = np.where(facing_x & ~level, points[:, 1], points[:, 0])
    up = np.where(level, points[:, 1], points[:, 2])
    return np.clip(_PAINTERS[material](points, along, up), 0, 1)
