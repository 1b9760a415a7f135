"""What linkage joined too early is exchanged, and nothing else."""

import numpy as np
import pytest

from pipeline.match import exchange
from pipeline.match.constraints import SpatialRules
from pipeline.match.exchange import exchanged
from pipeline.match.linkage import link
from pipeline.match.spans import Spans
from pipeline.settings import MatchSettings

THRESHOLD = 0.3
COSINES = {  # of A and B in cameras 0 and 1: both resemble themselves, A1 resembles B0 a bit more
    ("A0", "A1"): 0.55,
    ("B0", "B1"): 0.55,
    ("A1", "B0"): 0.65,
    ("A0", "B0"): 0.0,
    ("A0", "B1"): 0.0,
    ("A1", "B1"): 0.0,
}
NAMES = ("A0", "A1", "B0", "B1")
TIMES = {"A0": (0, 5), "A1": (10, 15), "B0": (20, 25), "B1": (30, 35)}


def features_of(cosines):
    gram = np.eye(len(NAMES))
    for (one, other), cosine in cosines.items():
        i, j = NAMES.index(one), NAMES.index(other)
        gram[i, j] = gram[j, i] = cosine
    values, axes = np.linalg.eigh(gram)
    assert values.min() > 0
    return (axes * np.sqrt(values)).astype(np.float32)


def people(cosines=COSINES, times=TIMES, *, without=()):
    """Return the groups by linkage, and after the exchange, of four who come twice."""
    features, weight = np.tile(features_of(cosines), (2, 1)), np.ones(8, np.float32)
    visits = [(later, *times[name], int(name[1])) for later in (0, 100) for name in NAMES]
    spans = Spans.of((start + later, end + later, view) for later, start, end, view in visits)
    rules = SpatialRules(["0", "1"], MatchSettings(views="disjoint"), None, None, None)
    pairs = [
        (i, j)
        for i in range(8)
        for j in range(i + 1, 8)
        if {NAMES[i % 4], NAMES[j % 4]} != set(without)
    ]
    pairs = np.array(pairs)
    options = {"rules": rules, "threshold": THRESHOLD}
    linked = link(features.copy(), weight, spans, np.arange(8), pairs, **options)
    after = exchanged(linked, features, weight, spans, pairs, **options)
    for groups in (linked, after):
        assert groups[:4].tolist() == groups[4:].tolist()
    return linked[:4].tolist(), after[:4].tolist()


def test_three_people_for_two_become_two():
    linked, after = people()
    assert linked == [0, 1, 1, 3]
    assert after == [0, 0, 2, 2]


def test_who_rather_belongs_together_stays():
    linked, after = people(COSINES | {("A1", "B0"): 0.8, ("A0", "A1"): 0.45, ("B0", "B1"): 0.35})
    assert linked == after == [0, 1, 1, 3]


def test_one_half_alone_does_not_leave():
    linked, after = people(COSINES | {("B0", "B1"): 0.25})
    assert linked == after == [0, 1, 1, 3]


def test_tracks_that_clash_are_not_brought_together():
    linked, after = people(times=TIMES | {"A0": (8, 14)})
    assert linked == after == [0, 1, 1, 3]


def test_tracks_that_are_no_candidates_are_not_brought_together():
    linked, after = people(without=("A0", "A1"))
    assert linked == after == [0, 1, 1, 3]


def test_a_small_gain_is_taken_for_chance(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(exchange, "LEAST_GAIN", 0.7)
    linked, after = people()
    assert linked == after == [0, 1, 1, 3]


def test_of_too_many_parts_linkage_has_the_last_word(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(exchange, "MAX_PARTS", 3)
    linked, after = people()
    assert linked == after == [0, 1, 1, 3]


def test_the_sum_never_falls_and_nobody_is_in_two_places(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(exchange, "LEAST_GAIN", 0.02)
    random = np.random.default_rng(5)
    changed = 0
    for _ in range(20):
        count = 40
        centres = random.normal(size=(8, 16))
        features = centres[random.integers(0, 8, count)] + random.normal(0, 1.2, (count, 16))
        features = (features / np.linalg.norm(features, axis=1, keepdims=True)).astype(np.float32)
        starts = random.uniform(0, 200, count)
        cameras = random.integers(0, 3, count).tolist()
        spans = Spans.of(zip(starts, starts + 8, cameras, strict=True))
        rules = SpatialRules(["0", "1", "2"], MatchSettings(), None, None, None)
        weight = random.uniform(0.3, 1, count).astype(np.float32)
        sums = features * weight[:, None]
        pairs = np.stack(np.triu_indices(count, 1), axis=1)
        pairs = pairs[~rules.clashing(spans, *pairs.T)]
        options = {"rules": rules, "threshold": THRESHOLD}
        before = link(sums.copy(), weight, spans, np.arange(count), pairs, **options)
        after = exchanged(before, sums, weight, spans, pairs, **options)
        changed += int((after != before).any())
        worth = (sums @ sums.T - THRESHOLD * np.outer(weight, weight)) * (1 - np.eye(count))
        totals = [worth[group[:, None] == group].sum() for group in (before, after)]
        assert totals[1] >= totals[0] - 1e-4
        one, other = np.nonzero(np.triu(after[:, None] == after, 1))
        assert not rules.clashing(spans, one, other).any()
    assert changed > 2
