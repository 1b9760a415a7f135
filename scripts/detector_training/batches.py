"""Batches of pieces of pictures, always the same ones for the same step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, IterableDataset

from detector_training.distillation import DenseTeacher
from detector_training.labelled import (
    Boxes,
    Image,
    Labelled,
    Scores,
    is_finished,
    read_answers,
    read_pool,
)
from detector_training.pools import HELD_OUT, HELD_OUT_EVERY, SHARES, UNLABELLED

GREY = 114
"""What lies around a picture that does not fill its place, as in the running detector."""
MIN_INSIDE = 0.3
"""A person of whom less of the box lies within the piece has no box."""
MIN_HEIGHT = 14.0
"""Pixels; smaller people are not asked for."""
SCALES = {"photographs": (0.25, 1.0), "stock": (0.2, 1.0), "crops": (0.35, 1.0)}
USUAL_SCALES = 0.40, 1.25
"""Minimum and greatest enlargement of a kept picture."""
WHOLE_SCALES = 0.62, 0.95
"""The same where the piece is as large as what the running detector sees."""
TILT = 8.0
"""Standard deviation in degrees of how unlabelled pictures are turned; wide lenses do that."""
NOT_TAUGHT = -1.0
"""Score where the truth is known."""

Batch = Mapping[str, torch.Tensor]
Known = tuple[Path, Boxes, Scores]
"""A picture, (N, 4) boxes in pixels and (N,) how sure each is."""
Size = tuple[int, int, int]
"""Height and width of a piece, and how many there are in a batch."""


class Pieces(IterableDataset[Batch]):
    """Batches from one step on, without end.

    Args:
        folder: Pools as `make_pools` left them; of those that are missing, nothing is learnt.
        sizes: (height, width) of a piece and how many there are in a batch, by step.
        first: Step of the first batch.
        seed: Of everything random.
        teacher: Folder of the detector that is asked about every piece; none = what is on
            unlabelled pictures is what the pools' answers say.
    """

    def __init__(
        self, folder: Path, *, sizes: Sequence[Size], first: int, seed: int, teacher: Path | None
    ) -> None:
        made = [name for name in SHARES if is_finished(folder / name)]
        if not made:
            raise SystemExit(f"{folder} has no finished pool: make them with `pictures`")
        self._pools = {
            name: _learnt(name, _labels(folder / name, answered=teacher is None)) for name in made
        }
        shares = np.array([SHARES[name] for name in made])
        self._shares = shares / shares.sum()
        self._sizes, self._first, self._seed = sizes, first, seed
        self._teacher = teacher

    def __iter__(self) -> Iterator[Batch]:
        """Yield what ultralytics' losses take: img, cls, bboxes (centre, size; 0 to 1), batch_idx.

        Also certainty, (boxes,): how sure each box is. With a teacher taught, (N, anchors, 5): the teacher's corners and score, or `NOT_TAUGHT`; and
        map2, map4 and so on: what the teacher's stages give, as in `TeacherOutputs`.
        """
        cv2.setNumThreads(1)
        teacher = None if self._teacher is None else DenseTeacher(self._teacher)
        for step in range(self._first, len(self._sizes)):
            yield self._batch(step, teacher)

    def _batch(self, step: int, teacher: DenseTeacher | None) -> Batch:
        rng = np.random.default_rng((self._seed, step))
        height, width, count = self._sizes[step]
        names = rng.choice(list(self._pools), count, p=self._shares)
        images, boxes, certainty, rows = [], [], [], []
        for row, name in enumerate(names):
            pool = self._pools[name]
            path, known, sure = pool[rng.integers(len(pool))]
            image = np.asarray(cv2.imread(str(path)), np.uint8)
            whole = width > height
            scales = WHOLE_SCALES if whole else SCALES.get(name, USUAL_SCALES)
            tilt = rng.normal(0, TILT) if teacher and name in UNLABELLED else 0.0
            piece = cut(Labelled(image, known, sure), (height, width), scales, rng, tilt=tilt)
            images.append(worn(coloured(piece.image, rng), rng))
            boxes.append(piece.boxes)
            certainty.append(piece.certainty)
            rows += [row] * len(piece.boxes)
        corners = np.concatenate(boxes) / np.array([width, height] * 2, np.float32)
        middles, sides = (corners[:, :2] + corners[:, 2:]) / 2, corners[:, 2:] - corners[:, :2]
        pixels = np.ascontiguousarray(np.stack(images)[..., ::-1].transpose(0, 3, 1, 2))
        batch = {
            "img": torch.from_numpy(pixels),
            "cls": torch.zeros(len(rows), 1),
            "bboxes": torch.from_numpy(np.concatenate([middles, sides], axis=1)),
            "certainty": torch.from_numpy(np.concatenate(certainty)),
            "batch_idx": torch.tensor(rows, dtype=torch.float32),
        }
        if teacher is None:
            return batch
        outputs = teacher(pixels)
        taught = outputs.anchors
        taught[[name not in UNLABELLED for name in names], :, 4] = NOT_TAUGHT
        maps = {f"map{k}": torch.from_numpy(each) for k, each in outputs.maps.items()}
        return {**batch, "taught": torch.from_numpy(taught), **maps}


def _labels(folder: Path, *, answered: bool) -> list[Known]:
    """Return the pictures of a pool with their boxes: of a real one, perhaps the stored answers."""
    pictures = read_pool(folder)
    if not answered or folder.name not in UNLABELLED:
        return [(path, boxes, np.ones(len(boxes), np.float32)) for path, boxes in pictures]
    answers = read_answers(folder, len(pictures))
    return [(path, *answer) for (path, _), answer in zip(pictures, answers, strict=True)]


def _learnt(name: str, pool: Sequence[Known]) -> list[Known]:
    """Return the pictures of a pool without those that are held out."""
    if name not in HELD_OUT:
        return list(pool)
    return [each for number, each in enumerate(pool) if number % HELD_OUT_EVERY]


def batches(
    folder: Path,
    *,
    sizes: Sequence[Size],
    first: int,
    seed: int,
    teacher: Path | None,
    workers: int,
) -> Iterator[Batch]:
    """Yield batches in the order of steps.

    Args:
        folder: Pools as `make_pools` left them.
        sizes: Of every step's batch.
        first: Step of the first batch.
        seed: Of everything random.
        teacher: Folder of the detector that is asked about every piece; none = as `Pieces` has it.
        workers: 1 prepares them in a process of its own, so that training need not wait; 0 does
            not. More would each begin at the first step.
    """
    pieces = Pieces(folder, sizes=sizes, first=first, seed=seed, teacher=teacher)
    if not workers:
        return iter(pieces)
    # Spawned: a fork of a process with threads can hang.
    return iter(
        DataLoader(
            pieces,
            batch_size=None,
            num_workers=workers,
            prefetch_factor=6,
            multiprocessing_context="spawn",
        )
    )


def cut(
    picture: Labelled,
    size: tuple[int, int],
    scales: tuple[float, float],
    rng: np.random.Generator,
    *,
    tilt: float = 0.0,
) -> Labelled:
    """Return a piece of a picture, scaled and perhaps mirrored, often with somebody in it.

    Args:
        picture: Any size.
        size: (height, width) of the piece.
        scales: Minimum and greatest enlargement.
        rng: Of the choice.
        tilt: Degrees by which the picture is turned; boxes are not turned with it.
    """
    height, width = size
    scale = float(np.exp(rng.uniform(*np.log(scales))))
    narrow = rng.uniform(0.9, 1.1)
    room = np.array([width / (scale * narrow), height / scale])
    extent = np.array(picture.image.shape[1::-1], float)
    corner = rng.uniform(np.minimum(0, extent - room), np.maximum(0, extent - room))
    if len(picture.boxes) and rng.random() < 0.6:
        box = picture.boxes[rng.integers(len(picture.boxes))]
        middle = rng.uniform(box[:2], box[2:])
        aimed = middle - rng.uniform(0.1, 0.9, 2) * room
        corner = np.clip(aimed, np.minimum(0, extent - room), np.maximum(0, extent - room))
    matrix = np.array(
        [[scale * narrow, 0, -corner[0] * scale * narrow], [0, scale, -corner[1] * scale]]
    )
    offset = np.array([matrix[0, 2], matrix[1, 2]] * 2, np.float32)
    if tilt:
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), tilt, 1)
        matrix = turn @ np.vstack([matrix, [0, 0, 1]])
    how = cv2.INTER_AREA if scale < 0.6 else cv2.INTER_LINEAR
    image = _shrunk_first(picture.image, matrix, (width, height), how)
    boxes = picture.boxes * np.array([scale * narrow, scale] * 2, np.float32)
    boxes += offset
    inside = _inside(boxes, width, height)
    kept = np.clip(boxes[inside], 0, np.array([width, height] * 2, np.float32))
    if rng.random() < 0.5:
        image = np.ascontiguousarray(image[:, ::-1])
        kept[:, [0, 2]] = width - kept[:, [2, 0]]
    return Labelled(image, kept, picture.certainty[inside])


def _shrunk_first(
    image: Image, matrix: NDArray[np.float64], size: tuple[int, int], how: int
) -> Image:
    """Apply an affine matrix; halve first where it would skip pixels."""
    if how == cv2.INTER_AREA:
        half = image.shape[1] // 2, image.shape[0] // 2
        factors = np.array([image.shape[1] / half[0], image.shape[0] / half[1]])
        image = np.asarray(cv2.resize(image, half, interpolation=cv2.INTER_AREA), np.uint8)
        matrix = matrix * np.array([[factors[0], 1, 1], [1, factors[1], 1]])
    moved = cv2.warpAffine(
        image, matrix, size, flags=cv2.INTER_LINEAR, borderValue=(GREY, GREY, GREY)
    )
    return np.asarray(moved, np.uint8)


def _inside(boxes: Boxes, width: int, height: int) -> NDArray[np.bool_]:
    """Say of which boxes enough lies within the piece."""
    limit = np.array([width, height] * 2, np.float32)
    clipped = np.clip(boxes, 0, limit)
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    left = (clipped[:, 2] - clipped[:, 0]) * (clipped[:, 3] - clipped[:, 1])
    tall = clipped[:, 3] - clipped[:, 1] >= MIN_HEIGHT
    return np.asarray((left >= MIN_INSIDE * area) & tall, np.bool_)


def coloured(image: Image, rng: np.random.Generator) -> Image:
    """Return a picture in another light: by day, at night, in grey, tinted."""
    levels = image.astype(np.float32)
    kind = rng.random()
    if kind < 0.10:  # infra-red, or a camera without colours
        levels = np.repeat(levels.mean(axis=2, keepdims=True), 3, axis=2)
    elif kind < 0.5:
        grey = levels.mean(axis=2, keepdims=True)
        levels = grey + (levels - grey) * rng.uniform(0.3, 1.5)
    if rng.random() < 0.6:
        levels *= rng.uniform(0.88, 1.12, 3).astype(np.float32)
    if rng.random() < 0.7:
        levels = levels * rng.uniform(0.6, 1.3) + rng.uniform(-25, 25)
    if rng.random() < 0.15:
        dark = 255 * (np.clip(levels, 0, 255) / 255) ** rng.uniform(1.5, 2.5)
        levels = dark + rng.normal(0, rng.uniform(2, 10), image.shape).astype(np.float32)
    return np.clip(levels, 0, 255).astype(np.uint8)


def worn(image: Image, rng: np.random.Generator) -> Image:
    """Return a picture as a cheap camera or a thin line might leave it."""
    if rng.random() < 0.25:
        height, width = image.shape[:2]
        share = rng.uniform(0.45, 0.9)
        size = max(1, round(width * share)), max(1, round(height * share))
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        image = np.asarray(cv2.resize(small, (width, height)), np.uint8)
    if rng.random() < 0.35:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(18, 75))]
        packed = cv2.imencode(".jpg", image, quality)[1]
        image = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
    return image
