"""What earns a person: a sure detector, or a track that moves."""

import numpy as np
import pytest

from pipeline.datatypes import UNASSIGNED, CropEvidence, Tracks
from pipeline.match.evidence import TrackEvidence
from pipeline.match.online import OnlineMatcher
from pipeline.match.presence import Presence
from pipeline.settings import MatchSettings

HEIGHT = 200.0
DIM = 8


def boxes(middles):
    """Boxes of one size around points, (x, y) in px."""
    return [(x - 40, y - HEIGHT / 2, x + 40, y + HEIGHT / 2) for x, y in middles]


def seen(middles, scores, shifts=None):
    presence = Presence()
    shifts = [(0.0, 0.0)] * len(scores) if shifts is None else shifts
    for box, score, shift in zip(boxes(middles), scores, shifts, strict=True):
        presence.see(box, score, tuple(shift))
    return presence


def jitter(count, px, *, seed=0):
    return 3000 + np.random.default_rng(seed).normal(0, px, (count, 2))


@pytest.mark.parametrize(
    ("middles", "score", "somebody"),
    [
        (jitter(50, 1.0), 0.3, False),  # a latch on a door
        (jitter(50, 1.0), 0.8, True),  # somebody who sits still
        (jitter(50, 12.0), 0.3, True),
        ([(100 + 5 * i, 300) for i in range(50)], 0.3, True),  # somebody far away who walks
        (jitter(50, 0.2), 0.65, False),  # a parked motorcycle
        (jitter(50, 2.5, seed=1), 0.31, True),  # a cashier behind her counter
        ([(100, 300)], 0.45, False),
        ([(100, 300)], 0.6, True),  # one box does not say who is still
    ],
)
def test_who_is_sure_or_moves_is_somebody(middles, score, somebody):
    assert seen(middles, [score] * len(middles)).is_somebody == somebody


def test_the_spread_is_the_deviation_of_the_middles_in_heights():
    middles = jitter(200, 7.0, seed=3)
    slow = np.sqrt(middles.var(axis=0).sum()) / HEIGHT
    assert seen(middles, [0.4] * 200).spread == pytest.approx(slow, rel=1e-9)


PAN = np.stack([8.0 * np.arange(50), np.zeros(50)], axis=1)


def test_what_moves_as_the_whole_picture_does_is_nobody():
    motorcycle = jitter(50, 1.0) + PAN
    assert seen(motorcycle, [0.4] * 50).is_somebody
    assert not seen(motorcycle, [0.4] * 50, PAN).is_somebody
    assert not seen(motorcycle, [0.4] * 50, 0.95 * PAN).is_somebody  # measured a little too short


def test_who_walks_is_somebody_while_the_camera_turns_or_seems_to():
    walk = 5.0 * np.stack([np.zeros(50), np.arange(50)], axis=1)
    assert seen(300 + walk + PAN, [0.4] * 50, PAN).is_somebody
    assert not seen(jitter(50, 1.0), [0.4] * 50, PAN).is_somebody  # a latch beside a false motion


def test_a_track_that_goes_over_from_thing_to_thing_is_nobody():
    there, beside = jitter(16, 0.3), jitter(4, 0.3) + np.array([90, 20])
    assert not seen(np.concatenate([there, beside]), [0.6] * 20).is_somebody
    # Nearer, it may be one person, who moved once.
    assert seen(np.concatenate([there, there[:4] + np.array([60, 0])]), [0.6] * 20).is_somebody


def test_who_walks_far_between_two_frames_is_somebody():
    walk = [(100 + 150 * i, 300) for i in range(6)]
    assert seen(walk, [0.4] * 6).is_somebody
    assert seen([*walk, *[walk[-1]] * 20], [0.4] * 26).is_somebody  # and then stands


def test_nothing_was_seen_yet():
    assert Presence().spread == 0.0


def test_a_track_of_nobody_has_no_embedding_in_its_summary():
    track = TrackEvidence("hall", 1, 0.0, 0.0, np.zeros(DIM, np.float32))
    for time_s, box in enumerate(boxes(jitter(5, 0.5))):
        track.see(float(time_s), box, 0.4, step_s=1.0)
    track.add(np.eye(DIM, dtype=np.float32)[0], 0.9)
    summary = track.as_tracklet()
    assert (summary.weight, summary.embedding_sum.any()) == (0.0, False)
    assert summary.frames == 5


def test_seconds_are_weighted_by_the_score_and_gaps_do_not_count():
    track = TrackEvidence("hall", 1, 10.0, 10.0, np.zeros(DIM, np.float32))
    for time_s in (10.0, 10.5, 11.0, 13.0):
        track.see(time_s, (0, 0, 40, 100), 0.6, step_s=0.5)
    assert track.as_tracklet().visible_s == pytest.approx(0.6 * 1.5)


@pytest.mark.parametrize("resolve", [False, True])
def test_a_latch_gets_no_identity_and_the_person_beside_it_does(resolve):
    matcher = OnlineMatcher(MatchSettings(resolve=resolve), threshold=lambda _: 0.5, dim=DIM)
    latch, walker = jitter(60, 0.5), [(500 + 10 * i, 400) for i in range(60)]
    for index, pair in enumerate(zip(latch, walker, strict=True)):
        tracks = Tracks(
            np.array(boxes(pair), np.float32),
            np.array([0.42, 0.42], np.float32),
            np.array([1, 2], np.int64),
        )
        vectors = np.eye(DIM, dtype=np.float32)[:2]
        evidence = CropEvidence(np.array([0, 1]), vectors, np.full(2, 0.9, np.float32))
        given = matcher.update("hall", index / 10, tracks, evidence)
        assert given[0] == UNASSIGNED
    found = matcher.finish()
    assert found.global_id("hall", 1) == UNASSIGNED
    assert found.global_id("hall", 2) == 1
