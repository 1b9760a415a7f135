"""Identities resolved once more over the whole run, when everything is known.

Average linkage from the most similar pair on, stopped at the threshold. Groups that hold
tracks of one camera at one time are never joined, and neither are groups that contain such
tracks: the constraint is inherited. Only pairs of near neighbours are candidates, so the
cost grows with the number of tracklets, not with its square.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.datatypes import UNDECIDED, FloatArray, Identities, Identity, Tracklet

__all__ = ["identities_of", "resolve"]

NEIGHBOURS = 30
"""Most similar tracklets that each one may be joined with directly."""
BLOCK_ROWS = 2048
"""Rows of the similarity matrix that are held at a time."""
COST_STEPS = 1 << 20
"""Similarities are compared as integers, so that rounding cannot change the order."""


@dataclass(slots=True)
class _Group:
    """Tracklets that are one person, as far as is known."""

    members: list[int]
    embedding_sum: FloatArray
    weight: float
    spans: dict[str, list[tuple[float, float]]]
    """Per camera, (first, last) times of the members, seconds."""


def resolve(
    tracklets: Sequence[Tracklet],
    *,
    threshold: float,
    overlap_s: float,
    earlier: Mapping[tuple[str, int], int],
) -> Identities:
    """Return the identity of every tracklet of a run.

    Args:
        tracklets: In order of (first time, camera, track).
        threshold: Least mean cosine between the tracklets of two groups that are joined.
        overlap_s: Tracks of one camera that share more time than this are two persons.
        earlier: Identities by (camera, track) that were given out before; each is kept by the
            group that shares most boxes with it. New identities get numbers never used before.
    """
    groups = [
        group
        for group in _link(tracklets, threshold=threshold, overlap_s=overlap_s)
        if tracklets[group[0]].weight > 0  # no embedding, no evidence of anybody
    ]
    numbers = _number(groups, tracklets, earlier)
    global_ids = {
        (tracklets[member].camera, tracklets[member].track_id): number
        for group, number in zip(groups, numbers, strict=True)
        for member in group
    }
    return identities_of(tracklets, global_ids)


def identities_of(
    tracklets: Sequence[Tracklet], global_ids: Mapping[tuple[str, int], int]
) -> Identities:
    """Return identities with the similarity of each tracklet to the rest of its own.

    Args:
        tracklets: All tracklets of the run.
        global_ids: Identity by (camera, track); undecided where one is missing.
    """
    members: dict[int, list[Tracklet]] = {}
    for tracklet in tracklets:
        number = global_ids.get((tracklet.camera, tracklet.track_id), UNDECIDED)
        if number != UNDECIDED:
            members.setdefault(number, []).append(tracklet)
    totals = {
        number: (sum(t.embedding_sum for t in group), sum(t.weight for t in group))
        for number, group in members.items()
    }
    by_track = {}
    for tracklet in tracklets:
        number = global_ids.get((tracklet.camera, tracklet.track_id), UNDECIDED)
        similarity = 0.0
        if number != UNDECIDED and tracklet.weight > 0:
            total, weight = totals[number]
            rest_weight = weight - tracklet.weight
            alone = len(members[number]) == 1 or rest_weight <= 1e-6
            rest = (total - tracklet.embedding_sum) / max(rest_weight, 1e-6)
            mean = tracklet.embedding_sum / tracklet.weight
            similarity = 1.0 if alone else _cosine(mean, rest)
        by_track[tracklet.camera, tracklet.track_id] = Identity(
            number, similarity, tracklet.first_s, tracklet.last_s, tracklet.frames
        )
    return Identities(by_track)


def _cosine(one: FloatArray, other: FloatArray) -> float:
    norm = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / norm if norm > 0 else 0.0


def _link(tracklets: Sequence[Tracklet], *, threshold: float, overlap_s: float) -> list[list[int]]:
    """Return groups of positions, tracklets without embeddings on their own."""
    groups: dict[int, _Group] = {
        i: _Group([i], t.embedding_sum.copy(), t.weight, {t.camera: [(t.first_s, t.last_s)]})
        for i, t in enumerate(tracklets)
    }
    near: dict[int, set[int]] = {i: set() for i in groups}
    heap: list[tuple[int, int, int]] = []
    limit = round(threshold * COST_STEPS)

    def consider(a: int, b: int) -> None:
        one, other = groups[a], groups[b]
        similarity = float(one.embedding_sum @ other.embedding_sum) / (one.weight * other.weight)
        cost = round(similarity * COST_STEPS)
        if cost >= limit and not _clash(one, other, overlap_s):
            heapq.heappush(heap, (-cost, min(a, b), max(a, b)))

    for a, b in _near_pairs(tracklets):
        near[a].add(b)
        near[b].add(a)
        consider(a, b)
    next_group = len(groups)
    while heap:
        _, a, b = heapq.heappop(heap)
        if a not in groups or b not in groups:
            continue  # one side was joined with something else meanwhile
        groups[next_group] = _joined(groups.pop(a), groups.pop(b))
        neighbours = (near.pop(a) | near.pop(b)) - {a, b}
        near[next_group] = {each for each in neighbours if each in groups}
        for each in sorted(near[next_group]):
            near[each] -= {a, b}
            near[each].add(next_group)
            consider(each, next_group)
        next_group += 1
    return sorted(sorted(group.members) for group in groups.values())


def _near_pairs(tracklets: Sequence[Tracklet]) -> list[tuple[int, int]]:
    """Return pairs of positions of which one is among the other's nearest, smaller first."""
    usable = np.array([i for i, t in enumerate(tracklets) if t.weight > 0], np.int64)
    if len(usable) < 2:
        return []
    means = np.stack([tracklets[i].embedding_sum / tracklets[i].weight for i in usable])
    means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-9)
    count = min(NEIGHBOURS, len(usable) - 1)
    pairs: set[tuple[int, int]] = set()
    for start in range(0, len(usable), BLOCK_ROWS):
        cosine = means[start : start + BLOCK_ROWS] @ means.T
        cosine[np.arange(len(cosine)), start + np.arange(len(cosine))] = -np.inf
        nearest = np.argpartition(-cosine, count - 1, axis=1)[:, :count]
        for row, columns in enumerate(nearest):
            a = int(usable[start + row])
            pairs.update((min(a, b), max(a, b)) for b in usable[columns].tolist())
    return sorted(pairs)


