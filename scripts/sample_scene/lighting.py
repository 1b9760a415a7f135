"""The sun on the street, the lamps indoors, and the shadows that both throw."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .actor import Light, Triple
from .mesh import Floats
from .rays import first_hits
from .world import CORRIDOR, LOBBY, STREET, Box

SUN = np.array([-0.46, -0.62, 0.64]) / np.linalg.norm([-0.46, -0.62, 0.64])
"""Towards the sun, which stands in the south-west."""

LAMPS = np.array(
    [(x, y, 3.28) for x in (-3.6, 0.0, 3.6) for y in (2.7, 6.3, 9.6)]
    + [(x, 7.8, 2.68) for x in np.arange(8.1, 27, 3.6)]
)
"""The middles of the light panels, nine in the lobby and the rest along the corridor."""

_PANEL = 0.55
_REGIONS = {
    "street": Light(
        (float(SUN[0]), float(SUN[1]), float(SUN[2])),
        (1.50, 1.40, 1.22),
        (0.42, 0.47, 0.55),
        (0.22, 0.20, 0.18),
        0.12,
    ),
    "lobby": Light(
        (-0.15, -0.35, 0.92), (0.62, 0.60, 0.55), (0.42, 0.41, 0.40), (0.34, 0.32, 0.30), 0.55
    ),
    "corridor": Light(
        (0.25, 0.05, 0.97), (0.58, 0.60, 0.58), (0.40, 0.42, 0.42), (0.34, 0.34, 0.34), 0.60
    ),
}


@dataclass(frozen=True, slots=True)
class Shadow:
    """How people darken the floor of a place.

    Attributes:
        directions: (K, 3) towards the lights.
        strength: share of the light taken away where all shadows meet; more than one makes those of
            single lamps plain.
        soft: metres of blur.
    """

    directions: Floats
    strength: float
    soft: float


def _spread(middle: Floats, wide: float) -> Floats:
    around = np.array([(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)]) * wide
    return np.stack([[middle[0] + a, middle[1] + b, middle[2]] for a, b in around])


def shadow_at(place: tuple[float, float]) -> Shadow:
    """Return the shadow that somebody standing at a place throws."""
    if place[1] < 0:
        return Shadow(_spread(SUN, 0.02), 0.68, 0.03)
    lamps = LAMPS[9:] if place[0] > 6.1 else LAMPS[:9]
    towards = lamps - np.array([*place, 0.0])
    near = np.argsort((towards**2).sum(1))[:4]
    # Light thrown back by a bright ceiling comes from right above.
    above = np.array([[0.0, 0.0, 1.0], [0.12, 0.12, 1.0], [-0.12, -0.12, 1.0]])
    return Shadow(np.concatenate([towards[near], above]), 1.9, 0.07)


def light_at(place: tuple[float, float]) -> Light:
    """Return what lights somebody at a place; it changes over a metre at each threshold."""
    inside = float(np.clip((place[1] + 0.2) / 1.4, 0, 1))
    along = float(np.clip((place[0] - 5.5) / 1.4, 0, 1))
    shares = {
        "street": 1 - inside,
        "lobby": inside * (1 - along),
        "corridor": inside * along,
    }

    def mixed(field: str) -> Triple:
        total = sum(
            (share * np.array(getattr(_REGIONS[name], field)) for name, share in shares.items()),
            start=np.zeros(3),
        )
        return (float(total[0]), float(total[1]), float(total[2]))

    towards = np.array(mixed("towards"))
    towards /= np.linalg.norm(towards)
    return Light(
        (float(towards[0]), float(towards[1]), float(towards[2])),
        mixed("key"),
        mixed("sky"),
        mixed("ground"),
        sum(share * _REGIONS[name].wrap for name, share in shares.items()),
    )


def emission(points: Floats, normals: Floats) -> Floats:
    """Return (N, 3) the light that lamp panels in the ceilings give off themselves."""
    down = normals[:, 2] < -0.5
    glow = np.zeros_like(points)
    for lamp in LAMPS:
        long = 2.0 if lamp[0] > 6.1 else 1.0
        inside = down & (np.abs(points[:, 0] - lamp[0]) < _PANEL * long)
        inside &= (np.abs(points[:, 1] - lamp[1]) < _PANEL / long) & (points[:, 2] < lamp[2] + 0.1)
        glow[inside] = 1.1
    return glow


def bake(points: Floats, normals: Floats, *, shadows: bool = True) -> Floats:
    """Return (N, 3) the light that falls on the building.

    Args:
        points: (N, 3) metres.
        normals: (N, 3) unit length.
        shadows: whether furniture throws any.
    """
    light = np.zeros_like(points)
    outside = points[:, 1] < 0.02
    corridor = ~outside & (points[:, 0] > 6.18)
    lobby = ~outside & ~corridor
    for where, name, lamps, boxes in (
        (outside, "street", None, STREET),
        (lobby, "lobby", LAMPS[:9], LOBBY),
        (corridor, "corridor", LAMPS[9:], CORRIDOR),
    ):
        if not where.any():
            continue
        region = _REGIONS[name]
        up = 0.5 + 0.5 * normals[where, 2:]
        around = up * np.array(region.sky) + (1 - up) * np.array(region.ground)
        if lamps is None:
            key = _sunlight(points[where], normals[where], shadows=shadows)
        else:
            key = _lamplight(points[where], normals[where], lamps, boxes if shadows else ())
        corner = _corners(points[where], normals[where], name)
        light[where] = around * corner[:, None] + key[:, None] * np.array(region.key)
    return light


def _blocked(points: Floats, towards: Floats, boxes: tuple[Box, ...]) -> NDArray[np.bool_]:
    away, _ = first_hits(points, towards, tuple(box for box in boxes if box.casts))
    return away < 1


def _sunlight(points: Floats, normals: Floats, *, shadows: bool) -> Floats:
    facing = np.clip(normals @ SUN, 0, 1)
    if not shadows:
        return np.asarray(facing)
    jitter = np.random.default_rng(3).standard_normal((6, 3)) * 0.012
    open_sky = np.zeros(len(points))
    lifted = points + 1e-3 * normals
    lit = facing > 0
    for shift in jitter:
        towards = np.broadcast_to((SUN + shift) * 40, points.shape)[lit]
        open_sky[lit] += ~_blocked(lifted[lit], towards, STREET)
    return np.asarray(facing * open_sky / len(jitter))


def _lamplight(points: Floats, normals: Floats, lamps: Floats, boxes: tuple[Box, ...]) -> Floats:
    total = np.zeros(len(points))
    lifted = points + 1e-3 * normals
    rng = np.random.default_rng(4)
    for lamp in lamps:
        for _ in range(2):
            at = lamp + np.array([*rng.uniform(-_PANEL, _PANEL, 2), -0.02])
            towards = at - lifted
            square = (towards**2).sum(1)
            length = np.sqrt(square)
            facing = np.clip((normals * towards).sum(1) / length, 0, 1)
            falls = facing * np.clip(towards[:, 2] / length, 0.0, 1) / (1.0 + square)
            near = falls > 0.004
            free = np.zeros(len(points))
            free[near] = ~_blocked(lifted[near], towards[near], boxes)
            total += 0.5 * falls * free
    return np.asarray(5.5 * total)


def _corners(points: Floats, normals: Floats, name: str) -> Floats:
    """Return (N,) how much less light reaches the corners of rooms: 0.6 to 1."""
    level = np.abs(normals[:, 2]) > 0.5
    rooms = {"lobby": (-6.0, 6.0, 0.3, 11.0, 3.3), "corridor": (6.2, 27.7, 6.3, 9.3, 2.7)}
    if name == "street":
        away = np.where(level, -points[:, 1], points[:, 2])
        return np.asarray(1 - 0.35 * np.exp(-np.clip(away, 0, None) / 0.35))
    west, east, south, north, high = rooms[name]
    sides = np.stack([points[:, 0] - west, east - points[:, 0]], 1).min(1)
    sides = np.minimum(sides, np.stack([points[:, 1] - south, north - points[:, 1]], 1).min(1))
    away = np.where(level, sides, np.minimum(points[:, 2], high - points[:, 2]))
    return np.asarray(1 - 0.40 * np.exp(-np.clip(away, 0, None) / 0.30))


def floor_shadow(
    points: Floats, areas: Floats, shadow: Shadow, *, cell: float = 0.03
) -> tuple[NDArray[np.float32], tuple[float, float]]:
    """Return a map of how much a body darkens the floor, and where its corner lies.

    Args:
        points: (N, 3) middles of the body's faces.
        areas: (N,) square metres of the faces.
        shadow: from which lights.
        cell: metres per cell of the map.

    Returns:
        (rows, columns) values 0 to 1 over y and x; (x, y) of the outer corner of cell 0, 0.
    """
    total = []
    falls = [points[:, :2] - points[:, 2:] * (d[:2] / d[2])[None] for d in shadow.directions]
    everything = np.concatenate(falls)
    low = np.floor(everything.min(0) / cell) * cell - 0.45
    size = np.ceil((everything.max(0) + 0.45 - low) / cell).astype(int)
    for fall in falls:
        at = ((fall - low) / cell).astype(int)
        flat = at[:, 1] * size[0] + at[:, 0]
        amount = np.bincount(flat, weights=areas, minlength=size[0] * size[1])
        # The faces of a closed body cover the floor twice; sparse cells are filled by the blur.
        dense = amount.reshape(size[1], size[0]).astype(np.float32) / (cell * cell)
        smooth = cv2.GaussianBlur(dense, (0, 0), 1.3)
        total.append(np.clip(smooth * 1.3, 0, 1))
    blurred = cv2.GaussianBlur(np.mean(total, axis=0), (0, 0), shadow.soft / cell)
    low_down = points[:, 2] < 0.25
    contact = _contact(points[low_down], low, size, cell=cell)
    return np.clip(shadow.strength * blurred + 0.55 * contact, 0, 0.80), (
        float(low[0]),
        float(low[1]),
    )


def _contact(points: Floats, low: Floats, size: NDArray[np.int_], *, cell: float) -> Floats:
    """Return the darkness right under the feet."""
    at = ((points[:, :2] - low) / cell).astype(int)
    near = np.exp(-points[:, 2] / 0.06)
    flat = at[:, 1] * size[0] + at[:, 0]
    amount = np.zeros(size[0] * size[1])
    np.maximum.at(amount, flat, near)
    spread = cv2.GaussianBlur(amount.reshape(size[1], size[0]).astype(np.float32), (0, 0), 2.2)
    return np.asarray(np.clip(spread * 2.2, 0, 1))
