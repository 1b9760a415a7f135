"""Pictures of people: a camera, lamps, and the pixels between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.datatypes import Image
from sample_scene.mesh import Floats, Ints
from sample_scene.raster import Fragments, rasterize

from .assets import TEXTURE_SIDE, Assets
from .paint import colours
from .person import UNCUT, Surface, normals

LAYER_DM = 0.2
"""How far a layer is drawn nearer than the one beneath, so that cloth does not sink into skin."""
CREASE_DM = 1.5
"""Depth of a gap that lies wholly in the dark."""


@dataclass(frozen=True, slots=True)
class View:
    """Where a camera stands and how a person stands to it.

    Attributes:
        distance: decimetres along the floor.
        height: of the camera, decimetres.
        yaw: degrees the person turned to the left of looking at the camera.
        roll: degrees that the picture leans.
    """

    distance: float
    height: float
    yaw: float
    roll: float


@dataclass(frozen=True, slots=True)
class Light:
    """What shines on a person; strengths are shares of full white.

    Attributes:
        ambient: (3,) from all around, blue green red.
        directions: (L, 3) unit, towards each lamp, in the camera's frame (x right, y up, z back).
        strengths: (L, 3) of each lamp, blue green red.
    """

    ambient: Floats
    directions: Floats
    strengths: Floats


def sample_view(rng: np.random.Generator) -> View:
    """Return a camera as they hang in streets and halls."""
    height = float(rng.uniform(15, 60))
    return View(
        distance=float(rng.uniform(max(35, 1.1 * height), 200)),
        height=height,
        yaw=float(rng.uniform(0, 360)),
        roll=float(rng.normal(0, 2)),
    )


def sample_light(rng: np.random.Generator) -> Light:
    """Return a sun, or up to three lamps, and what comes from all around."""
    number = int(rng.integers(1, 4))
    around, up = rng.uniform(0, 2 * np.pi, number), np.deg2rad(rng.uniform(20, 80, number))
    directions = [np.cos(up) * np.cos(around), np.sin(up), np.cos(up) * np.sin(around)]
    total, ambient = rng.uniform(0.2, 1.1), rng.uniform(0.3, 0.75)
    shares = rng.dirichlet(np.ones(number))[:, None] * np.clip(rng.normal(1, 0.05, 3), 0.8, 1.2)
    return Light(
        ambient * np.clip(rng.normal(1, 0.05, 3), 0.8, 1.2),
        np.stack(directions, 1),
        total * shares,
    )


def seen(points: Floats, view: View, *, middle: float) -> Floats:
    """Return (V, 3) points in the camera's frame: right, up, and away, decimetres.

    Args:
        points: (V, 3) of a person who stands at the origin and looks along z.
        view: the camera.
        middle: height that the camera looks at.
    """
    yaw, roll = np.deg2rad(view.yaw), np.deg2rad(view.roll)
    x = np.cos(yaw) * points[:, 0] + np.sin(yaw) * points[:, 2]
    z = np.cos(yaw) * points[:, 2] - np.sin(yaw) * points[:, 0]
    pitch = np.arctan2(view.height - middle, view.distance)
    up, away = points[:, 1] - view.height, view.distance - z
    across = np.cos(pitch) * up + np.sin(pitch) * away
    away = np.cos(pitch) * away - np.sin(pitch) * up
    return np.stack(
        [np.cos(roll) * x - np.sin(roll) * across, np.sin(roll) * x + np.cos(roll) * across, away],
        axis=1,
    )


@dataclass(frozen=True, slots=True)
class Box:
    """A piece of the image plane at distance 1: left, top, right, bottom, up is positive."""

    left: float
    top: float
    right: float
    bottom: float


def box_around(surfaces: Sequence[Surface], view: View) -> Box:
    """Return what of the image plane a person takes."""
    middle = max(float(one.points[:, 1].max()) for one in surfaces) / 2
    there = np.concatenate([one.seen_points() for one in surfaces])
    at = seen(there, view, middle=middle)
    plane = at[:, :2] / at[:, 2:]
    low, high = plane.min(0), plane.max(0)
    return Box(float(low[0]), float(high[1]), float(high[0]), float(low[1]))


class _Scene:
    """Surfaces as one mesh, in the camera's frame."""

    def __init__(self, assets: Assets, surfaces: Sequence[Surface], view: View) -> None:
        middle = max(float(one.points[:, 1].max()) for one in surfaces) / 2
        starts = np.cumsum([0] + [len(one.points) for one in surfaces])
        self.surfaces = surfaces
        self.points = seen(np.concatenate([one.points for one in surfaces]), view, middle=middle)
        self.rest = np.concatenate([one.rest for one in surfaces])
        self.faces: Ints = np.concatenate(
            [one.faces + start for one, start in zip(surfaces, starts, strict=False)]
        )
        self.uvs = np.concatenate([one.uvs for one in surfaces])
        counts = [len(one.faces) for one in surfaces]
        self.part = np.repeat(np.arange(len(surfaces)), counts)
        self.layer = np.repeat([one.layer for one in surfaces], np.diff(starts))
        self.textures = [
            None if one.texture is None else assets.texture(one.texture) for one in surfaces
        ]
        self.clear = np.array(
            [
                texture is not None and one.layer > 0 and bool((texture[..., 3] < 128).any())
                for one, texture in zip(surfaces, self.textures, strict=True)
            ]
        )

    def turn_round(self, faces: NDArray[np.bool_]) -> None:
        """Make the other side of some faces (F,) the outside."""
        self.faces[faces] = self.faces[faces][:, ::-1]
        self.uvs[faces] = self.uvs[faces][:, ::-1]

    def texels(self, part: int, faces: Ints, mix: Floats) -> Image:
        """Return (N, 4) what a part's texture has at places of its faces."""
        texture = self.textures[part]
        if texture is None:
            return np.full((len(faces), 4), 255, np.uint8)
        uv = np.einsum("nk,nkc->nc", mix, self.uvs[faces]) % 1
        column, row = (uv * [TEXTURE_SIDE, -TEXTURE_SIDE]).astype(int).T
        return np.asarray(texture[row, column])

    def opaque(self, faces: Ints, mix: Floats) -> NDArray[np.bool_]:
        """Return (N,) where something is: not beyond a hem, not where a texture is clear."""
        there = np.ones(len(faces), bool)
        parts = self.part[faces]
        for part, surface in enumerate(self.surfaces):
            top, hem, sleeve = surface.bounds
            cut = surface.bounds != UNCUT
            if not (cut or self.clear[part]):
                continue
            at = np.flatnonzero(parts == part)
            if cut:
                rest = np.einsum("nk,nkc->nc", mix[at], self.rest[self.faces[faces[at]]])
                there[at] &= (rest[:, 1] < top) & (rest[:, 1] > hem) & (abs(rest[:, 0]) < sleeve)
            if self.clear[part]:
                there[at] &= self.texels(part, faces[at], mix[at])[:, 3] > 110
        return there


