"""What a stronger detector sees and says at every place of a picture, and learning from it.

Boxes that pass a threshold say little about pictures that nobody labelled: a person just below
the threshold is called background, and the many places where a detector hesitates are lost. So
the teacher is asked about each piece as the student sees it, and its score and box at every
anchor are what the student has to say there. Where the truth is known, the truth is learnt.

A student that saw few real places needs more than scores: what tells a chair from the person who
sits on it. So every stage of the network (what ends in a feature map) learns to turn what the
teacher's stage gets into what it gives, on every piece, labelled or not. At first the stages stand
apart, each fed with the teacher's maps, which a few thousand pieces teach well since a stage is
shallow; then they are fed with each other's maps more and more often, and in the end always. Of
the teacher nothing is used but what it answers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import smooth_l1_loss

PERSON = 0
"""Class of persons in COCO's order, which the teacher keeps."""
STRIDES = 8, 16, 32
BINS = 16
"""In which the teacher tells the distance of an edge, each one stride wide."""
MIN_SCORE = 0.1
"""Below it the teacher's box means nothing."""
STAGE = re.compile(r"\.model\.(\d+)\.cv2\.conv/.*/Convolution$")
"""Last convolution of a stage, by its number in ultralytics' order."""
ANSWER = re.compile(r"\.(cv[23]\.\d)\.2/.*/Convolution$")
"""Last convolution of the head's branches (boxes, then classes), by level."""
MIN_SPREAD = 0.05
"""Of a channel, as a share of the usual one; the noise of silent channels is not learnt."""


@dataclass(frozen=True, slots=True, eq=False)
class TeacherOutputs:
    """What the teacher says of N pieces.

    Attributes:
        anchors: (N, anchors, 5) corners in pixels and the score of a person.
        maps: (N, C, h, w) float16 by number of the stage that gives it.
    """

    anchors: NDArray[np.float32]
    maps: Mapping[int, NDArray[np.float16]]


