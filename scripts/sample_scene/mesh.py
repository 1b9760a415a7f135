"""Triangle meshes made of lofted rings, with the bones that move them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True)
class Mesh:
    """A closed surface at rest.

    Attributes:
        points: (V, 3) metres.
        normals: (V, 3) unit length, outwards.
        faces: (F, 3) indices into the points, counter-clockwise seen from outside.
        part: (F,) which part of the body or of the room a face belongs to.
        weights: (V, B) how far each bone moves each point; every row sums to one.
    """

    points: Floats
    normals: Floats
    faces: Ints
    part: Ints
    weights: Floats


def loft(rings: Floats, *, part: int, weights: Floats) -> Mesh:
    """Skin a stack of rings and close both ends.

    Args:
        rings: (R, S, 3) points, each ring counter-clockwise seen from the last ring's side.
        part: the part all faces belong to.
        weights: (R, B) or (R, S, B) bone weights.

    Returns:
        A mesh of ``R * S + 2`` points; the last two are the middles of the ends.
    """
    count, sides = rings.shape[:2]
    if weights.ndim == 2:
        weights = np.repeat(weights[:, None], sides, axis=1)
    points = np.concatenate([rings.reshape(-1, 3), [rings[0].mean(0), rings[-1].mean(0)]])
    bones = np.concatenate(
        [
            weights.reshape(count * sides, -1),
            [weights[0].mean(0), weights[-1].mean(0)],
        ]
    )
    row, side = np.meshgrid(np.arange(count - 1), np.arange(sides), indexing="ij")
    a = (row * sides + side).ravel()
    b = (row * sides + (side + 1) % sides).ravel()
    c, d = b + sides, a + sides
    around = np.arange(sides)
    after = (around + 1) % sides
    top = (count - 1) * sides
    faces = np.concatenate(
        [
            np.stack([a, b, c], 1),
            np.stack([a, c, d], 1),
            np.stack([after, around, np.full(sides, count * sides)], 1),
            np.stack([top + around, top + after, np.full(sides, count * sides + 1)], 1),
        ]
    )
    return Mesh(
        points, vertex_normals(points, faces), faces, np.full(len(faces), part, np.int64), bones
    )


def vertex_normals(points: Floats, faces: Ints) -> Floats:
    """Return (V, 3) unit normals, the area-weighted mean of the faces around each point."""
    corner = points[faces]
    face = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    total = np.zeros_like(points)
    for k in range(3):
        np.add.at(total, faces[:, k], face)
    return np.asarray(total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12))


def joined(meshes: Sequence[Mesh]) -> Mesh:
    """Return all meshes as one."""
    offsets = np.cumsum([0, *(len(mesh.points) for mesh in meshes)])
    return Mesh(
        np.concatenate([mesh.points for mesh in meshes]),
        np.concatenate([mesh.normals for mesh in meshes]),
        np.concatenate([mesh.faces + start for mesh, start in zip(meshes, offsets, strict=False)]),
        np.concatenate([mesh.part for mesh in meshes]),
        np.concatenate([mesh.weights for mesh in meshes]),
    )


def ellipses(centre: Floats, half: Floats, *, sides: int, power: float = 2.0) -> Floats:
    """Return (R, sides, 3) level rings around the z axis.

    Args:
        centre: (R, 3) middles of the rings, rising.
        half: (R, 2) half widths along x and y.
        sides: points of a ring.
        power: 2 gives ellipses; more, boxes with round corners.
    """
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    across = np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** (2 / power)
    along = np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** (2 / power)
    rings = np.repeat(centre[:, None], sides, axis=1).astype(float)
    rings[..., 0] += half[:, :1] * across
    rings[..., 1] += half[:, 1:] * along
    return rings


def blob(
    centre: ArrayLike,
    half: ArrayLike,
    *,
    part: int,
    weights: Floats,
    sides: int = 14,
    power: float = 2.0,
) -> Mesh:
    """Return an ellipsoid, or with a higher power a box with round edges.

    Args:
        centre: (3,) middle.
        half: (3,) half extents along x, y and z.
        part: the part all faces belong to.
        weights: (B,) bone weights of all points.
        sides: points of a ring.
        power: 2 gives an ellipsoid; more, a rounder box.
    """
    rise = np.linspace(-0.97, 0.97, max(sides * 2 // 3, 6)) * np.pi / 2
    level = np.sign(np.sin(rise)) * np.abs(np.sin(rise)) ** (2 / power)
    breadth = np.cos(rise) ** (2 / power)
    extent = np.asarray(half, float)
    middles = np.repeat([np.asarray(centre, float)], len(rise), axis=0)
    middles[:, 2] += extent[2] * level
    rings = ellipses(middles, breadth[:, None] * extent[:2], sides=sides, power=power)
    return loft(rings, part=part, weights=np.repeat(weights[None], len(rise), axis=0))


def tube(
    path: Floats, radius: Floats, *, part: int, weights: Floats, sides: int = 8, flat: float = 1.0
) -> Mesh:
    """Return a pipe along any path, for straps, stems and tails.

    Args:
        path: (R, 3) points.
        radius: (R,) metres.
        part: the part all faces belong to.
        weights: (R, B) bone weights.
        sides: points of a ring.
        flat: factor on the width across the second axis of each ring.
    """
    ahead = np.gradient(path, axis=0)
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    aside = np.cross(ahead, [0.13, 0.99, 0.05])
    aside /= np.linalg.norm(aside, axis=1, keepdims=True)
    third = np.cross(ahead, aside)
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    rings = (
        path[:, None]
        + radius[:, None, None] * np.cos(angle)[None, :, None] * aside[:, None]
        + flat * radius[:, None, None] * np.sin(angle)[None, :, None] * third[:, None]
    )
    return loft(rings, part=part, weights=weights)
