"""One frame after the other: people before the backdrop, through the lens, with ground truth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from .actor import Actor, cover, shade
from .backdrop import Backdrop, paint_backdrop
from .camera import Camera
from .gait import Stance
from .lighting import floor_shadow, light_at, shadow_at
from .mesh import Floats
from .raster import Fragments
from .routes import ROUTES, Walk
from .wardrobe import PEOPLE

SMALLEST_VISIBLE = 0.02
"""People of whom less is seen are not in the ground truth."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """One row of ground truth.

    Attributes:
        frame: 0-based.
        identity: from 1, the same in all cameras.
        box: left, top, width and height of the whole silhouette within the picture, pixels.
        visible: share of the whole silhouette that is seen, 0 to 1.
    """

    frame: int
    identity: int
    box: tuple[float, float, float, float]
    visible: float


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A person of whom something lies in the picture, before anything hides it.

    Attributes:
        identity: from 1.
        actor: who.
        stance: how it stands.
        points: (V, 3) the mesh in the world.
        turns: (V, 3, 3) how each point of the mesh is turned.
        whole: all pixels of the silhouette, up to a picture's size beyond the border.
        inside: those within the picture.
    """

    identity: int
    actor: Actor
    stance: Stance
    points: Floats
    turns: Floats
    whole: Fragments
    inside: Fragments


class Cast:
    """The actors with their walks."""

    def __init__(self) -> None:
        self.actors = [Actor.of(person) for person in PEOPLE]
        self._walks = [
            Walk(route, stride=actor.stride, phase=0.37 * number)
            for number, (route, actor) in enumerate(zip(ROUTES, self.actors, strict=True))
        ]

    def present(self, seconds: float) -> list[tuple[int, Actor, Stance]]:
        """Return identity, actor and stance of everyone in the world at a time."""
        everyone = [
            (number + 1, actor, walk.at(seconds))
            for number, (actor, walk) in enumerate(zip(self.actors, self._walks, strict=True))
        ]
        return [(identity, actor, stance) for identity, actor, stance in everyone if stance]


