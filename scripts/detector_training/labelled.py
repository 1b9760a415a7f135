"""Pictures with boxes, and how a pool of them lies on disk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Boxes = NDArray[np.float32]
Scores = NDArray[np.float32]

JPEG_QUALITY = 92
ANSWERS = "answers.npz"


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """A picture and the people on it.

    Attributes:
        image: (H, W, 3) uint8 BGR.
        boxes: (N, 4) float32 left, top, right, bottom in pixels, within the picture.
        scores: (N,) how sure it is that somebody is there, 0 to 1; none = certain.
    """

    image: Image
    boxes: Boxes
    scores: Scores | None = None

    @property
    def certainty(self) -> Scores:
        """`scores`, or 1 for each box."""
        return np.ones(len(self.boxes), np.float32) if self.scores is None else self.scores


def write_pool(folder: Path, pictures: Iterable[Labelled]) -> int:
    """Write pictures as JPEG files and all boxes as one NPZ; return how many pictures.

    The boxes are written last: a folder without them is one that was never finished.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    count = 0
    for count, picture in enumerate(pictures, start=1):
        path = folder / f"{count - 1:05d}.jpg"
        cv2.imwrite(str(path), picture.image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        rows += [(count - 1, *box) for box in picture.boxes]
    np.savez(folder / "boxes.npz", rows=np.array(rows, np.float32).reshape(-1, 5), count=count)
    return count


def write_answers(folder: Path, answers: Sequence[tuple[Boxes, Scores]]) -> None:
    """Write what a stronger detector says of every picture of a pool."""
    rows = [(number, *box, score)
            for number, (boxes, scores) in enumerate(answers)
            for box, score in zip(boxes, scores, strict=True)]  # fmt: skip
    np.savez(folder / ANSWERS, rows=np.array(rows, np.float32).reshape(-1, 6))


def read_answers(folder: Path, pictures: int) -> list[tuple[Boxes, Scores]]:
    """Return (N, 4) boxes and (N,) scores of every picture of a pool.

    Raises:
        SystemExit: `write_answers` was not called for the pool.
    """
    if not (folder / ANSWERS).is_file():
        raise SystemExit(f"{folder} has no answers of the teacher: make them with `answers`")
    with np.load(folder / ANSWERS) as stored:
        rows = stored["rows"]
    # Sorted by picture, as they were written.
    ends = np.searchsorted(rows[:, 0], np.arange(pictures), side="right")
    return [(each[:, 1:5], each[:, 5]) for each in np.split(rows, ends)[:pictures]]


def is_finished(folder: Path) -> bool:
    """Say whether `write_pool` came to its end in a folder."""
    return (folder / "boxes.npz").is_file()


def read_pool(folder: Path) -> list[tuple[Path, Boxes]]:
    """Return the files of a pool with their (N, 4) boxes."""
    with np.load(folder / "boxes.npz") as stored:
        rows, count = stored["rows"], int(stored["count"])
    by_picture: list[list[Boxes]] = [[] for _ in range(count)]
    for row in rows:
        by_picture[int(row[0])].append(row[1:])
    return [
        (folder / f"{number:05d}.jpg", np.array(boxes, np.float32).reshape(-1, 4))
        for number, boxes in enumerate(by_picture)
    ]


def fitted(picture: Labelled, longest: int) -> Labelled:
    """Return a picture whose longer side is `longest` pixels."""
    height, width = picture.image.shape[:2]
    scale = longest / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(picture.image, size, interpolation=how)
    return Labelled(np.asarray(small, np.uint8), (picture.boxes * scale).astype(np.float32))
