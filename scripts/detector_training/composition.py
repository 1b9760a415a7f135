"""Scenes composed of cut-out people and places, with exact boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from detector_training.labelled import Image, Labelled
from detector_training.people import Cutout
from detector_training.scenery import SIZE, goods, place

MIN_VISIBLE = 0.3
"""People of whom less is seen have no box."""
SHARP = 0.5
"""Share of the people that are cut out of photographs."""
LEANING = 0.4
"""Share of the people that do not stand upright in the picture."""
DECOYS = 0.35
"""Share of scenes with things that were pasted the same way but are no people."""


@dataclass(frozen=True, slots=True)
class Material:
    """What scenes are composed of.

    Attributes:
        sharp: Cut-outs of photographs.
        coarse: Cut-outs of surveillance video, many more.
        windows: Pieces of photographs without people.
        empty: Views of real cameras without people.
        real: Photographs and frames whose own people have boxes.
    """

    sharp: Sequence[Cutout]
    coarse: Sequence[Cutout]
    windows: Sequence[Image]
    empty: Sequence[Image]
    real: Sequence[Labelled]

    def somebody(self, rng: np.random.Generator) -> Cutout:
        """Return any cut-out, of either kind often enough."""
        people = self.sharp if rng.random() < SHARP else self.coarse
        return people[rng.integers(len(people))]


def compose(material: Material, rng: np.random.Generator) -> Labelled:
    """Return one scene: a place, up to a crowd of people, and the camera's faults."""
    known = np.empty((0, 4), np.float32)
    if rng.random() < 0.25:
        image, known = _real_place(material.real[rng.integers(len(material.real))])
    else:
        image = place(material.windows, material.empty, rng)
    owner = np.zeros(image.shape[:2], np.int16)
    if rng.random() < DECOYS:
        for _ in range(int(rng.integers(1, 5))):
            _paste_decoy(image, material, rng)
    areas = _paste_people(image, owner, material, rng)
    if rng.random() < 0.5:
        _cover(image, owner, material, rng)
    kept = []
    for number, area in enumerate(areas, start=1):
        seen = owner == number
        if seen.sum() >= MIN_VISIBLE * area:
            kept.append(_extent(seen))
    left = [box for box in known if _seen(owner, box) >= 0.5]
    rows = np.array([*left, *kept], np.float32).reshape(-1, 4)
    return Labelled(filmed(image, rng), rows)


