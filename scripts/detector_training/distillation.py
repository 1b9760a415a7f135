"""What a stronger detector says at every place of a picture, and learning from it.

Boxes that pass a threshold say little about pictures that nobody labelled: a person just below
the threshold is called background, and the many places where a detector hesitates are lost. So
the teacher is asked about each piece as the student sees it, and its score and box at every
anchor are what the student has to say there. Where the truth is known, the truth is learnt.

What the teacher sees before it decides (the feature maps that enter its head) is learnt on every
piece. It tells chairs from people who sit on them, which "no person" does not, and a student that
saw few real places needs that more than anything else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
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
ENTRY = re.compile(r"\.cv2\.(\d)\.0\.conv/.*/Convolution$")
"""First operation of the head's box branch, by level; every level's map enters through it."""


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """What the teacher says of N pieces.

    Attributes:
        anchors: (N, anchors, 5) corners in pixels and the score of a person.
        maps: (N, C, H / stride, W / stride) float16 for every stride: what enters the head.
    """

    anchors: NDArray[np.float32]
    maps: Sequence[NDArray[np.float16]]


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
        found = ((ENTRY.search(each.friendly_name), each) for each in model.get_ordered_ops())
        entries = {int(match[1]): each for match, each in found if match}
        if sorted(entries) != list(range(len(STRIDES))):
            raise SystemExit(f"{weights} cannot teach: no head of {len(STRIDES)} levels in it")
        model.add_outputs([entries[level].input_value(0) for level in sorted(entries)])
        threads = {"INFERENCE_NUM_THREADS": 1}
        self._compiled = core.compile_model(model, "CPU", threads)

    def __call__(self, pixels: NDArray[np.uint8]) -> Lesson:
        """Return what there is to learn about pieces.

        Args:
            pixels: (N, 3, H, W) RGB; sides are multiples of 32 and at most 640.
        """
        height, width = pixels.shape[2:]
        spots = [
            (top, left)
            for top in range(0, SIDE - height + 1, height)
            for left in range(0, SIDE - width + 1, width)
        ]
        said: list[NDArray[np.float32]] = []
        seen: list[list[NDArray[np.float16]]] = [[] for _ in STRIDES]
        for first in range(0, len(pixels), len(spots)):
            shown = list(zip(pixels[first : first + len(spots)], spots, strict=False))
            canvas = np.full((1, 3, SIDE, SIDE), GREY, np.float32)
            for piece, (top, left) in shown:
                canvas[0, :, top : top + height, left : left + width] = piece
            raw, *maps = (each[0] for each in self._compiled(canvas / 255).to_tuple())
            said += [_within(raw, spot, (height, width)) for _, spot in shown]
            for level, (stride, whole) in enumerate(zip(STRIDES, maps, strict=True)):
                for _, (top, left) in shown:
                    y, x = top // stride, left // stride
                    part = whole[:, y : y + height // stride, x : x + width // stride]
                    seen[level].append(part.astype(np.float16))
        return Lesson(np.stack(said), [np.stack(each) for each in seen])


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


class Apprentice(torch.nn.Module):
    """How far what a network sees is from what its teacher sees.

    Each level's map is translated by a layer of its own, and compared where the teacher's
    channels have been brought to the same mean and spread.

    Args:
        network: ultralytics detection network; what enters its head is caught.
        channels: Of the teacher's maps.
    """

    def __init__(self, network: Any, channels: Sequence[int]) -> None:
        super().__init__()
        head = network.model[-1]
        own = [branch[0].conv.in_channels for branch in head.cv2]
        self.translate = torch.nn.ModuleList(
            torch.nn.Conv2d(mine, theirs, 1) for mine, theirs in zip(own, channels, strict=True)
        )
        self.level = torch.nn.ModuleList(
            torch.nn.BatchNorm2d(theirs, affine=False) for theirs in channels
        )
        self._caught: list[torch.Tensor] = []
        head.register_forward_pre_hook(self._catch)

    def _catch(self, _head: Any, inputs: tuple[Any, ...]) -> None:
        # The head changes the list that it is given, so another one is kept.
        self._caught = list(inputs[0])

    def forward(self, maps: Sequence[torch.Tensor]) -> torch.Tensor:
        """Return the mean distance on the pieces that the network saw last.

        Args:
            maps: `Lesson.maps` of the same pieces.
        """
        distances = [
            torch.nn.functional.smooth_l1_loss(translate(mine).float(), level(theirs.float()))
            for translate, level, mine, theirs in zip(
                self.translate, self.level, self._caught, maps, strict=True
            )
        ]
        return torch.stack(distances).mean()


def learn_from_teacher(network: Any) -> TaughtAssigner:
    """Give an ultralytics detection network a loss that knows a teacher; return what to tell it."""
    network.criterion = network.init_criterion()
    assigner = TaughtAssigner(network.criterion.assigner)
    network.criterion.assigner = assigner
    return assigner
