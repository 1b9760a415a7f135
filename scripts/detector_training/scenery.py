"""Places without people: pieces of photographs, empty frames of videos, drawn rooms and shelves."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from detector_training.labelled import Image, Labelled

SIZE = 480, 832
"""(height, width) of composed pictures, pixels."""
CLEARANCE = 12
"""A piece of a photograph keeps this distance to the people on it, pixels."""
TRIES = 200


def empty_windows(
    pictures: Sequence[Labelled], masks: Sequence[NDArray[np.bool_]], *, seed: int
) -> list[Image]:
    """Return pieces of photographs on which neither a box nor a mask says person."""
    rng = np.random.default_rng(seed)
    found = []
    for picture, mask in zip(pictures, masks, strict=True):
        taken = cv2.dilate(mask.astype(np.uint8), np.ones((CLEARANCE, CLEARANCE), np.uint8)) > 0
        for left, top, right, bottom in picture.boxes.astype(int):
            taken[
                max(0, top - CLEARANCE) : bottom + CLEARANCE,
                max(0, left - CLEARANCE) : right + CLEARANCE,
            ] = True
        height, width = taken.shape
        filled = np.pad(taken.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
        best: tuple[int, Image] | None = None
        for _ in range(TRIES):
            h, w = int(height * rng.uniform(0.25, 0.95)), int(width * rng.uniform(0.25, 0.95))
            y, x = int(rng.integers(0, height - h + 1)), int(rng.integers(0, width - w + 1))
            people = filled[y + h, x + w] - filled[y, x + w] - filled[y + h, x] + filled[y, x]
            if people == 0 and (best is None or h * w > best[0]):
                best = h * w, picture.image[y : y + h, x : x + w]
        if best is not None and best[0] > 60 * 60:
            found.append(best[1])
    return found


def median_frame(frames: Sequence[Image]) -> Image:
    """Return what a fixed camera sees when nobody is there."""
    return np.median(np.stack(frames), axis=0).astype(np.uint8)


def place(windows: Sequence[Image], empty: Sequence[Image], rng: np.random.Generator) -> Image:
    """Return a background of `SIZE` without people."""
    kind = rng.random()
    if kind < 0.25:
        image = _stretched(windows[rng.integers(len(windows))], rng)
    elif kind < 0.38 and empty:
        image = _stretched(empty[rng.integers(len(empty))], rng)
    elif kind < 0.60:
        image = _collage(windows, rng)
    else:
        image = _room(windows, rng)
    if rng.random() < 0.35:
        for _ in range(int(rng.integers(1, 5))):
            _full_shelf(image, windows, rng)
    if rng.random() < 0.5:
        _clutter(image, windows, rng)
    return image


def _stretched(image: Image, rng: np.random.Generator) -> Image:
    height, width = image.shape[:2]
    h, w = int(height * rng.uniform(0.6, 1)), int(width * rng.uniform(0.6, 1))
    y, x = int(rng.integers(0, height - h + 1)), int(rng.integers(0, width - w + 1))
    part = image[y : y + h, x : x + w]
    if rng.random() < 0.5:
        part = part[:, ::-1]
    return np.asarray(cv2.resize(part, SIZE[::-1], interpolation=cv2.INTER_AREA), np.uint8)


def _collage(windows: Sequence[Image], rng: np.random.Generator) -> Image:
    """Several places side by side, as shelves, pillars and doors cut up a view."""
    image = _stretched(windows[rng.integers(len(windows))], rng)
    for _ in range(int(rng.integers(1, 6))):
        h, w = int(rng.integers(60, SIZE[0])), int(rng.integers(60, SIZE[1] // 2))
        y, x = int(rng.integers(0, SIZE[0] - h + 1)), int(rng.integers(0, SIZE[1] - w + 1))
        part = _stretched(windows[rng.integers(len(windows))], rng)
        image[y : y + h, x : x + w] = cv2.resize(part, (w, h), interpolation=cv2.INTER_AREA)
    return image


def _room(windows: Sequence[Image], rng: np.random.Generator) -> Image:
    """A wall and a floor in perspective, plain, tiled or with the texture of a photograph."""
    height, width = SIZE
    horizon = int(height * rng.uniform(0.05, 0.5))
    wall, floor = rng.uniform(60, 230, 3), rng.uniform(40, 190, 3)
    if rng.random() < 0.5:  # most rooms are nearly grey
        wall, floor = (0.25 * c + 0.75 * c.mean() for c in (wall, floor))
    picture = np.empty((height, width, 3), np.float32)
    picture[:horizon] = wall
    picture[horizon:] = floor * np.linspace(0.75, 1.15, height - horizon)[:, None, None]
    image = np.clip(picture, 0, 255).astype(np.uint8)
    for top, bottom in ((0, horizon), (horizon, height)):
        if bottom - top > 20 and rng.random() < 0.4:
            texture = _stretched(windows[rng.integers(len(windows))], rng)[top:bottom]
            share = rng.uniform(0.2, 0.7)
            mixed = cv2.addWeighted(texture, share, image[top:bottom], 1 - share, 0)
            image[top:bottom] = mixed
    if rng.random() < 0.6:
        middle, step = width * rng.uniform(0.2, 0.8), rng.uniform(20, 90)
        colour = (floor * rng.uniform(0.7, 1.2)).tolist()
        for k in range(-14, 15):
            start = int(middle + k * step), horizon
            cv2.line(image, start, (int(middle + k * step * 6), height), colour, 1, cv2.LINE_AA)
    if rng.random() < 0.35:
        _shelves(image, rng)
    return image


def _shelves(image: Image, rng: np.random.Generator) -> None:
    """Rows of small coloured goods."""
    left, right = np.sort(rng.integers(0, SIZE[1], 2))
    top, bottom = np.sort(rng.integers(0, SIZE[0], 2))
    row = int(rng.integers(10, 40))
    for y in range(int(top), int(bottom), row):
        x = int(left)
        while x < right:
            goods = int(rng.integers(4, 24))
            colour = rng.uniform(0, 255, 3).tolist()
            high = int(row * rng.uniform(0.5, 0.95))
            cv2.rectangle(image, (x, y + row - high), (x + goods - 1, y + row - 2), colour, -1)
            x += goods


def _full_shelf(image: Image, windows: Sequence[Image], rng: np.random.Generator) -> None:
    """A leaning block full of small things, as a shop's shelves are."""
    height, width = int(rng.integers(80, SIZE[0])), int(rng.integers(80, SIZE[1]))
    block = goods((height, width), windows, rng)
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), rng.uniform(-25, 25), 1)
    turn[:, 2] += rng.uniform((-80, -80), (SIZE[1] - 80, SIZE[0] - 80))
    turn[0, 1] += rng.uniform(-0.3, 0.3)
    placed = cv2.warpAffine(block, turn, SIZE[::-1])
    inside = cv2.warpAffine(np.full((height, width), 255, np.uint8), turn, SIZE[::-1])
    image[inside > 127] = placed[inside > 127]