def _rastered(scene: _Scene, box: Box, size: tuple[int, int]) -> Fragments:
    """Return what shows of a scene in a box of the image plane."""
    width, height = size
    plane = scene.points[:, :2] / scene.points[:, 2:]
    pixels = np.stack(
        [
            (plane[:, 0] - box.left) / (box.right - box.left) * width,
            (box.top - plane[:, 1]) / (box.top - box.bottom) * height,
        ],
        axis=1,
    )
    depth = scene.points[:, 2] - LAYER_DM * scene.layer
    # Hair is made of sheets that are seen from both sides.
    a, b, c = (pixels[scene.faces[:, k]] for k in range(3))
    across, along = b - a, c - a
    away = across[:, 0] * along[:, 1] > across[:, 1] * along[:, 0]
    scene.turn_round(away & scene.clear[scene.part])
    return rasterize(pixels, depth, scene.faces, bounds=(0, 0, width, height), opaque=scene.opaque)


def _creases(depth: Floats, covered: NDArray[np.bool_], reach: int) -> Floats:
    """Return (H, W) how much of the light around reaches each pixel: less in gaps."""
    shown = covered.astype(np.float32)
    share = np.maximum(cv2.blur(shown, (reach, reach)), 1e-3)
    around = cv2.blur((depth * shown).astype(np.float32), (reach, reach)) / share
    return np.asarray(1 - 0.6 * np.clip((depth - around) / CREASE_DM, 0, 1) * covered)


def draw(
    assets: Assets,
    surfaces: Sequence[Surface],
    view: View,
    light: Light,
    *,
    box: Box,
    size: tuple[int, int],
) -> tuple[Floats, NDArray[np.bool_]]:
    """Draw a person.

    Args:
        assets: has the textures.
        surfaces: of the person.
        view: the camera.
        light: the lamps.
        box: what of the image plane is drawn.
        size: width and height of the drawing in pixels.

    Returns:
        (H, W, 3) light that comes back, blue green red, linear, 1 is white; and (H, W) true where
        the person is.
    """
    scene = _Scene(assets, surfaces, view)
    found = _rastered(scene, box, size)
    rest = found.at(scene.rest, scene.faces)
    parts = scene.part[found.face]
    albedo = np.empty((len(found), 3))
    for part, surface in enumerate(surfaces):
        at = np.flatnonzero(parts == part)
        if not len(at):
            continue
        texels = scene.texels(part, found.face[at], found.mix[at])[:, 2::-1] / 255
        texture = scene.textures[part]
        level = 1.0 if texture is None else _level(texture)
        albedo[at] = colours(surface.paint, texels, rest[at], level=level)[:, ::-1]
    normal = found.at(normals(scene.points, scene.faces), scene.faces)
    normal[:, 2] = abs(normal[:, 2])  # what is seen faces the camera
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
    width, height = size
    depth, covered = np.zeros((height, width)), np.zeros((height, width), bool)
    depth[found.row, found.column], covered[found.row, found.column] = found.depth, True
    open_sky = _creases(depth, covered, max(3, height // 16))[found.row, found.column, None]
    shine = light.ambient * (0.75 + 0.25 * normal[:, 1:2]) * open_sky
    for direction, strength in zip(light.directions, light.strengths, strict=True):
        facing = np.clip((normal @ direction + 0.15) / 1.15, 0, 1)[:, None]
        shine = shine + strength * facing * (0.5 + 0.5 * open_sky)
    picture = np.zeros((height, width, 3))
    picture[found.row, found.column] = albedo**2.2 * shine
    return picture, covered


def _level(texture: Image) -> float:
    """Return the mean brightness of a texture where it is not clear, 0 to 1."""
    shown = texture[::4, ::4][texture[::4, ::4, 3] > 128]
    return float(shown[:, :3].mean() / 255) if len(shown) else 1.0
