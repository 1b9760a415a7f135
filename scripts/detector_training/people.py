"""People cut out of photographs and of re-identification crops, to be put anywhere else."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from detector_training.labelled import Image
from reid_model.segmentation.masker import PersonMasker
from reid_model.training.photographs import Photograph, person_boxes

BORDER = 3
"""A person this near to the edge of a photograph is cut off by it, pixels."""
TALLEST = 420
"""Cut-outs are kept at this height at most: no pasted person is larger."""
MAX_SHAPE = 1.6
"""Pieces of a mask wider than this many heights are groups lying across, or mistakes."""
CROPS_PER_IDENTITY = 6
PERSON_SHARE = 0.15, 0.75
"""Of a re-identification crop; masks outside of this have failed."""


@dataclass(frozen=True, slots=True, eq=False)
class Cutout:
    """A person without anything around.

    Attributes:
        image: (H, W, 3) uint8 BGR, cut tightly around the person.
        alpha: (H, W) float32, 0 outside and 1 inside the person.
        whole: Whether the feet are on it; others stand behind something or are cut off.
    """

    image: Image
    alpha: NDArray[np.float32]
    whole: bool


def from_photographs(photographs: Sequence[Photograph]) -> list[Cutout]:
    """Return everybody whose mask stands alone on a photograph."""
    found = []
    for box in person_boxes(photographs):
        width, height = box.right - box.left, box.bottom - box.top
        if height < 60 or width > MAX_SHAPE * height:
            continue
        photograph = photographs[box.photograph]
        pieces = cv2.connectedComponents(photograph.mask.astype(np.uint8))[1]
        window = np.s_[box.top : box.bottom, box.left : box.right]
        inside = pieces[window]
        numbers, counts = np.unique(inside[inside > 0], return_counts=True)
        mask = inside == numbers[counts.argmax()]
        whole = box.bottom < photograph.image.shape[0] - BORDER and height > 1.6 * width
        found.append(_cutout(photograph.image[window], mask, whole=whole))
    return found


def from_crops(folder: Path, *, without: Collection[str], seed: int) -> list[Cutout]:
    """Return people of Market-1501 crops, cut out by the package's segmentation.

    Args:
        folder: Images named ``0002_c1s1_000451_03.jpg``.
        without: Identities (``0002``) that must not be used.
        seed: Of the choice of crops.
    """
    by_identity: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.glob("*.jpg")):
        if re.match(r"\d{4}_c\d", path.name) and path.name[:4] not in without:
            by_identity[path.name[:4]].append(path)
    rng = np.random.default_rng(seed)
    chosen = []
    for paths in by_identity.values():
        take = min(CROPS_PER_IDENTITY, len(paths))
        chosen += [paths[row] for row in rng.choice(len(paths), take, replace=False)]
    images = [np.asarray(cv2.imread(str(path)), np.uint8) for path in chosen]
    found = []
    for image, mask in zip(images, PersonMasker().masks(images), strict=True):
        solid = _largest_piece(mask)
        if PERSON_SHARE[0] < solid.mean() < PERSON_SHARE[1]:
            rows, columns = np.flatnonzero(solid.any(axis=1)), np.flatnonzero(solid.any(axis=0))
            window = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
            if rows[-1] - rows[0] > 0.7 * image.shape[0]:
                found.append(_cutout(image[window], solid[window], whole=True))
    return found


def _largest_piece(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    if count < 2:
        return mask
    return np.asarray(pieces == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax()))


def _cutout(image: Image, mask: NDArray[np.bool_], *, whole: bool) -> Cutout:
    scale = min(1.0, TALLEST / image.shape[0])
    size = max(4, round(image.shape[1] * scale)), max(4, round(image.shape[0] * scale))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    alpha = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return Cutout(np.asarray(small, np.uint8), np.asarray(alpha, np.float32), whole)