def goods(size: tuple[int, int], windows: Sequence[Image], rng: np.random.Generator) -> Image:
    """Return (H, W, 3): rows of bits of photographs, in the colours of packets and bottles."""
    height, width = size
    block = np.empty((height, width, 3), np.uint8)
    y = 0
    while y < height:
        row = int(rng.integers(8, 45))
        x = 0
        while x < width:
            wide = int(rng.integers(5, 40))
            source = windows[rng.integers(len(windows))]
            top = int(rng.integers(0, max(1, source.shape[0] - row)))
            left = int(rng.integers(0, max(1, source.shape[1] - wide)))
            bit = source[top : top + row, left : left + wide].astype(np.float32)
            bit = bit * rng.uniform(0.5, 1.3) + rng.uniform(-60, 60, 3)
            part = block[y : y + row, x : x + wide]
            fitted = cv2.resize(bit, part.shape[1::-1])
            part[:] = np.clip(fitted, 0, 255).astype(np.uint8)
            x += wide
        y += row
    return block


def _clutter(image: Image, windows: Sequence[Image], rng: np.random.Generator) -> None:
    """Furniture-like things, some of the size and shape of people."""
    for _ in range(int(rng.integers(1, 9))):
        h = int(rng.integers(25, 260))
        w = max(8, int(h * rng.uniform(0.2, 1.6)))
        x, y = int(rng.integers(-w // 2, SIZE[1])), int(rng.integers(-h // 2, SIZE[0]))
        colour = rng.uniform(0, 255, 3).tolist()
        kind = rng.random()
        if kind < 0.3:
            cv2.rectangle(image, (x, y), (x + w, y + h), colour, -1)
        elif kind < 0.55:
            centre, axes = (x + w // 2, y + h // 2), (max(1, w // 2), max(1, h // 2))
            cv2.ellipse(image, centre, axes, rng.uniform(0, 180), 0, 360, colour, -1, cv2.LINE_AA)
        elif kind < 0.75:
            points = rng.uniform((x, y), (x + w, y + h), (int(rng.integers(3, 8)), 2))
            cv2.fillPoly(image, [points.astype(np.int32)], colour, cv2.LINE_AA)
        else:
            x0, y0, x1, y1 = max(0, x), max(0, y), min(SIZE[1], x + w), min(SIZE[0], y + h)
            if x1 - x0 > 4 and y1 - y0 > 4:
                part = _stretched(windows[rng.integers(len(windows))], rng)
                image[y0:y1, x0:x1] = cv2.resize(part, (x1 - x0, y1 - y0))
