"""Which crops are good, and which are embedded when."""

import numpy as np
import pytest

from pipeline.embed.policy import TrackCropPolicy, crop_quality
from pipeline.settings import EmbedSettings
from support.builders import frame, tracks

PERSON = (100.0, 50.0, 160.0, 210.0)


def quality(*boxes, score=1.0, size=(640, 480)):
    return crop_quality(tracks(*boxes, score=score), height=size[1], width=size[0])


def test_a_lone_tall_person_has_the_quality_of_its_score():
    np.testing.assert_allclose(quality(PERSON, score=0.8), [0.8])


def test_no_boxes_have_no_quality():
    assert quality().shape == (0,)


def test_a_small_person_counts_by_its_height():
    np.testing.assert_allclose(quality((100, 50, 124, 114)), [0.5])


def test_proportions_that_are_no_persons_have_no_quality():
    assert quality((100, 50, 300, 150), (400, 10, 420, 300)).tolist() == [0, 0]


def test_a_person_cut_off_by_the_border_counts_less_than_a_whole_one():
    whole, cut = quality(PERSON, (0, 250, 60, 410))
    assert 0 < cut < whole


def test_the_more_of_a_person_others_overlap_the_less_a_crop_counts():
    alone, half, hidden = (
        quality(PERSON, *others)[0] for others in ((), [(130, 60, 190, 230)], [PERSON])
    )
    assert alone > half > 0.2 * alone
    assert hidden == 0


def test_overlap_is_measured_against_a_slow_obvious_version():
    rng = np.random.default_rng(0)
    corners = rng.uniform(10, 300, (12, 2))
    boxes = [(x, y, x + 50, y + 120) for x, y in corners]
    got = quality(*boxes, size=(2000, 2000))
    for i, a in enumerate(boxes):
        shares = [0.0]
        for j, b in enumerate(boxes):
            if i == j:
                continue
            w = max(0, min(a[2], b[2]) - max(a[0], b[0]))
            h = max(0, min(a[3], b[3]) - max(a[1], b[1]))
            shares.append(w * h / (50 * 120))
        assert got[i] == pytest.approx((1 - max(shares)) * 120 / 128, abs=1e-5)


def chosen_times(policy, times, score=0.9):
    taken = []
    for time_s in times:
        found = tracks(PERSON, score=score(time_s) if callable(score) else score)
        worth = policy.quality(found, frame(size=(640, 480)))
        if len(policy.choose("cam", time_s, found, worth)):
            taken.append(round(time_s, 3))
    return taken


def test_a_track_is_embedded_soon_at_first_and_then_now_and_then():
    settings = EmbedSettings(first_crops=3, first_interval_s=0.2, interval_s=1.0)
    times = np.arange(0, 3.05, 0.1)
    assert chosen_times(TrackCropPolicy(settings), times) == [0.0, 0.2, 0.4, 1.4, 2.4]


def test_a_much_better_crop_is_embedded_at_once():
    settings = EmbedSettings(first_crops=1, interval_s=10.0)
    times = np.arange(0, 1, 0.1)
    taken = chosen_times(TrackCropPolicy(settings), times, lambda t: 0.3 if t < 0.45 else 0.9)
    assert taken == [0.0, 0.5]


def test_bad_crops_are_never_embedded():
    policy = TrackCropPolicy(EmbedSettings(min_quality=0.5))
    assert chosen_times(policy, np.arange(0, 5, 0.5), 0.4) == []


def test_the_same_track_number_in_two_cameras_is_two_tracks():
    policy = TrackCropPolicy(EmbedSettings())
    found = tracks(PERSON)
    worth = policy.quality(found, frame(size=(640, 480)))
    assert policy.choose("a", 0.0, found, worth).tolist() == [0]
    assert policy.choose("b", 0.0, found, worth).tolist() == [0]


def test_memory_does_not_grow_with_the_number_of_tracks_that_ended():
    policy = TrackCropPolicy(EmbedSettings())
    for second in range(2000):
        found = tracks(PERSON, ids=[second])
        policy.choose("cam", float(second), found, np.ones(1, np.float32))
    assert len(policy._memory) <= 130


def test_a_box_that_is_no_person_hides_nobody():
    person, whole = (100, 50, 160, 210), (0, 0, 640, 480)
    alone = quality(person)
    assert quality(person, whole)[0] == alone[0] > 0
    assert quality(person, (100, 50, 160, 211))[0] < 0.1 * alone[0]
