"""A stronger detector than any network at hand: one that looks several times.

A detector overlooks who is far away and half of those who are covered. Shown the picture larger
than usual, as it is and mirrored, it finds more of them, and what it says only once counts less.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from detector_training.labelled import Boxes, Image, Scores
from pipeline.boxes import ious
from pipeline.datatypes import Frame
from pipeline.detect.openvino_yolo import OpenVinoYolo

__all__ = ["ViewsTeacher", "fused"]

SIZE = 800
"""Longer side in pixels of what is looked at."""
SAME_VIEW_IOU, SAME_PERSON_IOU = 0.65, 0.55
"""Overlap of two boxes of one person within a view, and in two."""
MIN_VIEW_SCORE, MIN_SCORE = 0.01, 0.05
"""Of a box in a view, and of what the views say together."""


class ViewsTeacher:
    """Asks a detector about a picture and its mirror image, and joins the answers.

    Args:
        weights: A YOLO model in OpenVINO form that takes pictures of any size.

    Source:
        R. Solovyev, W. Wang, T. Gabruseva, "Weighted boxes fusion", 2021.
    """

    def __init__(self, weights: Path) -> None:
        self._detector = OpenVinoYolo(
            weights, confidence=MIN_VIEW_SCORE, nms_iou=SAME_VIEW_IOU, image_size=SIZE
        )

    def answers(self, images: Iterable[Image]) -> Iterator[tuple[Boxes, Scores]]:
        """Yield (N, 4) boxes in pixels and (N,) scores of every picture."""
        for image in images:
            both = image, np.ascontiguousarray(image[:, ::-1])
            plain, mirrored = self._detector.detect(
                [Frame("teacher", number, float(number), each) for number, each in enumerate(both)]
            )
            turned = mirrored.xyxy.copy()
            turned[:, [0, 2]] = image.shape[1] - mirrored.xyxy[:, [2, 0]]
            boxes, scores = fused([(plain.xyxy, plain.score), (turned, mirrored.score)])
            sure = scores >= MIN_SCORE
            yield boxes[sure], scores[sure]


@dataclass(slots=True)
class _Person:
    """What several views say of one person."""

    boxes: list[Boxes] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    views: set[int] = field(default_factory=set)

    def mean(self) -> Boxes:
        """(4,) mean box, by scores."""
        return np.average(self.boxes, axis=0, weights=self.scores).astype(np.float32)


def fused(views: list[tuple[Boxes, Scores]]) -> tuple[Boxes, Scores]:
    """Return (N, 4) mean boxes and (N,) scores: their sum over the views, by their number."""
    said = [(float(score), view, box)
            for view, (boxes, scores) in enumerate(views)
            for box, score in zip(boxes, scores, strict=True)]  # fmt: skip
    people: list[_Person] = []
    means = np.empty((0, 4), np.float32)
    for score, view, box in sorted(said, key=lambda each: -each[0]):
        overlaps = ious(box[None], means)[0] if people else np.empty(0)
        free = [view not in person.views for person in people]
        overlaps = np.where(free, overlaps, 0)
        number = int(overlaps.argmax()) if people else 0
        if not people or overlaps[number] < SAME_PERSON_IOU:
            number = len(people)
            people.append(_Person())
            means = np.concatenate([means, box[None]])
        person = people[number]
        person.boxes.append(box)
        person.scores.append(score)
        person.views.add(view)
        means[number] = person.mean()
    scores = [sum(person.scores) / len(views) for person in people]
    return means, np.array(scores, np.float32)