class Film:
    """What one camera records.

    Args:
        camera: which.
        cast: the people.
        seed: of the sensor's noise.
        zoom: pixels drawn per pixel of the clip, along each axis.
    """

    def __init__(self, camera: Camera, cast: Cast, *, seed: int = 0, zoom: int = 2) -> None:
        self.camera = camera
        self._cast = cast
        self._seed = seed
        self._zoom = zoom

    @cached_property
    def _backdrop(self) -> Backdrop:
        return paint_backdrop(self.camera, zoom=self._zoom)

    def frames(
        self, *, rate: float, seconds: float, start: float = 0.0
    ) -> Iterator[tuple[NDArray[np.uint8], list[Sighting]]]:
        """Yield (H, W, 3) RGB pictures with the people in them."""
        for index in range(round(rate * seconds)):
            yield self.frame(index, start + index / rate)

    def frame(self, index: int, seconds: float) -> tuple[NDArray[np.uint8], list[Sighting]]:
        """Return the picture at a time, with the people in it by identity."""
        backdrop = self._backdrop
        light = backdrop.picture.copy()
        depth = backdrop.depth.copy()
        present = self._cast.present(seconds)
        for _, actor, stance in present:
            self._darken(light, actor, stance)
        drawn = [one for one in (self._draw(*each) for each in present) if one is not None]
        for one in drawn:
            seen = one.inside
            nearer = seen.depth < depth[seen.row, seen.column]
            depth[seen.row[nearer], seen.column[nearer]] = seen.depth[nearer]
        sightings = []
        for one in drawn:
            inside = one.inside
            # Equal depths are this person's own: float32 rounding is the same for both.
            seen = inside.take(inside.depth.astype(np.float32) <= depth[inside.row, inside.column])
            light[seen.row, seen.column] = shade(
                one.actor,
                one.points,
                one.turns,
                seen,
                camera=self.camera,
                light=light_at(one.stance.position),
            )
            visible = len(seen) / len(one.whole)
            if visible >= SMALLEST_VISIBLE:
                sightings.append(Sighting(index, one.identity, self._box(inside), visible))
        return self._develop(light, index), sightings

    def _draw(self, identity: int, actor: Actor, stance: Stance) -> _Drawn | None:
        """Find the pixels of a person, or None for one outside the picture."""
        points, turns = actor.posed(stance)
        pixels, depth = self.camera.project(points)
        near = pixels[depth > 0.1]
        if not len(near) or (near.max(0) < 0).any() or (near.min(0) > self.camera.size).any():
            return None
        whole = cover(actor, points, self.camera, zoom=self._zoom)
        width, height = (side * self._zoom for side in self.camera.size)
        within = (whole.column >= 0) & (whole.column < width)
        within &= (whole.row >= 0) & (whole.row < height)
        if not within.any():
            return None
        inside = whole.take(within)
        return _Drawn(identity, actor, stance, points, turns, whole, inside)

    def _box(self, seen: Fragments) -> tuple[float, float, float, float]:
        """Return left, top, width and height in pixels of the clip."""
        left, top = seen.column.min(), seen.row.min()
        right, bottom = seen.column.max() + 1, seen.row.max() + 1
        zoom = self._zoom
        return (left / zoom, top / zoom, (right - left) / zoom, (bottom - top) / zoom)

    def _darken(self, light: NDArray[np.float32], actor: Actor, stance: Stance) -> None:
        """Put a person's shadow on the floor, in place."""
        points, _ = actor.posed(stance)
        corner = points[actor.mesh.faces]
        cross = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
        areas = 0.25 * np.abs(cross[:, 2])
        cell = 0.03
        dark, low = floor_shadow(corner.mean(1), areas, shadow_at(stance.position), cell=cell)
        rows, columns = dark.shape
        corners = np.array(
            [
                (low[0] + x * columns * cell, low[1] + y * rows * cell, 0.0)
                for x in (0, 0.5, 1)
                for y in (0, 0.5, 1)
            ]
        )
        pixels, depth = self.camera.project(corners, zoom=self._zoom)
        if (depth < 0.3).any():
            return
        height, width = light.shape[:2]
        left, top = np.clip(np.floor(pixels.min(0)), 0, [width, height]).astype(int)
        right, bottom = np.clip(np.ceil(pixels.max(0)), 0, [width, height]).astype(int)
        if right <= left or bottom <= top:
            return
        ground = self._backdrop.ground[top:bottom, left:right]
        at = (ground - np.array(low, np.float32)) / np.float32(cell) - 0.5
        at = np.nan_to_num(at, nan=-9.0).astype(np.float32)
        amount = cv2.remap(
            dark.astype(np.float32), at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderValue=0.0
        )
        light[top:bottom, left:right] *= (1 - amount)[..., None]

    def _develop(self, light: NDArray[np.float32], index: int) -> NDArray[np.uint8]:
        """Turn light into a picture: lens, exposure, tone curve and noise."""
        small = cv2.resize(light, self.camera.size, interpolation=cv2.INTER_AREA)
        small = cv2.GaussianBlur(small, (0, 0), 0.45)
        exposed = np.clip(small * np.array(self.camera.balance, np.float32), 0, None)
        # A soft shoulder keeps lamps and white shirts from clipping.
        toned = np.where(exposed < 0.6, exposed, 0.6 + 0.4 * np.tanh((exposed - 0.6) / 0.4))
        picture = toned ** np.float32(1 / 2.2) * 255
        number = sum(ord(letter) for letter in self.camera.name)
        noise = np.random.default_rng([self._seed, number, index])
        grain = noise.standard_normal(picture.shape, np.float32) * self.camera.grain
        return np.asarray(np.clip(picture + grain, 0, 255).round(), np.uint8)
