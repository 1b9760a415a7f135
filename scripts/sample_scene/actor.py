"""One person at one moment, drawn into a picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .anatomy import Skeleton, skeleton_of
from .body import person_mesh
from .camera import Camera
from .gait import Stance, pose, stride_length
from .mesh import Floats, Mesh
from .paint import surface
from .raster import Fragments, rasterize
from .wardrobe import Person

Triple = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Light:
    """What lights a place.

    Attributes:
        towards: (3,) unit vector to the main light.
        key: (3,) amount of light from there.
        sky: (3,) amount from above.
        ground: (3,) amount thrown back by the floor.
        wrap: 0 for a small bright sun to 0.6 for a wide window.
    """

    towards: Triple
    key: Triple
    sky: Triple
    ground: Triple
    wrap: float = 0.3


@dataclass(frozen=True, slots=True)
class Actor:
    """A person with the mesh made once.

    Attributes:
        person: who.
        mesh: at rest.
        skeleton: at rest.
    """

    person: Person
    mesh: Mesh
    skeleton: Skeleton

    @classmethod
    def of(cls, person: Person) -> Actor:
        """Make the mesh of a person."""
        return cls(person, person_mesh(person), skeleton_of(person.build))

    @property
    def stride(self) -> float:
        """Metres per full cycle of both legs."""
        return stride_length(self.skeleton)

    def posed(self, stance: Stance) -> tuple[Floats, Floats]:
        """Return (V, 3) points in the world and (V, 3, 3) the turn of each."""
        blended = np.einsum("vb,bij->vij", self.mesh.weights, pose(self.skeleton, stance))
        points = np.einsum("vij,vj->vi", blended[:, :, :3], self.mesh.points) + blended[:, :, 3]
        return points, blended[:, :, :3]


def cover(
    actor: Actor, points: Floats, camera: Camera, *, zoom: float, margin: float = 1.0
) -> Fragments:
    """Find the pixels a person covers, beyond the picture's border too.

    Args:
        actor: who.
        points: (V, 3) the points of the mesh in the world.
        camera: seen from where.
        zoom: pixels drawn per pixel of the clip.
        margin: how far beyond the border, as a share of the picture.
    """
    pixels, depth = camera.project(points, zoom=zoom)
    width, height = (round(side * zoom) for side in camera.size)
    if not (depth > 0.1).any():
        return _nothing()
    low = np.maximum(np.floor(pixels.min(0)), [-margin * width, -margin * height]).astype(int)
    high = np.minimum(np.ceil(pixels.max(0)), [(1 + margin) * width, (1 + margin) * height])
    high = high.astype(int)
    if (high <= low).any():
        return _nothing()
    bounds = (int(low[0]), int(low[1]), int(high[0]), int(high[1]))
    return rasterize(pixels, depth, actor.mesh.faces, bounds=bounds)


def _nothing() -> Fragments:
    none = np.zeros(0, np.int64)
    return Fragments(none, none, none, np.zeros((0, 3)), np.zeros(0))


def shade(
    actor: Actor, points: Floats, turns: Floats, seen: Fragments, *, camera: Camera, light: Light
) -> Floats:
    """Return (N, 3) the light that comes from the person's pixels, linear."""
    mesh = actor.mesh
    rest = seen.at(mesh.points, mesh.faces)
    looks = surface(actor.person, mesh.part[seen.face], rest)
    normal = seen.at(np.einsum("vij,vj->vi", turns, mesh.normals), mesh.faces)
    turn = turns[mesh.faces[seen.face, 0]]
    normal = normal - np.einsum("nij,nj->ni", turn, looks.bump)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
    place = seen.at(points, mesh.faces)
    towards = np.array(light.towards)
    lit = np.clip((normal @ towards + light.wrap) / (1 + light.wrap), 0, 1)
    up = (0.5 + 0.5 * normal[:, 2])[:, None]
    shelter = _shelter(rest / actor.person.build.height)[:, None]
    total = lit[:, None] * np.array(light.key) * (0.4 + 0.6 * shelter)
    total = total + shelter * (up * np.array(light.sky) + (1 - up) * np.array(light.ground))
    eye = np.array(camera.place) - place
    eye /= np.linalg.norm(eye, axis=1, keepdims=True)
    half = eye + towards
    half /= np.linalg.norm(half, axis=1, keepdims=True)
    shine = np.clip((normal * half).sum(1), 0, 1) ** 24 * looks.gloss
    rim = (1 - np.clip((normal * eye).sum(1), 0, 1)) ** 4 * 0.05
    return np.asarray(
        looks.albedo * total
        + shine[:, None] * np.array(light.key)
        + rim[:, None] * np.array(light.sky) * shelter
    )


def _shelter(at: Floats) -> Floats:
    """Return (N,) how open each place of the body is to light from around: 0 to 1."""
    x = np.abs(at[:, 0])
    crotch = np.exp(-((x / 0.05) ** 2) - ((at[:, 2] - 0.45) / 0.07) ** 2)
    armpit = np.exp(-(((x - 0.10) / 0.03) ** 2) - ((at[:, 2] - 0.72) / 0.09) ** 2)
    throat = np.exp(-(((at[:, 2] - 0.858) / 0.016) ** 2)) * (x < 0.05)
    return np.asarray(1 - 0.50 * crotch - 0.35 * armpit - 0.45 * throat)
