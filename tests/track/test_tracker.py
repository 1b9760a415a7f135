"""Tracks of one camera: they last, they end, and they never share a number."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import detections
from pipeline.settings import TrackSettings
from pipeline.track.tracker import SingleCameraTracker

SPEED = 60.0  # pixels a second
NO_VECTORS = np.zeros((0, 8), np.float32)


def make(**options):
    return SingleCameraTracker(TrackSettings(**options))


def step(tracker, time_s, *boxes, score=0.9):
    found = detections(*boxes, score=score)
    rows = tracker.wanted(found, time_s)
    return tracker.update(found, time_s, rows, NO_VECTORS[: len(rows)])


def walker(time_s, *, start=20.0, speed=SPEED, y=50.0):
    x = start + speed * time_s
    return (x, y, x + 40, y + 110)


def ids_over(tracker, times, *walkers, **options):
    """Track ids of each frame, in the order of the boxes' left edges."""
    seen = []
    for time_s in times:
        tracks = step(tracker, time_s, *(walk(time_s) for walk in walkers), **options)
        seen.append(tracks.track_id[np.argsort(tracks.xyxy[:, 0])].tolist())
    return seen


def test_a_person_who_walks_keeps_one_number_from_the_second_box_on():
    seen = ids_over(make(), np.arange(0, 5, 0.1), walker)
    assert seen[0] == []
    assert all(ids == [1] for ids in seen[1:])


def test_boxes_come_back_as_they_were_detected():
    tracker = make()
    for time_s in np.arange(0, 1, 0.1):
        tracks = step(tracker, time_s, walker(time_s), score=0.8)
    np.testing.assert_array_equal(tracks.xyxy, np.array([walker(time_s)], np.float32))
    np.testing.assert_allclose(tracks.score, [0.8])


def test_nobody_has_no_tracks():
    assert len(step(make(), 0.0)) == 0


@pytest.mark.parametrize("rate", [5, 10, 25, 60])
def test_how_long_a_lost_track_is_waited_for_is_in_seconds(rate):
    for gap_s, same in ((0.6, True), (2.0, False)):
        tracker = make(max_lost_s=1.0)
        times = np.arange(0, 3 + gap_s, 1 / rate)
        seen = [
            step(tracker, t, *([] if 2 < t < 2 + gap_s else [walker(t, speed=5)])).track_id.tolist()
            for t in times
        ]
        numbers = {number for ids in seen for number in ids}
        assert (len(numbers) == 1) == same


def test_uneven_time_steps_do_not_lose_a_walker():
    rng = np.random.default_rng(0)
    times = np.cumsum(rng.uniform(0.03, 0.2, 60))
    seen = ids_over(make(), times, lambda t: walker(t, speed=40))
    assert all(ids == [1] for ids in seen[1:])


def test_two_people_apart_keep_their_own_numbers():
    other = lambda t: walker(t, start=400, speed=-20)  # noqa: E731
    seen = ids_over(make(), np.arange(0, 4, 0.1), walker, other)
    assert all(len(set(ids)) == 2 for ids in seen[1:])
    assert len({number for ids in seen for number in ids}) == 2


def test_unsure_boxes_continue_a_track_but_begin_none():
    tracker = make(high_confidence=0.5)
    for time_s in np.arange(0, 1, 0.1):
        assert len(step(tracker, time_s, walker(time_s), score=0.3)) == 0
    for time_s in np.arange(1, 2, 0.1):
        step(tracker, time_s, walker(time_s), score=0.9)
    tracks = step(tracker, 2.0, walker(2.0), score=0.3)
    assert tracks.track_id.tolist() == [1]


def test_cameras_do_not_share_numbers_or_anything_else():
    one, other = make(), make()
    ids_over(one, np.arange(0, 2, 0.1), walker)
    assert ids_over(other, np.arange(0, 2, 0.1), walker)[-1] == [1]


def test_numbers_are_never_used_again():
    tracker = make(max_lost_s=0.3)
    numbers = []
    for visit in range(5):
        times = visit * 10 + np.arange(0, 1, 0.1)
        seen = ids_over(tracker, times, lambda t, v=visit: walker(t - v * 10))
        numbers.append(seen[-1][0])
        step(tracker, visit * 10 + 5)
    assert numbers == sorted(set(numbers))


@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(0, 5))
def test_the_order_of_the_boxes_in_a_frame_does_not_matter(random, people):
    walks = [
        lambda t, k=k: walker(t, start=30 + 150 * k, speed=30 - 10 * k, y=40 + 30 * k)
        for k in range(people)
    ]
    straight, mixed = make(), make()
    partition = set()
    for time_s in np.arange(0, 2, 0.1):
        boxes = [walk(time_s) for walk in walks]
        shuffled = random.sample(boxes, len(boxes))
        one, other = step(straight, time_s, *boxes), step(mixed, time_s, *shuffled)
        of_box = {tuple(box): i for box, i in zip(other.xyxy, other.track_id.tolist(), strict=True)}
        partition |= {
            (i, of_box[tuple(box)]) for box, i in zip(one.xyxy, one.track_id.tolist(), strict=True)
        }
        assert len(one) == len(other)
        assert len(set(one.track_id.tolist())) == len(one)
    assert len({a for a, _ in partition}) == len({b for _, b in partition}) == len(partition)


def test_time_that_runs_backwards_is_an_error_and_not_a_lost_frame():
    tracker = make()
    step(tracker, 1.0, walker(1.0))
    with pytest.raises(UserWarning):
        step(tracker, 0.5, walker(0.5))
