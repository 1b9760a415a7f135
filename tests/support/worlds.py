"""Simulated people in front of simulated cameras, for tests of matching."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.datatypes import CropEvidence, Tracklet, Tracks
from pipeline.match.constraints import SpatialRules
from pipeline.match.spans import Spans

DIM = 32
Key = tuple[str, int]


@dataclass(frozen=True)
class Visit:
    """One person in one camera for a while; one track."""

    person: int
    camera: str
    track_id: int
    first_s: float
    last_s: float


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


def looks(people: int, *, seed: int = 0, dim: int = DIM) -> np.ndarray:
    """A unit vector per person, all of them right-angled where there is room."""
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(people, dim))
    if people <= dim:
        vectors = np.linalg.qr(vectors.T)[0].T
    return unit(vectors)


def walk(
    people: int, cameras: Sequence[str], *, visits: int, seed: int = 0, shared_views: bool = False
) -> list[Visit]:
    """Everybody goes from camera to camera; with shared views, is in two at a time."""
    random = np.random.default_rng(seed)
    found: list[Visit] = []
    count = dict.fromkeys(cameras, 0)
    for person in range(people):
        clock = float(random.uniform(0, 10))
        for _ in range(visits):
            chosen = random.permutation(len(cameras))[: 2 if shared_views else 1]
            length = float(random.uniform(4, 8))
            for place in chosen.tolist():
                camera = cameras[place]
                count[camera] += 1
                found.append(Visit(person, camera, count[camera], clock, clock + length))
            clock += length + float(random.uniform(2, 5))
    return found


def tracklet(
    vector: np.ndarray,
    *,
    camera: str = "a",
    track_id: int = 1,
    first_s: float = 0.0,
    last_s: float = 5.0,
    weight: float = 3.0,
) -> Tracklet:
    """A tracklet whose crops all look alike."""
    vector = np.asarray(vector, np.float32)
    frames = max(1, round((last_s - first_s) * 10))
    total = vector * np.float32(weight)
    return Tracklet(camera, track_id, first_s, last_s, frames, total, weight, last_s - first_s)


def tracklets_of(
    visits: Sequence[Visit], appearance: np.ndarray, *, noise: float = 0.0, seed: int = 0
) -> list[Tracklet]:
    """A tracklet for each visit, in the order the matcher gives them."""
    random = np.random.default_rng(seed)
    found = []
    for v in visits:
        vector = appearance[v.person] + noise * random.normal(size=appearance.shape[1])
        found.append(
            tracklet(
                unit(vector),
                camera=v.camera,
                track_id=v.track_id,
                first_s=v.first_s,
                last_s=v.last_s,
            )
        )
    return sorted(found, key=lambda t: (t.first_s, t.camera, t.track_id))


Frame = tuple[str, float, Tracks, CropEvidence]


def frames_of(
    visits: Sequence[Visit],
    appearance: np.ndarray,
    *,
    noise: float = 0.0,
    step_s: float = 0.5,
    seed: int = 0,
) -> list[Frame]:
    """What the matcher is told, in the order (time, camera); every box is embedded.

    Noise belongs to the track and the time alone, so the order of visits changes nothing.
    """
    cameras = sorted({v.camera for v in visits})
    steps = int(max((v.last_s for v in visits), default=0) / step_s) + 1
    found: list[Frame] = []
    for step in range(steps):
        for camera in cameras:
            here = sorted(
                (
                    v
                    for v in visits
                    if v.camera == camera and v.first_s <= step * step_s <= v.last_s
                ),
                key=lambda v: v.track_id,
            )
            vectors = np.zeros((len(here), appearance.shape[1]), np.float32)
            for row, v in enumerate(here):
                entropy = [seed, cameras.index(camera), v.person, round(v.first_s * 1000), step]
                bits = np.random.default_rng(entropy)
                vectors[row] = unit(
                    appearance[v.person] + noise * bits.normal(size=appearance.shape[1])
                )
            found.append(
                (
                    camera,
                    step * step_s,
                    Tracks(
                        np.tile(np.array([0, 0, 10, 30], np.float32), (len(here), 1)),
                        np.ones(len(here), np.float32),
                        np.array([v.track_id for v in here], np.int64),
                    ),
                    CropEvidence(
                        np.arange(len(here)), vectors, np.full(len(here), 0.8, np.float32)
                    ),
                )
            )
    return found


def truth_of(visits: Sequence[Visit]) -> dict[Key, int]:
    """Person by track."""
    return {(v.camera, v.track_id): v.person for v in visits}


def same_partition(one: dict[Key, int], other: dict[Key, int]) -> bool:
    """Whether two namings group the tracks alike."""
    pairs = {(one[key], other[key]) for key in one}
    return one.keys() == other.keys() and len(pairs) == len(set(one.values())) == len(
        set(other.values())
    )


def clash(rules: SpatialRules, one: Spans, other: Spans) -> bool:
    """Say whether any track of one person clashes with any of the other."""
    a, b = np.meshgrid(np.arange(len(one)), len(one) + np.arange(len(other)))
    return bool(rules.clashing(one.joined(other), a.ravel(), b.ravel()).any())