def _real_place(picture: Labelled) -> tuple[Image, NDArray[np.float32]]:
    height, width = picture.image.shape[:2]
    scale = np.array([SIZE[1] / width, SIZE[0] / height] * 2, np.float32)
    shape = scale[0] / scale[1]
    if 0.75 < shape < 1.35:
        image = cv2.resize(picture.image, SIZE[::-1], interpolation=cv2.INTER_AREA)
        return np.asarray(image, np.uint8), picture.boxes * scale
    factor = float(min(scale))
    small = cv2.resize(picture.image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    canvas = np.full((*SIZE, 3), 114, np.uint8)
    canvas[: small.shape[0], : small.shape[1]] = small[: SIZE[0], : SIZE[1]]
    return canvas, picture.boxes * np.float32(factor)


def _paste_people(
    image: Image, owner: NDArray[np.int16], material: Material, rng: np.random.Generator
) -> list[float]:
    """Paste people far to near, owners from 1 on; return the areas of their silhouettes."""
    count = int(rng.choice([0, 1, 2, 3, 5, 8, 12], p=[0.04, 0.08, 0.14, 0.2, 0.24, 0.2, 0.1]))
    # Everybody on one floor: the lower the feet, the taller the person.
    horizon = rng.uniform(-0.2, 0.5) * SIZE[0]
    tallest = float(np.exp(rng.uniform(np.log(120), np.log(520))))
    crowd = rng.uniform(0, SIZE[1]), rng.uniform(30, 400)
    feet = np.sort(rng.uniform(max(horizon, 0) + 20, SIZE[0] * 1.15, count))
    areas: list[float] = []
    for foot in feet:
        person = material.somebody(rng)
        near = (foot - horizon) / (SIZE[0] * 1.1 - horizon)
        height = tallest * near * rng.uniform(0.85, 1.15)
        if height < 16:
            continue
        width = height * person.image.shape[1] / person.image.shape[0] * rng.uniform(0.85, 1.15)
        if not person.whole and rng.random() < 0.7:
            foot = SIZE[0] + rng.uniform(0, 0.3) * height  # noqa: PLW2901 - cut off by the picture
        middle = rng.normal(*crowd) if rng.random() < 0.3 else rng.uniform(-0.03, 1.03) * SIZE[1]
        top_left = int(middle - width / 2), int(foot - height)
        pasted = _paste(image, person, top_left, (max(3, int(width)), int(height)), rng)
        if pasted is None:
            continue
        window, inside = pasted
        owner[window][inside] = len(areas) + 1
        areas.append(max(float(inside.sum()), 0.3 * float(_area(person, width, height))))
    return areas


def _extent(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the corners around what is seen of somebody, as detectors of real video give them."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float32)


def _area(person: Cutout, width: float, height: float) -> float:
    """Pixels of a whole silhouette at some size."""
    return float(person.alpha.mean()) * width * height


def _paste(
    image: Image,
    person: Cutout,
    top_left: tuple[int, int],
    size: tuple[int, int],
    rng: np.random.Generator,
) -> tuple[tuple[slice, slice], NDArray[np.bool_]] | None:
    """Draw a person; return the window and which of its pixels are the person."""
    person, size = _leaning(person, size, rng) if rng.random() < LEANING else (person, size)
    width, height = size
    how = cv2.INTER_AREA if height < person.image.shape[0] else cv2.INTER_CUBIC
    body = cv2.resize(person.image, size, interpolation=how).astype(np.float32)
    alpha = cv2.resize(person.alpha, size, interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.5:
        body, alpha = body[:, ::-1], alpha[:, ::-1]
    body = body * rng.uniform(0.75, 1.2) * rng.uniform(0.92, 1.08, 3) + rng.uniform(-12, 12)
    if rng.random() < 0.3:
        alpha = cv2.GaussianBlur(np.ascontiguousarray(alpha), (0, 0), rng.uniform(0.5, 2))
    x, y = top_left
    x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + width, SIZE[1]), min(y + height, SIZE[0])
    if x1 - x0 < 0.25 * width or y1 - y0 < 0.25 * height or x1 - x0 < 3 or y1 - y0 < 8:
        return None
    alpha = alpha[y0 - y : y1 - y, x0 - x : x1 - x]
    inside = alpha > 0.5
    if not inside.any():
        return None
    window = np.s_[y0:y1, x0:x1]
    share = alpha[..., None]
    mixed = image[window] * (1 - share) + body[y0 - y : y1 - y, x0 - x : x1 - x] * share
    image[window] = np.clip(mixed, 0, 255).astype(np.uint8)
    return window, inside


def _leaning(
    person: Cutout, size: tuple[int, int], rng: np.random.Generator
) -> tuple[Cutout, tuple[int, int]]:
    """Turn a cut-out as wide lenses and high cameras do; return it with its new size."""
    height, width = person.alpha.shape
    angle = float(np.clip(rng.normal(0, 12), -35, 35))
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1)
    cosine, sine = abs(turn[0, 0]), abs(turn[0, 1])
    wide, high = int(width * cosine + height * sine) + 1, int(width * sine + height * cosine) + 1
    turn[:, 2] += (wide - width) / 2, (high - height) / 2
    image = cv2.warpAffine(person.image, turn, (wide, high), borderMode=cv2.BORDER_REPLICATE)
    alpha = cv2.warpAffine(person.alpha, turn, (wide, high))
    rows, columns = np.flatnonzero(alpha.max(axis=1) > 0.5), np.flatnonzero(alpha.max(axis=0) > 0.5)
    if not len(rows) or not len(columns):
        return person, size
    window = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    turned = Cutout(np.asarray(image[window], np.uint8), alpha[window], person.whole)
    scale = size[1] / height, size[0] / width
    shape = turned.alpha.shape
    return turned, (max(3, int(shape[1] * scale[1])), max(8, int(shape[0] * scale[0])))


def _paste_decoy(image: Image, material: Material, rng: np.random.Generator) -> None:
    """Paste a piece of a place in the outline of a person lying on its side or upside down.

    Edges of pasting must not give people away.
    """
    person = material.somebody(rng)
    window = material.windows[rng.integers(len(material.windows))]
    turn = rng.choice([cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_180, cv2.ROTATE_90_COUNTERCLOCKWISE])
    alpha = np.asarray(cv2.rotate(person.alpha, int(turn)), np.float32)
    texture = cv2.resize(window, alpha.shape[::-1], interpolation=cv2.INTER_AREA)
    height = float(np.exp(rng.uniform(np.log(30), np.log(300))))
    width = height * alpha.shape[1] / alpha.shape[0]
    spot = int(rng.uniform(0, SIZE[1]) - width / 2), int(rng.uniform(0, SIZE[0]) - height / 2)
    thing = Cutout(np.asarray(texture, np.uint8), alpha, whole=True)
    _paste(image, thing, spot, (max(3, int(width)), max(8, int(height))), rng)


def _cover(
    image: Image, owner: NDArray[np.int16], material: Material, rng: np.random.Generator
) -> None:
    """Put things in front of people: counters, pillars, shelves."""
    for _ in range(int(rng.integers(1, 4))):
        if rng.random() < 0.6:  # a counter, wide and low
            h, w = int(rng.integers(30, 180)), int(rng.integers(100, 500))
            x, y = int(rng.integers(0, SIZE[1] - 50)), int(rng.integers(SIZE[0] // 3, SIZE[0]))
        else:
            h, w = int(rng.integers(150, SIZE[0])), int(rng.integers(10, 70))
            x, y = int(rng.integers(0, SIZE[1] - 10)), int(rng.integers(0, SIZE[0] // 2))
        window = np.s_[y : min(y + h, SIZE[0]), x : min(x + w, SIZE[1])]
        target = image[window]
        kind = rng.random()
        if kind < 0.4:
            target[:] = rng.uniform(20, 230, 3)
        elif kind < 0.7:
            target[:] = goods(target.shape[:2], material.windows, rng)
        else:
            texture = material.windows[rng.integers(len(material.windows))]
            target[:] = cv2.resize(texture, target.shape[1::-1], interpolation=cv2.INTER_AREA)
        owner[window] = -1


def _seen(owner: NDArray[np.int16], box: NDArray[np.float32]) -> float:
    """Share of a box that nothing was pasted over."""
    left, top, right, bottom = (int(edge) for edge in box)
    part = owner[top : bottom + 1, left : right + 1]
    return float((part == 0).mean()) if part.size else 0.0


def filmed(image: Image, rng: np.random.Generator) -> Image:
    """Return a picture as a surveillance camera would give it."""
    picture = image
    if rng.random() < 0.3:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.6)), np.uint8)
    if rng.random() < 0.1:
        length = int(rng.integers(3, 10))
        picture = np.asarray(cv2.blur(picture, (length, 1)), np.uint8)
    if rng.random() < 0.25:  # coarse video, scaled up
        scale = rng.uniform(0.4, 0.9)
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        picture = np.asarray(cv2.resize(small, SIZE[::-1]), np.uint8)
    if rng.random() < 0.5:
        noise = rng.normal(0, rng.uniform(1, 9), picture.shape).astype(np.float32)
        picture = np.clip(picture + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 80))]
        coded = cv2.imencode(".jpg", picture, quality)[1]
        picture = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
    return picture