class DenseTeacher:
    """A YOLOv8 model that tells its feature maps and its answer at every anchor.

    Args:
        weights: Folder of the model in OpenVINO form.
    """

    def __init__(self, weights: Path) -> None:
        self._path = next(weights.glob("*.xml"))
        self._compiled: dict[tuple[int, ...], tuple[list[int], Any]] = {}

    def __call__(self, pixels: NDArray[np.uint8]) -> TeacherOutputs:
        """Return what there is to learn about pieces.

        Args:
            pixels: (N, 3, H, W) RGB; sides are multiples of 32.
        """
        if pixels.shape not in self._compiled:
            self._compiled[pixels.shape] = self._compile(pixels.shape)
        stages, network = self._compiled[pixels.shape]
        outputs = [np.asarray(each) for each in network(pixels / np.float32(255)).to_tuple()]
        maps = {n: each.astype(np.float16) for n, each in zip(stages, outputs, strict=False)}
        return TeacherOutputs(_anchors(outputs[len(stages) :]), maps)

    def _compile(self, shape: tuple[int, ...]) -> tuple[list[int], Any]:
        """Return the numbers of the stages, and a network that gives their maps and raw answers."""
        import openvino  # noqa: PLC0415 - takes a second, and only the preparing process needs it

        core = openvino.Core()
        model = core.read_model(self._path)
        stages, answers = {}, {}
        for operation in model.get_ordered_ops():
            # After a convolution comes its bias, and in a stage what bends the line.
            if stage := STAGE.search(operation.friendly_name):
                stages[int(stage[1])] = _next(_next(operation))
            elif branch := ANSWER.search(operation.friendly_name):
                answers[branch[1]] = _next(operation)
        if len(answers) != 2 * len(STRIDES) or not stages:
            raise SystemExit(f"{self._path} cannot teach: it is no YOLOv8 of {len(STRIDES)} levels")
        outputs = [stages[n] for n in sorted(stages)] + [answers[name] for name in sorted(answers)]
        seen = openvino.Model([each.output(0) for each in outputs], model.get_parameters())
        seen.reshape(shape)
        # Also the numbers that pass between operations stay as they are, on any processor.
        exact = {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32"}
        return sorted(stages), core.compile_model(seen, "CPU", exact)


def _next(operation: Any) -> Any:
    """Return the one operation that takes what another gives."""
    (taker,) = operation.output(0).get_target_inputs()
    return taker.get_node()


def _anchors(answers: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return (N, anchors, 5) corners in pixels and scores.

    Args:
        answers: (N, 4 * bins, h, w) of every level, then (N, classes, h, w) of every level.
    """
    parts = []
    levels = len(STRIDES)
    for edges, classes, stride in zip(answers[:levels], answers[levels:], STRIDES, strict=True):
        count, _, high, wide = edges.shape
        bins = edges.reshape(count, 4, BINS, high, wide)
        chances = np.exp(bins - bins.max(2, keepdims=True))
        away = np.einsum("nebhw,b->nehw", chances, np.arange(BINS, dtype=np.float32))
        away /= chances.sum(2)
        y, x = np.mgrid[:high, :wide].astype(np.float32) + np.float32(0.5)
        corners = [x - away[:, 0], y - away[:, 1], x + away[:, 2], y + away[:, 3]]
        scores = 1 / (1 + np.exp(-classes[:, PERSON]))
        rows = np.stack([*(each * stride for each in corners), scores], axis=-1)
        parts.append(rows.reshape(count, high * wide, 5))
    return np.concatenate(parts, axis=1).astype(np.float32)


class TeacherAssigner:
    """Targets of every anchor: the teacher's where there are any, else those of the truth.

    Args:
        usual: ultralytics' task-aligned assigner.
    """

    def __init__(self, usual: Any) -> None:
        self._usual = usual
        self.taught: torch.Tensor | None = None
        """(N, anchors, 5) of the batch; a score below 0 where the truth counts."""
        self.certainty: torch.Tensor | None = None
        """(N, boxes) of the batch: how sure each box of the truth is, in its order."""

    def __call__(self, *arguments: Any, **named: Any) -> tuple[torch.Tensor, ...]:
        """Return labels, boxes in pixels, scores, the mask of persons and their numbers."""
        labels, boxes, scores, is_person, numbers = self._usual(*arguments, **named)
        if self.certainty is not None and self.certainty.shape[1]:
            scores = scores * self.certainty.gather(1, numbers)[..., None]
        if self.taught is None:
            return labels, boxes, scores, is_person, numbers
        said = self.taught[..., 4:]
        counts = said >= 0
        boxes = torch.where(counts, self.taught[..., :4], boxes)
        scores = torch.where(counts, said, scores)
        is_person = torch.where(counts[..., 0], said[..., 0] >= MIN_SCORE, is_person.bool())
        return labels, boxes, scores, is_person, numbers


class Student:
    """Compares what the stages of a network give with what the teacher's give.

    Args:
        network: ultralytics detection network of the teacher's architecture.
    """

    def __init__(self, network: Any) -> None:
        self._maps: Mapping[int, torch.Tensor] = {}
        self._taken: Mapping[int, torch.Tensor] = {}
        self._distances: list[torch.Tensor] = []
        for number, module in enumerate(network.model):
            module.register_forward_hook(self._compare(number))

    def observe(self, maps: Mapping[int, torch.Tensor], share: float, *, seed: int) -> None:
        """Take the maps of the pieces that the network sees next.

        Args:
            maps: `TeacherOutputs.maps`.
            share: Of the pieces whose map goes on from a stage as the teacher gives it.
            seed: Of the choice of pieces, for every stage anew.
        """
        chance = torch.Generator().manual_seed(seed)
        self._maps = maps
        self._taken = {
            number: (torch.rand(len(each), 1, 1, 1, generator=chance) < share).to(each.device)
            for number, each in sorted(maps.items())
        }
        self._distances = []

    def distance(self) -> torch.Tensor:
        """Return the mean distance over the stages, in spreads of the teacher's channels.

        It is 0 where there were no maps to compare with.
        """
        if not self._distances:
            return torch.zeros(())
        return torch.stack(self._distances).mean()

    def _compare(self, number: int) -> Any:
        def compare(_module: Any, _inputs: Any, mine: Any) -> Any:
            if number not in self._maps:
                return mine
            theirs = self._maps[number].float()
            # A quarter of the places tells the spread as well as all of them.
            spread = theirs[..., ::2, ::2].std((0, 2, 3), keepdim=True)
            spread = spread.clamp(min=MIN_SPREAD * float(spread.mean()))
            self._distances.append(smooth_l1_loss(mine.float() / spread, theirs / spread))
            return torch.where(self._taken[number], theirs.to(mine.dtype), mine)

        return compare


def by_picture(certainty: torch.Tensor, pictures: torch.Tensor, count: int) -> torch.Tensor:
    """Return (count, most boxes of a picture): the (boxes,) certainties of each picture's boxes."""
    rows = [certainty[pictures == number] for number in range(count)]
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)


def distillation_losses(network: Any) -> TeacherAssigner:
    """Give an ultralytics detection network a loss that knows a teacher; return what to tell it."""
    network.criterion = network.init_criterion()
    assigner = TeacherAssigner(network.criterion.assigner)
    network.criterion.assigner = assigner
    return assigner
