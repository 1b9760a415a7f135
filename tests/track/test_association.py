"""Which boxes continue which tracks: by overlap where frames are close, wider where they are not."""

import numpy as np
import pytest

from pipeline.boxes import ious
from pipeline.track.association import assign, margins, similarities

TRACK = np.array([[100, 50, 140, 150]], np.float32)
UNKNOWN = np.full((1, 2), np.nan, np.float32)


def compare(boxes, *, step_s, cosine=None, weight=1.0, tracks=TRACK):
    boxes = np.array(boxes, np.float32).reshape(-1, 4)
    shape = (len(tracks), len(boxes))
    looks = np.full(shape, np.nan) if cosine is None else np.broadcast_to(cosine, shape)
    weights = np.full(len(boxes), weight, np.float32)
    return similarities(
        tracks, boxes, weight=weights, cosine=looks.astype(np.float32), step_s=step_s
    )


@pytest.mark.parametrize("step_s", [0.0, 0.04, 0.1])
def test_at_usual_rates_overlap_alone_decides(step_s):
    boxes = [[110, 50, 150, 150], [300, 50, 340, 150]]
    got = compare(boxes, step_s=step_s, cosine=[[-1.0, 1.0]])
    np.testing.assert_array_equal(got, ious(TRACK, np.array(boxes, np.float32)))


@pytest.mark.parametrize(("step_s", "reached"), [(0.1, False), (0.3, True), (1.0, True)])
def test_who_walked_out_of_the_box_is_still_reached_after_a_long_step(step_s, reached):
    moved = TRACK + np.array([42, 0, 42, 0], np.float32)
    assert (compare(moved, step_s=step_s)[0, 0] > 0) == reached


def test_people_walk_across_further_than_up_and_down():
    margin = margins(TRACK, 1.0)[0]
    assert margin[0] > 4 * margin[1] > 0
    np.testing.assert_array_equal(margins(TRACK, 0.1), [[0, 0]])


def test_margins_grow_with_the_person_and_not_with_the_image():
    np.testing.assert_allclose(margins(TRACK * 2, 1.0), 2 * margins(TRACK, 1.0))


def test_widened_overlap_equals_a_slow_obvious_version():
    rng = np.random.default_rng(2)
    corner = rng.uniform(0, 400, (12, 2))
    every = np.concatenate([corner, corner + rng.uniform(20, 90, (12, 2))], axis=1)
    tracks, boxes = every[:5].astype(np.float32), every[5:].astype(np.float32)
    got = compare(boxes, step_s=0.5, tracks=tracks)
    for i, track in enumerate(tracks):
        mx, my = margins(tracks, 0.5)[i]
        for j, box in enumerate(boxes):
            a, b = (x + np.array([-mx, -my, mx, my]) for x in (track, box))
            w = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
            h = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
            area = [(x[2] - x[0]) * (x[3] - x[1]) for x in (a, b)]
            tall = max(a[3], b[3]) - min(a[1], b[1])
            expected = w * h / (sum(area) - w * h) * h / tall
            assert got[i, j] == pytest.approx(expected, abs=1e-4)


def test_who_leaves_at_the_border_is_not_taken_for_a_taller_one_who_enters_there():
    leaving = np.array([[0, 144, 30, 401]], np.float32)
    narrower, taller = [0, 145, 16, 402], [0, 180, 35, 513]
    got = compare([narrower, taller], step_s=0.1, tracks=leaving)[0]
    assert got[0] > got[1] + 0.1


def test_after_a_long_step_the_appearance_decides_between_two_who_are_near():
    near, far = [130, 50, 170, 150], [160, 50, 200, 150]
    by_place = compare([near, far], step_s=1.0)
    by_looks = compare([near, far], step_s=1.0, cosine=[[0.0, 0.8]])
    assert by_place[0].argmax() == 0
    assert by_looks[0].argmax() == 1


def test_appearance_reaches_nobody_who_is_too_far_away():
    assert compare([900, 50, 940, 150], step_s=1.0, cosine=1.0)[0, 0] == 0


def test_the_best_pairs_are_taken_together_and_weak_ones_left_out():
    similarity = np.array([[0.9, 0.8], [0.8, 0.1], [0.2, 0.2]], np.float32)
    rows, columns = assign(similarity, 0.3)
    assert sorted(zip(rows.tolist(), columns.tolist(), strict=True)) == [(0, 1), (1, 0)]


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)])
def test_nothing_to_assign_is_no_error(shape):
    assert [len(part) for part in assign(np.zeros(shape, np.float32), 0.3)] == [0, 0]
    tracks, boxes = (np.zeros((count, 4), np.float32) for count in shape)
    assert compare(boxes, step_s=1.0, tracks=tracks).shape == shape
