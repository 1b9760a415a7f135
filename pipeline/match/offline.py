"""Clustering of all tracklets at the end of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pipeline.datatypes import (
    UNASSIGNED,
    FloatArray,
    Identities,
    Identity,
    IntArray,
    Tracklet,
)
from pipeline.match.bonus import with_evidence
from pipeline.match.constraints import SpatialRules, estimate_overlaps
from pipeline.match.exchange import exchanged
from pipeline.match.features import tracklet_features
from pipeline.match.linkage import link
from pipeline.match.neighbours import EXACT_ROWS, candidate_pairs
from pipeline.match.numbering import number_groups
from pipeline.match.persons import Person
from pipeline.match.places import between_places
from pipeline.match.spans import GALLERY_SPAN, Spans
from pipeline.match.trust import learn_ground, nat_worth
from pipeline.match.walking import learn_walking
from pipeline.settings import MatchSettings

__all__ = ["count_people", "group_tracklets", "identities_of", "place_warnings", "resolve"]

COUNT_OVERLAPS = 3.0
"""For the lower end of the count, tracks of one person may overlap by so many times the usual."""
BLOCK_PAIRS = 1 << 18
HALF_WEIGHT = 1.0
"""Sum of the qualities of a tracklet's crops at which it counts for half a tracklet in its group:
the mean of a person should not hang on glimpses of them behind others."""


def resolve(
    tracklets: Sequence[Tracklet],
    settings: MatchSettings,
    *,
    threshold: float,
    earlier: Mapping[tuple[str, int], int],
    first_free: int = 1,
    known: Mapping[int, Person] | None = None,
) -> Identities:
    """Return the identity of every tracklet of a run.

    Args:
        tracklets: In order of (first time, camera, track).
        settings: Which cameras may see one person at one time, and what to correct.
        threshold: Minimum mean cosine between the tracklets of two groups that are joined.
        earlier: Identities by (camera, track) that were given out before; each is kept by the
            group that shares most boxes with it.
        first_free: The smallest number that was never given out; new identities start there.
        known: Persons of a gallery by number. Tracklets may turn out to be theirs; they stay
            as many as they are, and their numbers stay theirs.
    """
    known = known or {}
    groups = _people(tracklets, settings, threshold=threshold, known=list(known.values()))
    first_free = max(first_free, 1 + max([*earlier.values(), *known], default=0))
    of_gallery = {len(tracklets) + row: number for row, number in enumerate(known)}
    numbers = number_groups(groups, tracklets, earlier, first_free=first_free, known=of_gallery)
    global_ids = {
        (tracklets[member].camera, tracklets[member].track_id): number
        for group, number in zip(groups, numbers, strict=True)
        for member in group
        if member < len(tracklets)
    }
    return identities_of(tracklets, global_ids)


def count_people(
    tracklets: Sequence[Tracklet], settings: MatchSettings, *, loose: float, strict: float
) -> tuple[int, int]:
    """Return how many people the tracklets show at least and at most.

    Args:
        tracklets: As for ``resolve``.
        settings: As for ``resolve``.
        loose: Threshold of the lower count, where also tracks of one person may overlap for longer
            than usual, as fragments do that became identities.
        strict: Threshold of the upper count.
    """
    patient = settings.model_copy(update={"overlap_s": COUNT_OVERLAPS * settings.overlap_s})
    least = len(_people(tracklets, patient, threshold=loose, known=()))
    return least, len(_people(tracklets, settings, threshold=strict, known=()))


def place_warnings(
    tracklets: Sequence[Tracklet], settings: MatchSettings, *, threshold: float
) -> list[str]:
    """Return why places of some cameras are not used; arguments as for ``resolve``."""
    usable = [t for t in tracklets if t.weight > 0]
    if not any(t.path is not None for t in usable):
        return []
    cameras = sorted({t.camera for t in usable})
    spans, features, _ = _compared(usable, cameras, settings)
    return list(learn_ground(features, spans, cameras, settings, threshold=threshold)[1].values())


def _compared(
    tracklets: Sequence[Tracklet], cameras: Sequence[str], settings: MatchSettings
) -> tuple[Spans, FloatArray, FloatArray]:
    """Return when and where tracklets were, their features, and the axes of these."""
    number = {name: position for position, name in enumerate(cameras)}
    spans = Spans.of(
        ((t.first_s, t.last_s, number[t.camera]) for t in tracklets), [t.path for t in tracklets]
    )
    features, axes = tracklet_features(
        tracklets,
        spans.camera,
        cameras=len(cameras),
        prior=settings.centre_tracks,
        reduce=len(tracklets) > EXACT_ROWS,
    )
    return spans, features, axes


def _people(
    tracklets: Sequence[Tracklet],
    settings: MatchSettings,
    *,
    threshold: float,
    known: Sequence[Person],
) -> list[list[int]]:
    """Return the groups that are somebody, as ``group_tracklets`` does."""
    groups = group_tracklets(tracklets, settings, threshold=threshold, known=known)
    return [group for group in groups if _is_somebody(group, tracklets, settings.min_duration_s)]


def group_tracklets(
    tracklets: Sequence[Tracklet],
    settings: MatchSettings,
    *,
    threshold: float,
    known: Sequence[Person] = (),
) -> list[list[int]]:
    """Return groups of positions, one per person, without tracklets that have no embedding.

    Args:
        tracklets: In order of (first time, camera, track).
        settings: As for ``resolve``.
        threshold: As for ``resolve``.
        known: Persons of a gallery; their positions come after those of the tracklets.
    """
    usable = np.flatnonzero([t.weight > 0 for t in tracklets])
    if len(usable) == 0:
        return []
    chosen = [tracklets[i] for i in usable.tolist()]
    label = _link_usable(chosen, settings, threshold=threshold, known=known)
    position = np.concatenate([usable, len(tracklets) + np.arange(len(known))])
    order = np.argsort(label, kind="stable")
    starts = np.flatnonzero(np.diff(label[order]) > 0) + 1
    return [position[part].tolist() for part in np.split(order, starts)]


def _is_somebody(group: Sequence[int], tracklets: Sequence[Tracklet], min_s: float) -> bool:
    """Say whether a group is of a known person or was visible long enough to be one."""
    own = [tracklets[member] for member in group if member < len(tracklets)]
    return len(own) < len(group) or sum(each.visible_s for each in own) >= min_s


def _link_usable(
    tracklets: Sequence[Tracklet],
    settings: MatchSettings,
    *,
    threshold: float,
    known: Sequence[Person],
) -> IntArray:
    cameras = sorted({t.camera for t in tracklets})
    number = {name: position for position, name in enumerate(cameras)}
    spans, features, axes = _compared(tracklets, cameras, settings)
    counts = (
        estimate_overlaps(features, spans, overlap_s=settings.overlap_s)
        if settings.views == "auto"
        else None
    )
    ground, _ = learn_ground(features, spans, cameras, settings, threshold=threshold)
    walking = learn_walking(
        features, spans, len(cameras), threshold=threshold, cosine_per_nat=nat_worth(settings)
    )
    rules = SpatialRules(cameras, settings, counts, ground, walking)
    counts_for = [t.weight / (t.weight + HALF_WEIGHT) for t in tracklets]
    weight = np.array([*counts_for, *(person.past_count for person in known)], np.float32)
    if known:
        pasts = np.stack([person.past_sum for person in known]) @ axes
        features = np.concatenate([features, pasts / weight[len(tracklets) :, None]])
        spans = spans.joined(Spans.of([GALLERY_SPAN] * len(known)))
    pairs = candidate_pairs(features, least=threshold - rules.reach)
    named = [pair.cameras for pair in settings.camera_pairs]
    related = [(number[a], number[b]) for a, b in named if a in number and b in number]
    if ground is not None:  # cameras on one floor are of one place
        related += zip(*np.nonzero(ground.trusted[: len(cameras), : len(cameras)]), strict=True)
    apart = between_places(
        features,
        spans.camera,
        pairs,
        threshold=threshold,
        margin=settings.place_margin,
        related=related,
    )
    for start in range(0, len(pairs), BLOCK_PAIRS):  # of a million tracklets not all at once
        block = slice(start, start + BLOCK_PAIRS)
        apart[block] |= rules.clashing(spans, *pairs[block].T)
    pairs = pairs[~apart]
    features *= weight[:, None]
    owner = np.arange(len(spans))
    pairs, bonus = with_evidence(rules, spans, owner, pairs, weight)
    few = len(features) <= EXACT_ROWS
    sums = features.copy() if few else features  # which `link` uses up
    group = link(sums, weight, spans, owner, pairs, rules=rules, threshold=threshold, bonus=bonus)
    if not few:
        return group
    return exchanged(
        group, features, weight, spans, pairs, rules=rules, threshold=threshold, bonus=bonus
    )


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
        number = global_ids.get((tracklet.camera, tracklet.track_id), UNASSIGNED)
        if number != UNASSIGNED:
            members.setdefault(number, []).append(tracklet)
    totals = {
        number: (sum(t.embedding_sum for t in group), sum(t.weight for t in group))
        for number, group in members.items()
    }
    by_track = {}
    for tracklet in tracklets:
        number = global_ids.get((tracklet.camera, tracklet.track_id), UNASSIGNED)
        similarity = 0.0
        if number != UNASSIGNED and tracklet.weight > 0:
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
