"""Crops as a detector would cut them from footage of a person in a place."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.datatypes import Image
from pipeline.errors import ReidPipelineError
from sample_scene.mesh import Floats

from .assets import Assets
from .person import Person
from .picture import Box, box_around, draw, sample_light, sample_view
from .poses import sample_pose

CROP_SIZE = (128, 256)
"""Width and height in pixels."""
DRAWN_SIZE = (192, 384)
"""What is drawn before the camera's blur."""
MASK_SIZE = (32, 64)


def _loose(box: Box, rng: np.random.Generator) -> Box:
    """Return a detector's box: a little too large or too small, now and then without the feet."""
    width, height = box.right - box.left, box.top - box.bottom
    # Boxes of people seen from the side are hardly ever as narrow as they are.
    more = max(0.0, (rng.uniform(0.38, 0.5) * height - width) / 2)
    sides = rng.normal(0.02, 0.035, 4) * height
    left, right = box.left - more - sides[0], box.right + more + sides[1]
    top, bottom = box.top + 0.7 * sides[2], box.bottom - 0.7 * sides[3]
    do = rng.random()
    if do < 0.12:
        bottom += rng.uniform(0.05, 0.35) * height
    elif do < 0.2:
        left += rng.uniform(0.1, 0.3) * width
    elif do < 0.28:
        right -= rng.uniform(0.1, 0.3) * width
    return Box(left, top, right, bottom)


def _decoded(coded: bytes) -> Image:
    picture = cv2.imdecode(np.frombuffer(coded, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise ReidPipelineError("a picture of a place cannot be read: make the folder anew")
    return np.asarray(picture, np.uint8)


def _place(places: Sequence[bytes], rng: np.random.Generator, size: tuple[int, int]) -> Floats:
    """Return (H, W, 3) a place behind the person, linear; plain where there are no places."""
    if not places:
        shade = rng.uniform(0.1, 0.6, (2, 1, 3))
        return np.asarray(np.broadcast_to(np.repeat(shade, size[1] // 2, 0), (size[1], size[0], 3)))
    picture = _decoded(places[int(rng.integers(len(places)))])
    if rng.random() < 0.5:
        picture = picture[:, ::-1]
    picture = cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC)
    return np.asarray((picture / 255) ** 2.2)


def _shadowed(place: Floats, covered: NDArray[np.bool_], rng: np.random.Generator) -> Floats:
    """Return a place with the soft shadow of the person on the floor around the feet."""
    rows, columns = np.nonzero(covered)
    if not len(rows):
        return place
    height, width = covered.shape
    foot = rows.max()
    near = columns[rows > foot - 0.08 * height]
    shade = np.zeros((height, width), np.float32)
    middle = (float(near.mean() + rng.normal(0, 0.05) * width), float(foot - 0.01 * height))
    axes = (float(np.ptp(near) * 0.55 + 0.12 * width), 0.035 * height)
    cv2.ellipse(shade, (middle, (2 * axes[0], 2 * axes[1]), 0.0), 1.0, -1)
    shade = cv2.GaussianBlur(shade, (0, 0), 0.025 * height)
    return np.asarray(place * (1 - rng.uniform(0.3, 0.7) * shade[:, :, None]))


def _sensed(scene: Floats, rng: np.random.Generator) -> Image:
    """Return (H, W, 3) what a camera makes of light: exposure, colour, blur, grain, a codec."""
    gains = np.exp(rng.normal(0, 0.22)) * np.clip(rng.normal(1, 0.07, 3), 0.75, 1.3)
    picture = np.clip(scene * gains, 0, 1) ** (1 / rng.uniform(1.9, 2.5))
    grey = picture.mean(2, keepdims=True)
    picture = grey + (picture - grey) * rng.uniform(0.5, 1.15)
    haze = rng.uniform(0, 0.1)
    picture = haze + (1 - haze - rng.uniform(0, 0.08)) * picture
    width, height = CROP_SIZE
    tall = int(np.exp(rng.uniform(np.log(90), np.log(420))))
    if tall < height:
        small = (max(8, tall // 2), tall)
        picture = cv2.resize(picture, small, interpolation=cv2.INTER_AREA)
    picture = cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(0.2, 0.8)))
    picture = picture + rng.normal(0, rng.uniform(0, 0.025), picture.shape)
    coded = np.asarray(np.clip(255 * picture + 0.5, 0, 255), np.uint8)
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 95))]
    decoded = _decoded(cv2.imencode(".jpg", coded, quality)[1].tobytes())
    return np.asarray(cv2.resize(decoded, (width, height), interpolation=cv2.INTER_CUBIC))


def film(
    assets: Assets, person: Person, places: Sequence[bytes], rng: np.random.Generator
) -> tuple[Image, NDArray[np.bool_]]:
    """Film a person with a camera, a light, a pose and a place of their own.

    Args:
        assets: has the textures.
        person: who is filmed.
        places: coded pictures of places without people, to stand in.
        rng: draws all that varies.

    Returns:
        (256, 128, 3) the crop, and (64, 32) true where the person is.
    """
    girth = 12 * max(0.0, person.shape.weight - 0.5)
    surfaces = person.surfaces(sample_pose(rng, girth=girth))
    view, light = sample_view(rng), sample_light(rng)
    box = _loose(box_around(surfaces, view), rng)
    size = DRAWN_SIZE
    lit, covered = draw(assets, surfaces, view, light, box=box, size=size)
    behind = _shadowed(_place(places, rng, size), covered, rng)
    scene = np.where(covered[:, :, None], lit, behind)
    scene = cv2.resize(scene, CROP_SIZE, interpolation=cv2.INTER_AREA)
    shares = cv2.resize(covered.astype(np.float32), MASK_SIZE, interpolation=cv2.INTER_AREA)
    return _sensed(scene, rng), shares > 0.5
