"""What is said where tracks cover little of what was detected."""

import pytest

from pipeline.track.coverage import Coverage


def counted(*, frames=20, step_s=1.0, boxes=1, in_tracks=1, alone=0):
    coverage = Coverage()
    for _ in range(frames):
        coverage.see(step_s=step_s, boxes=boxes, in_tracks=in_tracks)
    coverage.alone(alone)
    return coverage.warnings


def test_nothing_is_said_where_tracks_cover_the_boxes():
    assert counted() == []
    assert counted(alone=2) == []


def test_boxes_without_a_track_are_named_with_the_rate():
    (text,) = counted(boxes=4, in_tracks=1)
    assert text.startswith("1 frame a second, 60 of 80 boxes belong to no track")


def test_tracks_of_a_single_box_count_as_none():
    (text,) = counted(step_s=2.0, alone=15)
    assert text.startswith("0.5 frames a second, 15 of 20 boxes")


def test_tracks_that_went_on_do_not_count():
    coverage = Coverage()
    for _ in range(20):
        coverage.see(step_s=1.0, boxes=1, in_tracks=1)
        coverage.alone(1)
        coverage.alone(-1)
    assert coverage.warnings == []


@pytest.mark.parametrize("boxes", [0, 9])
def test_a_handful_of_boxes_is_no_reason_to_warn(boxes):
    assert counted(frames=boxes, in_tracks=0) == []
