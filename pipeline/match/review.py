"""The review: are recent tracks with the right person, are two persons one?

The same linkage as at the end of a run, over the recent tracks and one node for the past of
each person concerned. What is together already is a little more similar than it looks, so
that identities do not flicker when the evidence is level.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.datatypes import FloatArray
from pipeline.match.bonus import with_evidence
from pipeline.match.constraints import SpatialRules
from pipeline.match.linkage import link
from pipeline.match.neighbours import candidate_pairs
from pipeline.match.spans import GALLERY_CAMERA, Spans

__all__ = ["Key", "Move", "Node", "regroup"]

Key = tuple[str, int]
"""A track: its camera and its number there."""


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A recent track, or the past of a person.

    Attributes:
        number: The identity it has now.
        key: The track, ``None`` for a past.
        feature: ``(D,)`` unit feature, or the mean of several.
        weight: How many tracks it stands for.
        frames: How many boxes it stands for.
        spans: When and where these were.
    """

    number: int
    key: Key | None
    feature: FloatArray
    weight: float
    frames: int
    spans: Spans


@dataclass(frozen=True, slots=True)
class Move:
    """A track, or the past of a person (``key`` is ``None``), goes to another identity."""

    key: Key | None
    old: int
    new: int


def regroup(
    nodes: Sequence[Node],
    *,
    rules: SpatialRules,
    threshold: float,
    loyalty: float,
    open_number: Callable[[], int],
) -> list[Move]:
    """Return what should go elsewhere.

    Every identity is kept by the group with most of its boxes, and every group keeps one at
    most, the older of equals; a group that keeps none becomes somebody new. Persons known
    before the run keep their numbers whatever the boxes say.

    Args:
        nodes: What to group.
        rules: Who cannot be one person.
        threshold: Minimum mean cosine of two groups that are joined.
        loyalty: Cosine that nodes of one identity are closer than they look.
        open_number: Gives a number that was never used.
    """
    features = np.stack([node.feature for node in nodes])
    features = np.concatenate([features, _badges(nodes, loyalty)], axis=1)
    pairs = candidate_pairs(features, least=threshold - rules.reach)
    weight = np.array([node.weight for node in nodes], np.float32)
    spans = Spans.all_of([node.spans for node in nodes])
    owner = np.repeat(np.arange(len(nodes)), [len(node.spans) for node in nodes])
    pairs, bonus = with_evidence(rules, spans, owner, pairs, weight)
    sums = features * weight[:, None]
    labels = link(
        sums, weight, spans, owner, pairs, rules=rules, threshold=threshold, bonus=bonus
    ).tolist()
    of_gallery = np.unique(owner[spans.camera == GALLERY_CAMERA]).tolist()
    names = _names(nodes, labels, of_gallery)
    moves = []
    for node, label in zip(nodes, labels, strict=True):
        if label not in names:
            names[label] = open_number()
        if names[label] != node.number:
            moves.append(Move(node.key, node.number, names[label]))
    return moves


def _badges(nodes: Sequence[Node], loyalty: float) -> FloatArray:
    """Return columns whose product is ``loyalty`` for nodes of one identity, else 0.

    An identity of a single node needs none: there is nobody to be more similar to.
    """
    counts = Counter(node.number for node in nodes)
    several = sorted(number for number, count in counts.items() if count > 1)
    columns = {number: column for column, number in enumerate(several)}
    badges = np.zeros((len(nodes), len(columns)), np.float32)
    for row, node in enumerate(nodes):
        if node.number in columns:
            badges[row, columns[node.number]] = np.sqrt(loyalty)
    return badges


def _names(
    nodes: Sequence[Node], labels: Sequence[int], of_gallery: Sequence[int]
) -> dict[int, int]:
    """Return the number of each group that keeps one.

    Args:
        nodes: What was grouped.
        labels: Of each, its group.
        of_gallery: Positions of the pasts of persons known before the run.
    """
    shared: dict[tuple[int, int], int] = {}
    for node, label in zip(nodes, labels, strict=True):
        shared[node.number, label] = shared.get((node.number, label), 0) + node.frames
    names = {labels[position]: nodes[position].number for position in of_gallery}
    taken = set(names.values())
    for (number, label), _ in sorted(shared.items(), key=lambda item: (-item[1], item[0])):
        if label not in names and number not in taken:
            names[label] = number
            taken.add(number)
    return names
