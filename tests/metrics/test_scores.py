"""Scores on cases that can be counted by hand."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from pipeline.errors import InputError
from pipeline.metrics import score
from support.metric_tables import crowd, perfect_tracks, tracks_table, truth_table


def two_cameras() -> pd.DataFrame:
    """Persons 1 and 2 in ten frames of each of two cameras: 40 boxes."""
    return truth_table(
        (camera, frame, person)
        for camera in ("east", "west")
        for frame in range(10)
        for person in (1, 2)
    )


def test_finding_everything_scores_one() -> None:
    truth = two_cameras()
    result = score(truth, perfect_tracks(truth))
    for each in (result.overall, *result.cameras.values()):
        assert each.idf1 == each.idp == each.idr == 1
        assert each.hota == pytest.approx(1)
        assert each.det_a == each.ass_a == pytest.approx(1)
        assert each.mota == each.recall == each.precision == 1
        assert each.id_switches == 0
    assert result.overall.true_boxes == result.overall.found_boxes == 40
    assert result.overall.true_identities == result.overall.found_identities == 2


def test_finding_nothing_scores_zero() -> None:
    truth = two_cameras()
    result = score(truth, tracks_table([]))
    for each in (result.overall, *result.cameras.values()):
        assert each.idf1 == each.hota == each.det_a == each.mota == each.recall == 0
        assert each.precision == 0
        assert each.id_switches == 0
    assert set(result.cameras) == {"east", "west"}


def test_false_boxes_alone_make_mota_negative() -> None:
    truth = truth_table([("east", 0, 1)])
    found = tracks_table([("east", 1, 1, 1, 1), ("east", 2, 1, 1, 1)])
    result = score(truth, found)
    assert result.overall.mota == 1 - 3  # one missed, two false, one true box
    assert result.overall.precision == 0


def test_perfect_cameras_with_swapped_names_are_half_right_together() -> None:
    # Each camera is perfect alone, but the west calls person 1 "2" and person 2 "1".
    truth = two_cameras()
    found = perfect_tracks(truth)
    west = found["camera"] == "west"
    found.loc[west, "global_id"] = 3 - found.loc[west, "global_id"]
    result = score(truth, found)
    for each in result.cameras.values():
        assert each.idf1 == 1
        assert each.hota == pytest.approx(1)
        assert each.id_switches == 0
    # Every naming explains 20 of 40 true and 20 of 40 found boxes.
    assert result.overall.idf1 == result.overall.idp == result.overall.idr == 0.5
    # Each pair of a person and an id shares 10 boxes of 20 + 20.
    assert result.overall.det_a == pytest.approx(1)
    assert result.overall.ass_a == pytest.approx(10 / 30)
    assert result.overall.hota == pytest.approx(math.sqrt(10 / 30))
    assert result.overall.id_switches == 2
    assert result.overall.mota == 1 - 2 / 40


def test_new_ids_in_every_camera_keep_half_the_boxes() -> None:
    truth = two_cameras()
    found = perfect_tracks(truth)
    found.loc[found["camera"] == "west", "global_id"] += 10
    result = score(truth, found)
    assert all(each.idf1 == 1 for each in result.cameras.values())
    assert result.overall.idf1 == 0.5
    assert result.overall.ass_a == pytest.approx(10 / 20)
    assert result.overall.found_identities == 4


def test_one_id_for_two_people() -> None:
    # Person 1 in frames 0-9, person 2 in 10-14, both called 7 by one track.
    truth = truth_table([("east", frame, 1 if frame < 10 else 2) for frame in range(15)])
    found = tracks_table([("east", frame, 1 if frame < 10 else 2, 1, 7) for frame in range(15)])
    overall = score(truth, found).overall
    assert overall.idf1 == overall.idp == overall.idr == pytest.approx(10 / 15)
    assert overall.ass_a == pytest.approx((10 * 10 / 15 + 5 * 5 / 15) / 15)
    assert overall.id_switches == 0
    assert overall.mota == 1


def test_same_frame_numbers_of_two_cameras_do_not_collide() -> None:
    # One person seen by both cameras in the same frames, at the same pixels.
    truth = truth_table((camera, frame, 1) for camera in ("east", "west") for frame in range(5))
    overall = score(truth, perfect_tracks(truth)).overall
    assert overall.true_boxes == overall.found_boxes == 10
    assert overall.idf1 == 1


def test_names_of_identities_do_not_matter() -> None:
    truth, found = crowd(cameras=2, frames=40, persons=6, seed=3)
    rng = np.random.default_rng(0)
    ids = found["global_id"].unique()
    renamed = found.assign(
        global_id=found["global_id"].map(dict(zip(ids, rng.permutation(ids), strict=True)))
    )
    people = truth.assign(identity="person " + truth["identity"].astype(str))
    assert score(people, renamed).as_dict() == score(truth, found).as_dict()


def test_order_of_rows_does_not_matter() -> None:
    truth, found = crowd(cameras=2, frames=40, persons=6, seed=4)
    shuffled = score(truth.sample(frac=1, random_state=1), found.sample(frac=1, random_state=2))
    ordered = score(truth, found)
    for name in ("idf1", "hota", "ass_a", "mota", "id_switches", "found_identities"):
        assert getattr(shuffled.overall, name) == pytest.approx(getattr(ordered.overall, name))


def test_a_hidden_person_is_neither_rewarded_nor_punished() -> None:
    place = ("east", 0, 1)
    truth = truth_table([place, ("east", 1, 1)], visible={place: 0.2})
    both = tracks_table([("east", 0, 1, 1, 5), ("east", 1, 1, 1, 5)])
    second_only = both[both["frame"] == 1]
    for found in (both, second_only):
        overall = score(truth, found).overall
        assert overall.idf1 == overall.mota == overall.precision == 1
        assert overall.true_boxes == 1
        assert overall.hidden_boxes == 1
    assert score(truth, both).overall.ignored_boxes == 1
    assert score(truth, second_only).overall.ignored_boxes == 0


def test_a_person_of_exactly_the_least_visibility_counts() -> None:
    place = ("east", 0, 1)
    truth = truth_table([place], visible={place: 0.3})
    assert score(truth, tracks_table([])).overall.true_boxes == 1


def test_a_hidden_person_excuses_one_box_only() -> None:
    truth = truth_table([("east", 0, 1), ("east", 0, 2)], visible={("east", 0, 2): 0.1})
    found = tracks_table([("east", 0, 1, 1, 1), ("east", 0, 2, 2, 2), ("east", 0, 2, 3, 3)])
    overall = score(truth, found).overall
    assert overall.ignored_boxes == 1
    assert overall.found_boxes == 2
    assert overall.precision == 0.5


def test_a_person_behind_another_does_not_take_the_box_away() -> None:
    # The hidden person fits the found box better than the visible one in front.
    truth = truth_table([("east", 0, 1), ("east", 0, 2)], visible={("east", 0, 2): 0.05})
    truth.loc[truth["identity"] == 1, "x"] = 205.0
    found = tracks_table([("east", 0, 2, 1, 1)])
    overall = score(truth, found).overall
    assert overall.ignored_boxes == 0
    assert overall.recall == overall.precision == 1


def test_a_box_without_identity_counts_as_found_but_as_nobody() -> None:
    truth = truth_table([("east", frame, 1) for frame in range(10)])
    found = tracks_table([("east", frame, 1, 1, -1) for frame in range(10)])
    overall = score(truth, found).overall
    assert overall.recall == overall.precision == overall.mota == 1
    assert overall.det_a == pytest.approx(1)
    assert overall.idf1 == overall.idp == overall.idr == 0
    assert overall.ass_a == pytest.approx(1 / 10)  # ten identities of one box each
    assert overall.unassigned_boxes == 10
    assert overall.found_identities == 0


def test_a_late_decision_costs_the_boxes_before_it_and_one_switch() -> None:
    truth = truth_table([("east", frame, 1) for frame in range(10)])
    found = tracks_table([("east", frame, 1, 1, -1 if frame < 4 else 7) for frame in range(10)])
    overall = score(truth, found).overall
    assert overall.idr == overall.idp == pytest.approx(6 / 10)
    assert overall.ass_a == pytest.approx((4 * 1 / 10 + 6 * 6 / 10) / 10)
    assert overall.id_switches == 1


def test_two_undecided_tracks_of_a_person_are_two_unknown_identities() -> None:
    truth = truth_table([("east", frame, 1) for frame in range(10)])
    found = tracks_table([("east", frame, 1, 1 if frame < 5 else 2, -1) for frame in range(10)])
    assert score(truth, found).overall.id_switches == 1


def test_undecided_boxes_of_two_cameras_are_never_one_person() -> None:
    truth = two_cameras()
    found = perfect_tracks(truth).assign(global_id=-1)
    overall = score(truth, found).overall
    assert overall.idf1 == 0
    assert overall.unassigned_boxes == 40


def test_an_identity_twice_in_a_frame_keeps_its_best_box() -> None:
    truth = truth_table([("east", 0, 1), ("east", 0, 2)])
    found = tracks_table([("east", 0, 1, 1, 5), ("east", 0, 2, 2, 5)])
    found["score"] = [0.6, 0.8]
    overall = score(truth, found).overall
    assert overall.duplicate_boxes == overall.unassigned_boxes == 1
    assert overall.recall == 1
    assert overall.idf1 == 0.5


def test_overlap_at_the_threshold_is_a_match_and_below_it_is_none() -> None:
    truth = truth_table([("east", 0, 1)])
    found = tracks_table([("east", 0, 1, 1, 1)])
    found["h"] = 50.0  # half of the true box
    assert score(truth, found, iou=0.5).overall.idf1 == 1
    assert score(truth, found, iou=0.51).overall.idf1 == 0


def test_a_camera_of_the_run_that_nobody_labelled_is_an_error() -> None:
    truth = truth_table([("east", 0, 1)])
    found = tracks_table([("door", 0, 1, 1, 1)])
    with pytest.raises(InputError, match=r"the run has door, the ground truth has east"):
        score(truth, found)


def test_ground_truth_where_nobody_is_visible_is_an_error() -> None:
    place = ("east", 0, 1)
    truth = truth_table([place], visible={place: 0.1})
    with pytest.raises(InputError, match="visible enough"):
        score(truth, tracks_table([]))


def test_a_camera_where_everybody_is_hidden_scores_zero_without_failing() -> None:
    place = ("west", 0, 1)
    truth = truth_table([("east", 0, 1), place], visible={place: 0.1})
    found = tracks_table([("east", 0, 1, 1, 1), ("west", 3, 1, 1, 1)])
    west = score(truth, found).cameras["west"]
    assert west.true_boxes == 0
    assert west.found_boxes == 1
    assert west.idf1 == west.mota == 0
