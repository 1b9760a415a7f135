"""Places as evidence: two tracks, the linkage of many, and what a wrong calibration does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.match.ground import VETO_NATS, Ground, Paths
from pipeline.match.offline import resolve
from pipeline.match.spans import Spans
from pipeline.match.trust import learn_ground
from pipeline.places import SLOT_S, Path, PathBuilder
from pipeline.settings import MatchSettings
from support.floor_worlds import crowd
from support.worlds import looks

SPREAD = 0.2**2


def path(xy, *, first=0, height=1.7):
    rows = np.array([(x, y, SPREAD, 0, SPREAD, height) for x, y in xy], np.float32)
    return Path(first, rows)


def standing(x, y, *, slots=8, first=0):
    return path([(x, y)] * slots, first=first)


def compared(one, other, *, cameras=(0, 1)):
    ground = Ground(np.ones((3, 3), bool), np.ones((3, 3)), np.ones((3, 3)), cosine_per_nat=0.05)
    found = ground.compare(Paths.of([one, other]), np.array(cameras), np.array([0]), np.array([1]))
    return float(found.nats[0]), int(found.shared[0])


def fast(one, other, *, cameras=(0, 1)):
    ground = Ground(np.ones((3, 3), bool), np.ones((3, 3)), np.ones((3, 3)), cosine_per_nat=0.05)
    paths = Paths.of([one, other])
    return bool(ground.too_fast(paths, np.array(cameras), np.array([0]), np.array([1]))[0])


def test_the_same_place_is_evidence_and_far_apart_is_proof_against():
    same, shared = compared(standing(1, 1), standing(1.1, 1))
    assert shared == 8
    assert same > 3
    assert compared(standing(1, 1), standing(4, 1))[0] < VETO_NATS


def test_evidence_grows_with_time_and_has_bounds():
    moments = [compared(standing(1, 1, slots=n), standing(1, 1, slots=n))[0] for n in (1, 4, 400)]
    assert moments[0] < moments[1] < moments[2] <= 10
    assert compared(standing(0, 0, slots=1), standing(9, 9, slots=1))[0] > VETO_NATS


def test_nothing_is_said_where_times_places_or_cameras_do_not_fit():
    nan = float("nan")
    assert compared(standing(1, 1), standing(1, 1, first=8)) == (0, 0)
    assert compared(path([(nan, nan)] * 4), standing(1, 1)) == (0, 0)
    assert compared(None, standing(1, 1)) == (0, 0)
    assert compared(standing(1, 1), standing(1, 1), cameras=(0, 0)) == (0, 0)


def test_paths_are_compared_at_the_same_time_not_by_their_shape():
    walk = [(0.6 * t, 0.0) for t in range(10)]
    assert compared(path(walk), path(walk[3:], first=3))[0] > 3
    assert compared(path(walk), path(walk[:7], first=3))[0] < 0


def test_an_impossible_way_is_proof_against():
    assert fast(standing(0, 0), standing(30, 0, first=10))
    assert not fast(standing(0, 0), standing(30, 0, first=60))
    assert fast(standing(30, 0, first=10), standing(0, 0))
    assert fast(standing(0, 0), standing(30, 0, first=10), cameras=(0, 0))


def test_near_pairs_are_of_two_cameras_and_of_one_time():
    ground = Ground(np.ones((4, 4), bool), np.ones((4, 4)), np.ones((4, 4)), cosine_per_nat=0.05)
    paths = Paths.of(
        [standing(1, 1), standing(1.5, 1), standing(1, 1), standing(1, 1, first=90), None]
    )
    found = ground.near(paths, np.array([0, 0, 1, 2, 2]))
    assert found.tolist() == [[0, 2], [1, 2]]


def test_a_path_keeps_the_box_nearest_to_each_half_second():
    builder = PathBuilder()
    for time_s in (0.9, 1.02, 1.1, 1.9, 2.6):
        builder.see(time_s, (time_s, 0, 0, 0, 0, 1.7))
    found = builder.path()
    assert found.first == 2
    np.testing.assert_allclose(found.rows[:, 0], [1.02, np.nan, 1.9, 2.6], rtol=1e-5)
    assert found.rows[2, 2] == pytest.approx((1.3 * 0.1) ** 2, rel=1e-3)


def test_long_paths_keep_the_newest_places_and_long_pauses_begin_anew():
    builder = PathBuilder()
    for slot in range(5000):
        builder.see(slot * SLOT_S, (slot, 0, 0, 0, 0, 1.7))
    found = builder.path()
    assert 1200 <= len(found.rows) <= 1300
    assert found.first + len(found.rows) == 5000
    np.testing.assert_array_equal(found.rows[:, 0], np.arange(found.first, 5000))
    builder.see(1e6, (7, 0, 0, 0, 0, 1.7))
    assert builder.path().rows[:, 0].tolist() == [7]


def identities(tracklets, **settings):
    found = resolve(tracklets, MatchSettings(**settings), threshold=0.5, earlier={})
    return {key: each.global_id for key, each in found.by_track.items()}


def right(given, owner):
    """Return the share of pairs of tracks that are together exactly when they should be."""
    keys = sorted(owner)
    pairs = [(a, b) for i, a in enumerate(keys) for b in keys[:i]]
    return np.mean([(given[a] == given[b]) == (owner[a] == owner[b]) for a, b in pairs])


def test_place_tells_apart_people_who_look_alike_and_joins_views_that_do_not():
    tracklets, owner = crowd(people=8, cameras=3, alike=4, noise=1.2)
    blind, seeing = identities(tracklets, place_weight=0), identities(tracklets)
    assert right(seeing, owner) == 1.0
    assert right(blind, owner) < 0.95


@pytest.mark.parametrize(
    "mistake",
    [
        {"wrong": {1: (3.28, 0.0)}},
        {"wrong": {1: (0.3048, 0.0)}},
        {"wrong": {1: (1.0, 6.0)}},
        {"mirrored": 1},
    ],
    ids=["feet", "too small", "moved", "mirrored"],
)
def test_a_wrong_calibration_is_noticed_and_does_no_harm(mistake):
    good = {"people": 8, "cameras": 3, "noise": 0.3}
    tracklets, owner = crowd(**good, **mistake)
    blind, seeing = identities(tracklets, place_weight=0), identities(tracklets)
    assert right(seeing, owner) >= right(blind, owner) - 0.02
    warnings = learned(tracklets)
    assert list(warnings) == ["c1"]
    assert "floor_points" in warnings["c1"]
    assert learned(crowd(**good)[0]) == {}


def test_of_two_cameras_that_contradict_the_one_that_others_confirm_is_not_to_blame():
    tracklets, _ = crowd(people=8, cameras=3, wrong={1: (1.0, 6.0)})
    with_c1 = [t for t in tracklets if t.camera != "c2"]
    with_c2 = [
        replace(t, first_s=60.0, last_s=72.0, path=Path(120, t.path.rows))
        for t in tracklets
        if t.camera != "c1"
    ]
    assert list(learned([*with_c1, *with_c2])) == ["c1"]
    assert list(learned(with_c1)) in (["c0"], ["c1"])  # nobody can tell


def test_places_count_for_a_part_until_people_confirm_them():
    """Two people say little of a calibration, whether they stand in one place or apart."""
    many = nats_between_first(crowd(people=8, cameras=2)[0])
    right, wrong = (
        nats_between_first(crowd(people=2, cameras=2, wrong={1: (1.0, shift)})[0])
        for shift in (0.0, 6.0)
    )
    assert 0 < right < 0.7 * many
    assert VETO_NATS < wrong <= 0


def nats_between_first(tracklets):
    spans, features = described(tracklets)
    ground, _ = learn_ground(features, spans, ["c0", "c1"], MatchSettings(), threshold=0.5)
    rows = [next(i for i, t in enumerate(tracklets) if t.camera == c) for c in ("c0", "c1")]
    return float(ground.compare(spans.paths, spans.camera, *np.array(rows)[:, None]).nats[0])


def learned(tracklets):
    spans, features = described(tracklets)
    names = sorted({each.camera for each in tracklets})
    return learn_ground(features, spans, names, MatchSettings(), threshold=0.5)[1]


def described(tracklets):
    names = sorted({each.camera for each in tracklets})
    spans = Spans.of(
        [(t.first_s, t.last_s, names.index(t.camera)) for t in tracklets],
        [t.path for t in tracklets],
    )
    features = np.stack([t.embedding_sum / t.weight for t in tracklets])
    return spans, features / np.linalg.norm(features, axis=1, keepdims=True)


def test_without_places_nothing_is_learned():
    assert learn_ground(
        looks(2), Spans.of([(0, 1, 0)] * 2), ["a"], MatchSettings(), threshold=0.5
    ) == (
        None,
        {},
    )
