"""Which cameras' places can be trusted, learned from the people themselves.

People are as tall as people are; those who look alike beyond doubt at the same time stand in the same
place; and those who stand in the same place look more alike than any two. Where a camera fails that, its
calibration is wrong, and its places are left out. Until so many have confirmed two cameras, or have met in
both more often than by chance, their places count for a part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.datatypes import FloatArray, IntArray
from pipeline.match.ground import Ground, Paths
from pipeline.match.spans import Spans
from pipeline.settings import MatchSettings

__all__ = ["learn_ground", "nat_worth"]

Array = NDArray[np.float64]
HEIGHTS_M = (1.25, 2.1)
"""The median of many people lies between, children and hats among them."""
MIN_HEIGHTS = 20
"""Places of a camera that its heights are judged by."""
SURE_MARGIN = 0.15
"""By so much similarity must exceed the threshold for two tracks to be one person beyond doubt."""
FAR_M = 1.0
"""Sure pairs that are further apart than this, and than three deviations, contradict."""
MIN_PAIRS = 4
"""Pairs of tracks that a pair of cameras is judged by."""
MIN_AGREEING = 0.5
NEAR_NATS = 3.0
SHIFTS_M = ((3.0, 0.0), (-3.0, 0.0), (0.0, 3.0), (0.0, -3.0))
FAR_MORE = 3.0
MAX_NOISE = 4.0
USUAL_WEIGHT = 0.04
"""``match.place_weight`` of networks like ours."""
MAX_TRACKS = 256
"""The newest tracks of a camera that are looked at."""


def nat_worth(settings: MatchSettings) -> float:
    """Return the similarity of appearance that is worth as much as one nat of other evidence."""
    return USUAL_WEIGHT if settings.place_weight is None else settings.place_weight


def learn_ground(
    features: FloatArray,
    spans: Spans,
    names: Sequence[str],
    settings: MatchSettings,
    *,
    threshold: float,
) -> tuple[Ground | None, dict[str, str]]:
    """Return what places are worth, ``None`` without any, and by camera why they are not used.

    Args:
        features: ``(N, D)`` unit rows, one per track.
        spans: ``(N,)`` when and where they were.
        names: Names of the cameras.
        settings: What places are worth.
        threshold: Cosine from which on two tracks are one person.
    """
    paths, camera = spans.paths, spans.camera
    weight = nat_worth(settings)
    if not paths.count.any() or weight == 0:
        return None, {}
    count = len(names)
    placed = np.zeros(count + 1, bool)  # the gallery is no camera and comes last
    placed[np.unique(camera[paths.count > 0])] = True
    doubts = {
        number: text
        for number in np.flatnonzero(placed[:count]).tolist()
        if (text := _odd_heights(paths, camera == number, names[number]))
    }
    placed[list(doubts)] = False
    trusted = placed[:, None] & placed
    noise = np.ones((count + 1, count + 1))
    proven = np.ones((count + 1, count + 1))
    ground = Ground(trusted, noise, proven, cosine_per_nat=weight)
    bad = []
    confirmed = np.zeros(count, np.int64)
    for a, b in zip(*np.nonzero(np.tril(trusted[:count, :count], -1)), strict=True):
        verdict = _judge(features, spans, (int(a), int(b)), ground, threshold)
        noise[a, b] = noise[b, a] = verdict.noise
        proven[a, b] = proven[b, a] = verdict.proven
        if verdict.apart_m is not None:
            trusted[a, b] = trusted[b, a] = False
            bad.append((int(a), int(b), verdict))
        elif verdict.confirmed:
            confirmed[[a, b]] += 1
    doubts |= _blamed(bad, names, confirmed)
    for number in doubts:
        trusted[number] = trusted[:, number] = False
    return ground, {names[number]: text for number, text in doubts.items()}


@dataclass(frozen=True, slots=True)
class _Verdict:
    noise: float
    apart_m: float | None = None
    pairs: int = 0
    proven: float = 1.0
    confirmed: bool = False


def _judge(
    features: FloatArray, spans: Spans, pair: tuple[int, int], ground: Ground, threshold: float
) -> _Verdict:
    """Compare the tracks of two cameras that are seen at the same time."""
    paths, camera = spans.paths, spans.camera
    one, two = (np.flatnonzero((camera == c) & (paths.count > 0))[-MAX_TRACKS:] for c in pair)
    rows, columns = np.repeat(one, len(two)), np.tile(two, len(one))
    found = ground.compare(paths, camera, rows, columns)
    shape = len(one), len(two)
    met = (found.shared > 0).reshape(shape)
    cosine = np.where(met, features[one] @ features[two].T, -1.0)
    if not met.any():
        return _Verdict(1.0)
    best = (cosine == cosine.max(axis=1, keepdims=True)) & (
        cosine == cosine.max(axis=0, keepdims=True)
    )
    sure = (best & met & (cosine >= threshold + SURE_MARGIN)).ravel()
    apart, off = found.apart_m[sure], found.off[sure]
    agrees = (apart < FAR_M) | (off < 3.0**2)
    near = met.ravel() & (found.nats >= NEAR_NATS)
    like = cosine.ravel()
    contradicted = len(apart) >= MIN_PAIRS and agrees.mean() < MIN_AGREEING
    strangers = len(apart) < MIN_PAIRS <= near.sum() and (
        like[near].mean() <= like[met.ravel()].mean() and like[near].max() < threshold
    )
    if contradicted or strangers or agrees.sum() < MIN_PAIRS:
        fits = _fit_each_other(spans, rows, columns, ground)
        if (contradicted or strangers) and not fits:
            doubtful = found.apart_m[sure if contradicted else near]
            return _Verdict(1.0, float(np.median(doubtful)), len(doubtful))
        if not fits:
            votes = max(1 + agrees.sum() - (~agrees).sum(), 0)
            return _Verdict(1.0, proven=float(votes / (1 + MIN_PAIRS)))
        if agrees.sum() < MIN_PAIRS:
            return _Verdict(1.0, confirmed=True)
    # Of a chi-square of two degrees of freedom the median is 1.39.
    spread = float(np.median(off[agrees])) / 1.39
    return _Verdict(float(np.clip(spread, 1 / MAX_NOISE, MAX_NOISE)), confirmed=True)


def _fit_each_other(spans: Spans, a: IntArray, b: IntArray, ground: Ground) -> bool:
    """Return whether tracks of two cameras meet far more often than by chance.

    Weak appearance ties the wrong people, and then nothing is wrong with the places. Chance is what comes
    of places that are moved about: a calibration that is off is no better than these.
    """
    paths, moved = spans.paths, np.unique(b)
    inside = np.repeat(paths.start[moved], paths.count[moved])
    inside += np.arange(len(inside)) - np.repeat(
        np.cumsum(paths.count[moved]) - paths.count[moved], paths.count[moved]
    )
    meetings = []
    for shift in ((0, 0), *SHIFTS_M):
        rows = paths.rows.copy()
        rows[inside, :2] += np.array(shift, np.float32)
        found = ground.compare(replace(paths, rows=rows), spans.camera, a, b)
        meetings.append(np.count_nonzero(found.nats >= NEAR_NATS))
    return bool(meetings[0] >= max(MIN_PAIRS, FAR_MORE * float(np.mean(meetings[1:]))))


def _odd_heights(paths: Paths, chosen: NDArray[np.bool_], name: str) -> str:
    """Return what is wrong with how tall the people of one camera are, empty if nothing is."""
    own = np.flatnonzero(chosen & (paths.count > 0))
    heights = [
        paths.rows[s : s + c, 5] for s, c in zip(paths.start[own], paths.count[own], strict=True)
    ]
    known = np.concatenate(heights) if heights else np.zeros(0, np.float32)
    known = known[np.isfinite(known)]
    if len(known) < MIN_HEIGHTS:
        return ""
    middle = float(np.median(known))
    if HEIGHTS_M[0] <= middle <= HEIGHTS_M[1]:
        return ""
    return (
        f"{name}: people would be {middle:.1f} m tall, so its places are not used for matching: check "
        "its floor_points (metres, not feet?) with `reid-pipeline floor fit`"
    )


def _blamed(
    bad: Sequence[tuple[int, int, _Verdict]], names: Sequence[str], confirmed: IntArray
) -> dict[int, str]:
    """Return what is wrong with which camera: the one that contradicts most others is to blame.

    Of several the one that fewest others confirm.
    """
    doubts, left = {}, list(bad)
    while left:
        faults = np.bincount([c for a, b, _ in left for c in (a, b)], minlength=len(names))
        worst = int(np.lexsort((confirmed, -faults))[0])
        own = [entry for entry in left if worst in entry[:2]]
        others = ", ".join(sorted(names[a if b == worst else b] for a, b, _ in own))
        apart = float(np.median([verdict.apart_m or 0.0 for _, _, verdict in own]))
        pairs = sum(verdict.pairs for _, _, verdict in own)
        doubts[worst] = (
            f"{names[worst]}: people who look alike stand {apart:.1f} m apart from where {others} "
            f"see them ({pairs} pairs of tracks), so its places are not used for matching: check its "
            "floor_points with `reid-pipeline floor fit`, or the clocks of the cameras"
        )
        left = [entry for entry in left if worst not in entry[:2]]
    return doubts
