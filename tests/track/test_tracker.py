"""Tracks of one camera: they last, they end, and they never share a number."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.boxes import covered_shares
from pipeline.settings import TrackSettings
from pipeline.track.tracker import SingleCameraTracker
from support.builders import detections

SPEED = 60.0  # pixels a second
SAME = np.array([1.0, 0.0], np.float32)  # everybody looks alike unless told


def make(**options):
    return SingleCameraTracker(TrackSettings(**options))


def step(tracker, time_s, *boxes, score=0.9, looks=lambda _row: SAME):
    found = detections(*boxes, score=score)
    rows = tracker.wanted(found, time_s)
    vectors = np.array([looks(row) for row in rows.tolist()], np.float32).reshape(-1, 2)
    return tracker.update(found, time_s, rows, vectors)


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
    with pytest.raises(ValueError, match=r"0\.5 s after 1\.0 s"):
        step(tracker, 0.5, walker(0.5))


@pytest.mark.parametrize("jitter_px", [0, 2, 4, 6])
@pytest.mark.parametrize("rate", [0.05, 0.4, 0.5, 1, 3.3, 10, 25])
def test_who_stands_still_is_one_track_at_any_rate(rate, jitter_px):
    rng, tracker = np.random.default_rng(0), make()
    seen = [
        step(tracker, n / rate, np.array((100, 50, 160, 200)) + rng.normal(0, jitter_px, 4))
        for n in range(200)
    ]
    assert [tracks.track_id.tolist() for tracks in seen[1:]] == [[1]] * 199


def test_boxes_that_go_to_and_fro_by_a_pixel_are_one_track():
    tracker = make()
    for n in range(300):
        tracks = step(tracker, float(n), np.array((100, 50, 160, 200)) + (-1) ** n)
        assert tracks.track_id.tolist() == ([1] if n else [])


@pytest.mark.parametrize("rate", [1, 2, 3.3, 5])
def test_who_walks_at_a_low_rate_keeps_one_number(rate):
    walk = lambda t: walker(t, speed=90)  # noqa: E731
    seen = ids_over(make(), np.arange(0, 12, 1 / rate), walk)
    assert all(ids == [1] for ids in seen[1:])


def test_at_a_low_rate_two_who_pass_each_other_are_told_apart_by_their_looks():
    tracker = make()
    other = lambda t: walker(t, start=560, speed=-SPEED, y=55)  # noqa: E731
    looks = np.array([[1, 0], [0, 1]], np.float32)
    numbers = {0: set(), 1: set()}
    for time_s in np.arange(0, 9, 1.0):
        found = detections(walker(time_s), other(time_s))
        rows = tracker.wanted(found, time_s)
        tracks = tracker.update(found, time_s, rows, looks[rows])
        for box, number in zip(tracks.xyxy, tracks.track_id.tolist(), strict=True):
            numbers[int(box[1]) == 55].add(number)
    assert numbers[0].isdisjoint(numbers[1])
    assert len(numbers[0]) == len(numbers[1]) == 1


def test_where_frames_are_far_apart_one_box_is_a_track():
    tracker = make()
    for time_s in np.arange(0, 3, 0.5):
        step(tracker, time_s)
    assert step(tracker, 3.0, walker(0)).track_id.tolist() == [1]


def test_a_hole_in_the_video_is_no_frame_rate():
    tracker = make()
    for time_s in np.arange(0, 2, 0.1):
        step(tracker, time_s, walker(0))
    assert len(step(tracker, 30.0, walker(0))) == 0
    assert step(tracker, 30.1, walker(0)).track_id.tolist() == [2]


def test_people_too_fast_for_the_rate_are_warned_of():
    tracker = make()
    for n in range(30):
        step(tracker, n * 10.0, walker(0, start=600.0 * (n % 2)))
    (text,) = tracker.warnings
    assert text.startswith("0.1 frames a second, ")
    assert " of 30 boxes belong to no track" in text


def test_nobody_is_warned_of_tracks_that_go_on():
    tracker = make()
    ids_over(tracker, np.arange(0, 12, 1.0), walker)
    assert tracker.warnings == []


def looks_of(degrees):
    return np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))], np.float32)


def ids_with_looks(tracker, times, looks_at, *, gap=(9.0, 9.0)):
    """Track ids of one standing person whose looks are an angle over time."""
    box = (100.0, 50.0, 140.0, 160.0)
    seen = []
    for time_s in times:
        boxes = [] if gap[0] < time_s < gap[1] else [box]
        tracks = step(tracker, time_s, *boxes, looks=lambda _row, t=time_s: looks_of(looks_at(t)))
        seen += tracks.track_id.tolist()
    return list(dict.fromkeys(seen))


def test_after_a_gap_a_person_who_looks_different_is_another_track():
    times = np.arange(0, 4, 0.1)
    change = lambda t: 0 if t < 2 else 90  # noqa: E731
    assert ids_with_looks(make(), times, change, gap=(1.5, 2.3)) == [1, 2]


def test_after_a_gap_a_person_who_looks_the_same_goes_on():
    times = np.arange(0, 4, 0.1)
    assert ids_with_looks(make(), times, lambda _t: 10, gap=(1.5, 2.3)) == [1]


def test_who_was_lost_is_not_found_again_in_a_covered_box():
    lost, front = (100.0, 50.0, 140.0, 160.0), (115.0, 60.0, 155.0, 170.0)
    for beside, numbers in (([], [1]), ([front], [2, 3])):
        tracker = make()
        for time_s in np.arange(0, 3, 0.1):
            boxes = [lost] if time_s < 1 else [lost, *beside] if time_s > 1.6 else []
            tracks = step(tracker, time_s, *boxes)
        assert tracks.track_id.tolist() == numbers


def test_a_change_of_looks_without_a_moment_of_doubt_cuts_nothing():
    times = np.arange(0, 4, 0.1)
    assert ids_with_looks(make(), times, lambda t: 0 if t < 2 else 90) == [1]


def test_no_cut_where_cutting_is_switched_off():
    times = np.arange(0, 4, 0.1)
    change = lambda t: 0 if t < 2 else 180  # noqa: E731
    assert ids_with_looks(make(split_similarity=-1.0), times, change, gap=(1.5, 2.3)) == [1]


def test_people_who_are_covered_are_not_looked_at_and_the_clear_ones_only_now_and_then():
    tracker = make(check_interval_s=1.0)
    lone, behind, front = (300, 50, 340, 160), (100, 50, 140, 160), (115, 60, 155, 170)
    looked = []
    for time_s in np.arange(0, 4.05, 0.1):
        found = detections(lone, behind, front)
        rows = tracker.wanted(found, time_s)
        looked.append(rows.tolist())
        tracker.update(found, time_s, rows, np.tile(SAME, (len(rows), 1)))
    assert all(set(rows) <= {0} for rows in looked)
    assert 4 <= sum(len(rows) for rows in looked) <= 7


def test_covered_shares_equal_a_slow_obvious_version():
    rng = np.random.default_rng(1)
    corners = rng.uniform(0, 200, (15, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(10, 90, (15, 2))], axis=1)
    got = covered_shares(boxes.astype(np.float32))
    for i, a in enumerate(boxes):
        worst = 0.0
        for j, b in enumerate(boxes):
            w = min(a[2], b[2]) - max(a[0], b[0])
            h = min(a[3], b[3]) - max(a[1], b[1])
            if i != j and w > 0 and h > 0:
                worst = max(worst, w * h / ((a[2] - a[0]) * (a[3] - a[1])))
        assert got[i] == pytest.approx(worst, abs=1e-4)
    assert covered_shares(np.zeros((0, 4), np.float32)).shape == (0,)


def test_what_is_remembered_does_not_grow_with_the_number_of_people():
    tracker = make()
    for visit in range(40):
        times = visit * 30 + np.arange(0, 0.5, 0.1)
        ids_over(tracker, times, lambda t, v=visit: walker(t - v * 30))
    assert len(tracker._guard._looks) <= 2
