"""How many people are found, and how well, when most of them come only once.

    python scripts/experiments/simulate_visits.py
    python scripts/experiments/simulate_visits.py --fit RUN GROUND_TRUTH

People come one after the other, are seen in a few tracklets of several cameras, and go. Their
embeddings are as alike as those of two kinds of footage, which ``--fit`` measured on runs with true
boxes. The table has IDF1 and identities for each person at fixed thresholds, and at those that a
run of the package's weights takes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_matrix
from simulate_tracklets import usual_thresholds

from pipeline.boxes import ious
from pipeline.datatypes import CropEvidence, FloatArray, Tracklet, Tracks
from pipeline.match.features import unit_rows
from pipeline.match.offline import group_tracklets
from pipeline.match.online import OnlineMatcher
from pipeline.results import open_results
from pipeline.settings import MatchSettings

DIM = 512
STEP_S = 0.5
NEW_EVERY_S = 12.0
"""Seconds between two people, for each camera."""
AWAY_S, MOVES = 8.0, 0.7
"""Mean time between two tracklets of a person, and the share of them in another camera."""
CROP_NOISE = 0.2
"""Of one crop beside its tracklet, in lengths of an embedding."""
THRESHOLDS = 0.31, 0.34, 0.37, 0.40, 0.44, 0.48
CASES = (16, 4.0), (50, 4.0), (150, 1.5), (150, 4.0), (500, 4.0)
"""People, and the mean number of their tracklets."""
SAME_IOU = 0.5


@dataclass(frozen=True, slots=True)
class Likeness:
    """Cosines of tracklets: of one person in two cameras, of two persons, and their deviation.

    Attributes:
        same: Mean cosine of one person's.
        other: Mean cosine of two persons'.
        spread: Standard deviation of the cosine of two persons'.
        camera_bias: Length of a camera's bias, in lengths of an identity's centre.
    """

    same: float
    other: float
    spread: float
    camera_bias: float


LIKENESS = {
    "as val_b": Likeness(0.70, 0.17, 0.100, 0.23),
    "as val_pku": Likeness(0.49, 0.15, 0.109, 0.16),
}


@dataclass(frozen=True, slots=True, eq=False)
class Footage:
    """Tracklets by their beginning, and whose they are.

    Attributes:
        tracklets: All of them.
        people: ``(N,)`` the person of each.
    """

    tracklets: list[Tracklet]
    people: np.ndarray


def footage(count: int, visits: float, likeness: Likeness, *, seed: int) -> Footage:
    """Return what ``count`` people leave in ``visits`` tracklets each, on the average."""
    random = np.random.default_rng(seed)
    cameras = 8 if count > 30 else 3
    rows = []
    for person, start_s in enumerate(random.uniform(0, count * NEW_EVERY_S / cameras, count)):
        now_s, camera = float(start_s), int(random.integers(cameras))
        for _ in range(1 + random.poisson(visits - 1)):
            length_s = float(random.uniform(3, 9))
            rows.append((now_s, now_s + length_s, camera, person))
            now_s += length_s + float(random.exponential(AWAY_S))
            if random.random() < MOVES:
                camera = (camera + int(random.integers(1, cameras))) % cameras
    rows.sort()
    camera, people = (np.array(column) for column in list(zip(*rows, strict=True))[2:])
    vectors = _embeddings(people, camera, likeness, random)
    tracklets = [
        Tracklet(f"c{c}", n, first_s, last_s, round(10 * (last_s - first_s)), vector, 1.0, 6.0)
        for n, ((first_s, last_s, c, _), vector) in enumerate(zip(rows, vectors, strict=True))
    ]
    return Footage(tracklets, people)


def _embeddings(
    people: np.ndarray, camera: np.ndarray, likeness: Likeness, random: np.random.Generator
) -> FloatArray:
    """Return ``(N, DIM)``: what all have in common, and who, which camera and chance make of it."""
    own = 1 - likeness.other
    inner = round((own / likeness.spread) ** 2)
    axes = np.linalg.qr(random.normal(size=(DIM, inner + 1)))[0].T.astype(np.float32)

    def drawn(count: int) -> FloatArray:
        return unit_rows(random.standard_normal((count, inner), np.float32))

    noise = (own / (likeness.same - likeness.other) - 1) ** 0.5
    who = drawn(int(people.max()) + 1)[people]
    bias = likeness.camera_bias * drawn(int(camera.max()) + 1)[camera]
    particular = unit_rows(who + bias + np.float32(noise) * drawn(len(people)))
    common: FloatArray = np.float32(likeness.other**0.5) * axes[0]
    return np.float32(own**0.5) * particular @ axes[1:] + common


def online(seen: Footage, threshold: Callable[[int], float], *, seed: int = 0) -> list[int]:
    """Return the identity of every tracklet after a run without a resolution."""
    random = np.random.default_rng(seed)
    matcher = OnlineMatcher(MatchSettings(resolve=False), threshold=threshold, dim=DIM)
    row_of = {(t.camera, t.track_id): row for row, t in enumerate(seen.tracklets)}
    found = [-1 - row for row in range(len(seen.tracklets))]

    def take_in() -> None:
        for event in matcher.drain_events():
            if event.kind == "merge":
                found[:] = [event.global_id if n == event.other_id else n for n in found]
            else:
                found[row_of[event.camera, event.track_id]] = event.global_id

    for step in range(int(max(t.last_s for t in seen.tracklets) / STEP_S) + 2):
        now_s = step * STEP_S
        here = [t for t in seen.tracklets if t.first_s <= now_s <= t.last_s]
        for camera in sorted({t.camera for t in here}):
            own = [t for t in here if t.camera == camera]
            left = 100 * np.arange(len(own), dtype=np.float32) + 3 * (step % 7)  # they walk
            boxes = np.stack([left, 0 * left, left + 50, 0 * left + 120], axis=1)
            vectors = np.stack([t.embedding_sum for t in own])
            vectors += CROP_NOISE * unit_rows(random.standard_normal(vectors.shape, np.float32))
            rows = np.arange(len(own))
            sure = np.full(len(own), 0.9, np.float32)
            tracks = Tracks(boxes, sure, np.array([t.track_id for t in own]))
            matcher.update(camera, now_s, tracks, CropEvidence(rows, unit_rows(vectors), sure))
            take_in()
    matcher.finish()
    take_in()
    return found


def offline(seen: Footage, threshold: float) -> list[int]:
    """Return the identity of every tracklet after the resolution."""
    found = [0] * len(seen.tracklets)
    groups = group_tracklets(seen.tracklets, MatchSettings(), threshold=threshold)
    for number, group in enumerate(groups):
        for row in group:
            found[row] = number
    return found


def scores(seen: Footage, found: Sequence[int]) -> tuple[float, float]:
    """Return IDF1 over the boxes, and identities for each person."""
    label = np.unique(found, return_inverse=True)[1]
    frames = np.array([t.frames for t in seen.tracklets], float)
    shared = coo_matrix((frames, (seen.people, label))).toarray()
    return (
        float(shared[linear_sum_assignment(-shared)].sum() / frames.sum()),
        shared.shape[1] / len(np.unique(seen.people)),
    )


def fit(run: Path, ground_truth: Path) -> Likeness:
    """Measure likenesses on the tracks of a run, by the people that its boxes lie on."""
    results = open_results(run)
    boxes, truth = (
        results.boxes(),
        dict(iter(pd.read_csv(ground_truth).groupby(["camera", "frame"]))),
    )
    votes: dict[tuple[str, int], list[object]] = {}
    corner = ["x", "y", "w", "h"]
    for key, rows in boxes.groupby(["camera", "frame"]):
        if key not in truth:
            continue
        here, there = (t[corner].to_numpy(np.float32) for t in (rows, truth[key]))
        overlap = ious(*(np.hstack([b[:, :2], b[:, :2] + b[:, 2:]]) for b in (here, there)))
        for track, each in zip(rows["track_id"], overlap, strict=True):
            if each.max() > SAME_IOU:
                person = truth[key]["identity"].iloc[int(each.argmax())]
                votes.setdefault((str(key[0]), int(track)), []).append(person)
    tracks, rows = results.sightings(), results.embeddings()
    keys = list(zip(tracks["camera"], tracks["track_id"], strict=True))
    known = [row for row, key in enumerate(keys) if key in votes and rows[row].any()]
    people = np.array([str(max(votes[keys[r]], key=votes[keys[r]].count)) for r in known])
    camera, vectors = tracks["camera"].to_numpy()[known], rows[known]
    a, b = np.triu_indices(len(known), k=1)
    cosine = np.einsum("pd,pd->p", vectors[a], vectors[b])
    same, apart = people[a] == people[b], camera[a] != camera[b]
    overall = vectors.mean(axis=0)
    bias = [np.linalg.norm(vectors[camera == c].mean(axis=0) - overall) for c in np.unique(camera)]
    genuine, strange = cosine[same & apart], cosine[~same]
    own = float(genuine.mean() - strange.mean())
    return Likeness(
        round(float(genuine.mean()), 2),
        round(float(strange.mean()), 2),
        round(float(strange.std()), 3),
        round(float(np.mean(bias)) / own**0.5, 2),
    )


def main() -> None:
    """Print the table, or what a run measures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--fit", type=Path, nargs=2, metavar=("RUN", "GROUND_TRUTH"))
    args = parser.parse_args()
    if args.fit:
        sys.stdout.write(f"{fit(*args.fit)}\n")
        return
    usual = usual_thresholds()
    columns = ["likeness, people, tracklets", *(f"{t:.2f}" for t in THRESHOLDS), "as a run"]
    sys.stdout.write(f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|\n")
    for name, likeness in LIKENESS.items():
        for count, visits in CASES:
            seen = footage(count, visits, likeness, seed=count)
            given: list[Callable[[int], float]] = [lambda _, t=t: t for t in THRESHOLDS]
            for mode in "online", "offline":
                cells = []
                for threshold in [*given, usual]:
                    among = len(seen.tracklets)
                    found = (
                        online(seen, threshold)
                        if mode == "online"
                        else offline(seen, threshold(among))
                    )
                    cells.append("{:.2f}, {:.2f}".format(*scores(seen, found)))
                first = f"{name}, {count}, {len(seen.tracklets)}, {mode}"
                sys.stdout.write(f"| {first} | {' | '.join(cells)} |\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
