"""Photographs with masks, and crops of the people on them as a camera's detector would cut them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from reid_model.data.images import read_table
from reid_model.data.pixels import read_crop
from reid_model.errors import DatasetError

__all__ = [
    "PersonBox",
    "Photograph",
    "person_boxes",
    "random_crop",
    "read_photographs",
    "steady_crop",
]

MAX_SIDE = 640
"""Photographs are kept at this size at most: the network sees 128 pixels of height."""
SHAPE_TOLERANCE = 0.02
"""Masks may be smaller than their image; their proportions may differ by rounding."""
MIN_AREA = 0.01
"""People on less of the picture than this are too small to learn from."""

Image = NDArray[np.uint8]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Photograph:
    """A picture and which of its pixels are people.

    Attributes:
        path: The file.
        image: ``(H, W, 3)`` uint8 BGR.
        mask: ``(H, W)``.
    """

    path: Path
    image: Image
    mask: Mask


@dataclass(frozen=True, slots=True)
class PersonBox:
    """Where one person, or people who touch, stand on a photograph: pixels, right end open."""

    photograph: int
    left: int
    top: int
    right: int
    bottom: int


def read_photographs(source: Path) -> list[Photograph]:
    """Read a CSV with the columns images and masks, whose paths are relative to its folder.

    Raises:
        DatasetError: A row names a missing or damaged file, or a mask of another shape.
    """
    photographs = []
    for row, (image_name, mask_name) in enumerate(
        read_table(source, columns=("images", "masks")), start=2
    ):
        paths = source.parent / image_name, source.parent / mask_name
        for path in paths:
            if not path.is_file():
                raise DatasetError(f"{source} row {row}: {path} does not exist")
        image, mask = (read_crop(path) for path in paths)
        shapes = [each.shape[1] / each.shape[0] for each in (image, mask)]
        if abs(shapes[0] / shapes[1] - 1) > SHAPE_TOLERANCE:
            raise DatasetError(
                f"{source} row {row}: mask {mask_name} is {mask.shape[1]}x{mask.shape[0]}, the "
                f"image {image.shape[1]}x{image.shape[0]}; expected the same proportions"
            )
        scale = min(1.0, MAX_SIDE / max(image.shape[:2]))
        size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        share = cv2.resize(mask[..., 0], size, interpolation=cv2.INTER_AREA)
        photographs.append(Photograph(paths[0], np.asarray(small, np.uint8), share > 127))
    return photographs


def person_boxes(photographs: Sequence[Photograph]) -> list[PersonBox]:
    """Return a box for every connected piece of the masks that is large enough."""
    boxes = []
    for number, photograph in enumerate(photographs):
        pieces, _, stats, _ = cv2.connectedComponentsWithStats(photograph.mask.astype(np.uint8))
        for left, top, width, height, area in stats[1:pieces]:
            if area >= MIN_AREA * photograph.mask.size:
                boxes.append(
                    PersonBox(number, int(left), int(top), int(left + width), int(top + height))
                )
    return boxes


def steady_crop(
    photograph: Photograph, box: PersonBox, size: tuple[int, int]
) -> tuple[Image, Mask]:
    """Return the crop of a box with a small margin, and its mask, at ``(height, width)``."""
    pad_x, pad_y = 0.05 * (box.right - box.left), 0.03 * (box.bottom - box.top)
    edges = (box.left - pad_x, box.top - pad_y, box.right + pad_x, box.bottom + pad_y)
    return _cut(photograph, edges, size)


def random_crop(
    photograph: Photograph, box: PersonBox, size: tuple[int, int], rng: np.random.Generator
) -> tuple[Image, Mask]:
    """Return a crop as detectors cut them: off centre, cut off, coarse, tinted, mirrored.

    Wide boxes are narrowed to a part, so that its shape is near that of a standing person.
    """
    width, height = box.right - box.left, box.bottom - box.top
    left, right = float(box.left), float(box.right)
    top, bottom = float(box.top), float(box.bottom)
    widest = height * rng.uniform(0.4, 0.8)
    if width > widest:
        left += rng.uniform(0, width - widest)
        right = left + widest
    if rng.random() < 0.4:
        bottom -= height * rng.uniform(0, 0.5)
    margins = rng.uniform(-0.1, 0.25, 4) * (right - left, bottom - top, right - left, bottom - top)
    edges = (left - margins[0], top - margins[1] / 2, right + margins[2], bottom + margins[3] / 2)
    image, mask = _cut(photograph, edges, size)
    if rng.random() < 0.5:
        image, mask = image[:, ::-1], mask[:, ::-1]
    return _weathered(image, rng), np.ascontiguousarray(mask)


def _weathered(image: Image, rng: np.random.Generator) -> Image:
    """Make a photograph look like a piece of surveillance video."""
    changed = np.ascontiguousarray(image)
    height, width = changed.shape[:2]
    if rng.random() < 0.6:
        scale = rng.uniform(0.3, 0.9)
        small = (max(8, round(width * scale)), max(16, round(height * scale)))
        changed = cv2.resize(
            cv2.resize(changed, small, interpolation=cv2.INTER_AREA), (width, height)
        )
    gain = rng.uniform(0.5, 1.25) * rng.uniform(0.85, 1.15, 3)
    levels = changed * gain + rng.uniform(-25, 25) + rng.normal(0, rng.uniform(0, 8), changed.shape)
    return np.clip(levels, 0, 255).astype(np.uint8)


def _cut(
    photograph: Photograph, edges: tuple[float, float, float, float], size: tuple[int, int]
) -> tuple[Image, Mask]:
    """Cut out and scale a part; what lies outside the photograph repeats its border."""
    left, top, right, bottom = edges
    height, width = size
    matrix = np.array(
        [
            [width / max(right - left, 1), 0, -left * width / max(right - left, 1)],
            [0, height / max(bottom - top, 1), -top * height / max(bottom - top, 1)],
        ]
    )
    image = cv2.warpAffine(
        photograph.image,
        matrix,
        (width, height),
        flags=cv2.INTER_AREA,
        borderMode=cv2.BORDER_REPLICATE,
    )
    mask = cv2.warpAffine(photograph.mask.astype(np.uint8) * 255, matrix, (width, height))
    return np.asarray(image, np.uint8), mask > 127