def _clash(one: _Group, other: _Group, overlap_s: float) -> bool:
    """Return whether the groups hold tracks of one camera that share time."""
    fewer, more = sorted((one.spans, other.spans), key=len)
    return any(
        min(last, other_last) - max(first, other_first) > overlap_s
        for camera in fewer
        if camera in more
        for first, last in fewer[camera]
        for other_first, other_last in more[camera]
    )


def _joined(one: _Group, other: _Group) -> _Group:
    spans = {camera: list(times) for camera, times in one.spans.items()}
    for camera, times in other.spans.items():
        spans.setdefault(camera, []).extend(times)
    return _Group(
        one.members + other.members,
        one.embedding_sum + other.embedding_sum,
        one.weight + other.weight,
        spans,
    )


def _number(
    groups: Sequence[Sequence[int]],
    tracklets: Sequence[Tracklet],
    earlier: Mapping[tuple[str, int], int],
) -> list[int]:
    """Return a number for each group: the one it shares most boxes with, else a new one."""
    shared: dict[tuple[int, int], int] = {}
    for position, group in enumerate(groups):
        for member in group:
            tracklet = tracklets[member]
            number = earlier.get((tracklet.camera, tracklet.track_id), UNDECIDED)
            if number != UNDECIDED:
                key = (position, number)
                shared[key] = shared.get(key, 0) + tracklet.frames
    numbers: dict[int, int] = {}
    taken: set[int] = set()
    for (position, number), _ in sorted(shared.items(), key=lambda item: (-item[1], item[0])):
        if position not in numbers and number not in taken:
            numbers[position] = number
            taken.add(number)
    fresh = max(earlier.values(), default=0)
    for position in range(len(groups)):
        if position not in numbers:
            fresh += 1
            numbers[position] = fresh
    return [numbers[position] for position in range(len(groups))]
