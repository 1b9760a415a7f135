"""Cameras with nobody in common are not searched for each other's people."""

import numpy as np
import pytest

from pipeline.match.neighbours import candidate_pairs
from pipeline.match.offline import group_tracklets
from pipeline.match.places import between_places
from pipeline.settings import CameraPairSettings, MatchSettings
from support.worlds import looks, tracklet, unit

THRESHOLD = 0.3


def mixed(one, other, cosine):
    """A vector that has this cosine with one of two right-angled vectors."""
    return unit(cosine * one + np.sqrt(1 - cosine**2) * other)


def shop_and_room(*, cosine, people=5):
    """Two cameras with this many people; person k of one is so like person k of the other."""
    strangers = looks(2 * people, dim=64)
    here, rest = strangers[:people], strangers[people:]
    there = np.stack([mixed(a, b, cosine) for a, b in zip(here, rest, strict=True)])
    return np.concatenate([here, there]), np.repeat([0, 1], people)


def apart(features, camera, *, margin=0.25, related=()):
    pairs = candidate_pairs(features, least=THRESHOLD)
    found = between_places(
        features, camera, pairs, threshold=THRESHOLD, margin=margin, related=related
    )
    return pairs, found


@pytest.mark.parametrize(("cosine", "expected"), [(0.45, True), (0.7, False)])
def test_only_tracks_beyond_doubt_make_two_cameras_one_place(cosine, expected):
    pairs, found = apart(*shop_and_room(cosine=cosine))
    assert len(pairs) == 5
    assert found.tolist() == [expected] * 5


def test_one_pair_beyond_doubt_is_enough():
    features, camera = shop_and_room(cosine=0.45)
    features[5] = mixed(features[0], features[5], 0.8)
    pairs, found = apart(features, camera)
    assert len(pairs) == 5
    assert not found.any()


def test_cameras_with_few_people_are_always_compared():
    _, found = apart(*shop_and_room(cosine=0.45, people=3))
    assert found.tolist() == [False] * 3


@pytest.mark.parametrize("options", [{"margin": 0}, {"related": [(1, 0)]}])
def test_what_is_asked_for_is_compared(options):
    _, found = apart(*shop_and_room(cosine=0.45), **options)
    assert found.tolist() == [False] * 5


def test_cameras_that_a_third_one_connects_are_one_place():
    features, camera = shop_and_room(cosine=0.45)
    between = np.stack([mixed(features[0], features[5], 0.7)])
    features, camera = np.concatenate([features, between]), np.append(camera, 2)
    assert (features[[0, 5]] @ features[10] > THRESHOLD + 0.25).all()
    _, found = apart(features, camera)
    assert not found.any()


def test_a_gallery_is_everywhere_and_nothing_is_nowhere():
    features, camera = shop_and_room(cosine=0.45)
    features, camera = np.concatenate([features, features[:1]]), np.append(camera, -1)
    pairs, found = apart(features, camera)
    assert found.tolist() == [(row < 10) & (column < 10) for row, column in pairs.tolist()]
    assert len(apart(np.zeros((0, 4), np.float32), np.zeros(0, np.int64))[1]) == 0


def shop_and_room_tracklets(cosine):
    features, camera = shop_and_room(cosine=cosine)
    return [
        tracklet(vector, camera="ab"[number], track_id=row, first_s=10 * row, last_s=10 * row + 5)
        for row, (vector, number) in enumerate(zip(features, camera, strict=True))
    ]


@pytest.mark.parametrize(
    ("cosine", "options", "people"),
    [
        (0.45, {}, 10),
        (0.7, {}, 5),
        (0.45, {"place_margin": 0}, 5),
        (0.45, {"camera_pairs": [CameraPairSettings(cameras=("b", "a"))]}, 5),
    ],
)
def test_people_of_two_places_are_not_tied_at_the_end_of_a_run(cosine, options, people):
    groups = group_tracklets(
        shop_and_room_tracklets(cosine),
        MatchSettings(centre_tracks=0, **options),
        threshold=THRESHOLD,
    )
    assert len(groups) == people
