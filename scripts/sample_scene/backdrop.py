"""The picture of the empty building from one camera, with its depths."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .camera import Camera
from .lighting import bake, emission
from .materials import albedo_of
from .mesh import Floats
from .raster import rasterize
from .rays import first_hits
from .world import BOXES, Box, plants


@dataclass(frozen=True, slots=True)
class Backdrop:
    """What a camera sees when nobody is there.

    Attributes:
        picture: (H, W, 3) light, linear.
        depth: (H, W) metres along the optical axis.
        ground: (H, W, 2) where on the floor each pixel lies, NaN where there is no floor.
    """

    picture: NDArray[np.float32]
    depth: NDArray[np.float32]
    ground: NDArray[np.float32]


def _normals(points: Floats, box: Box) -> Floats:
    low, high = np.array(box.low), np.array(box.high)
    away = np.concatenate([np.abs(points - low), np.abs(points - high)], axis=1)
    side = away.argmin(1)
    normals = np.zeros_like(points)
    normals[np.arange(len(points)), side % 3] = np.where(side < 3, -1.0, 1.0)
    return normals


def paint_backdrop(camera: Camera, *, zoom: float) -> Backdrop:
    """Draw the empty building.

    Args:
        camera: seen from where.
        zoom: pixels drawn per pixel of the clip.
    """
    rays = camera.rays(zoom=zoom)
    shape = rays.shape[:2]
    flat = rays.reshape(-1, 3)
    origin = np.array(camera.place)
    depth, which = first_hits(origin, flat, BOXES)
    points = origin + flat * np.where(np.isfinite(depth), depth, 0)[:, None]
    colour = np.zeros_like(points) + np.array([0.55, 0.68, 0.85])
    normals = np.zeros_like(points)
    for index in np.unique(which[which >= 0]):
        seen = which == index
        box = BOXES[index]
        normals[seen] = _normals(points[seen], box)
        colour[seen] = albedo_of(box.material, points[seen], normals[seen])
    solid = which >= 0
    colour[solid] *= bake(points[solid], normals[solid])
    colour[solid] += emission(points[solid], normals[solid])
    ground = np.where((normals[:, 2:] > 0.9) & (points[:, 2:] < 0.01), points[:, :2], np.nan)
    picture = colour.reshape(*shape, 3)
    depths, ground = depth.reshape(shape), ground.reshape(*shape, 2)
    _add_plants(picture, depths, ground, camera, zoom=zoom)
    return Backdrop(
        picture.astype(np.float32), depths.astype(np.float32), ground.astype(np.float32)
    )


def _add_plants(
    picture: Floats, depths: Floats, ground: Floats, camera: Camera, *, zoom: float
) -> None:
    """Draw the plants into picture, depths and ground, in place."""
    mesh, colours = plants()
    pixels, depth = camera.project(mesh.points, zoom=zoom)
    height, width = depths.shape
    seen = rasterize(pixels, depth, mesh.faces, bounds=(0, 0, width, height))
    near = seen.depth < depths[seen.row, seen.column]
    normals = seen.at(mesh.normals, mesh.faces)[near]
    places = seen.at(mesh.points, mesh.faces)[near]
    row, column = seen.row[near], seen.column[near]
    picture[row, column] = colours[seen.face[near]] * bake(places, normals, shadows=False)
    depths[row, column] = seen.depth[near]
    ground[row, column] = np.nan
