"""What a stronger detector says at every place of a picture, and learning from it.

Boxes that pass a threshold say little about pictures that nobody labelled: a person just below
the threshold is called background, and the many places where a detector hesitates are lost. So
the teacher is asked about each piece as the student sees it, and its score and box at every
anchor are what the student has to say there. Where the truth is known, the truth is learnt.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

PERSON = 0
"""Class of persons in COCO's order, which the teacher keeps."""
SIDE = 640
"""Of the teacher's input, pixels."""
STRIDES = 8, 16, 32
GREY = 114
"""What lies around pictures in the running detector."""
LEAST_SCORE = 0.1
"""Below it the teacher's box means nothing."""


class DenseTeacher:
    """A YOLO model of 640 x 640 pixels with one output row for every anchor of its strides.

    Its places are fixed, so that pieces that are smaller are laid out side by side.

    Args:
        weights: Folder of the model in OpenVINO form.
    """

    def __init__(self, weights: Path) -> None:
        import openvino  # noqa: PLC0415 - takes a second, and only the preparing process needs it

        core = openvino.Core()
        model = core.read_model(next(weights.glob("*.xml")))
        threads = {"INFERENCE_NUM_THREADS": 1}
        self._compiled = core.compile_model(model, "CPU", threads)

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return (N, anchors, 5): corners in pixels and the score of a person.

        Args:
            pixels: (N, 3, H, W) RGB; sides are multiples of 32 and at most 640.
        """
        height, width = pixels.shape[2:]
        spots = [
            (top, left)
            for top in range(0, SIDE - height + 1, height)
            for left in range(0, SIDE - width + 1, width)
        ]
        said = []
        for first in range(0, len(pixels), len(spots)):
            shown = list(zip(pixels[first : first + len(spots)], spots, strict=False))
            canvas = np.full((1, 3, SIDE, SIDE), GREY, np.float32)
            for piece, (top, left) in shown:
                canvas[0, :, top : top + height, left : left + width] = piece
            raw = self._compiled(canvas / 255)[0][0]
            said += [_within(raw, spot, (height, width)) for _, spot in shown]
        return np.stack(said)


def _within(
    raw: NDArray[np.float32], spot: tuple[int, int], size: tuple[int, int]
) -> NDArray[np.float32]:
    """Return (anchors, 5) of a part of the picture: corners in its pixels and scores."""
    (top, left), (height, width) = spot, size
    rows, first = [], 0
    for stride in STRIDES:
        side = SIDE // stride
        grid = raw[: 5 + PERSON, first : first + side * side].reshape(-1, side, side)
        first += side * side
        y, x = top // stride, left // stride
        part = grid[:, y : y + height // stride, x : x + width // stride]
        rows.append(part.reshape(len(part), -1))
    part = np.concatenate(rows, axis=1)
    middles, sides = part[:2] - np.array([[left], [top]], np.float32), part[2:4]
    corners = [middles - sides / 2, middles + sides / 2]
    return np.ascontiguousarray(np.concatenate([*corners, part[4 + PERSON :]]).T, np.float32)


class TaughtAssigner:
    """Targets of every anchor: the teacher's where there are any, else those of the truth.

    Args:
        usual: ultralytics' task-aligned assigner.
    """

    def __init__(self, usual: Any) -> None:
        self._usual = usual
        self.taught: torch.Tensor | None = None
        """(N, anchors, 5) of the batch; a score below 0 where the truth counts."""

    def __call__(self, *arguments: Any, **named: Any) -> tuple[torch.Tensor, ...]:
        """Return labels, boxes in pixels, scores, the mask of persons and their numbers."""
        labels, boxes, scores, is_person, numbers = self._usual(*arguments, **named)
        if self.taught is None:
            return labels, boxes, scores, is_person, numbers
        said = self.taught[..., 4:]
        counts = said >= 0
        boxes = torch.where(counts, self.taught[..., :4], boxes)
        scores = torch.where(counts, said, scores)
        is_person = torch.where(counts[..., 0], said[..., 0] >= LEAST_SCORE, is_person.bool())
        return labels, boxes, scores, is_person, numbers


def learn_from_teacher(network: Any) -> TaughtAssigner:
    """Give an ultralytics detection network a loss that knows a teacher; return what to tell it."""
    network.criterion = network.init_criterion()
    assigner = TaughtAssigner(network.criterion.assigner)
    network.criterion.assigner = assigner
    return assigner
