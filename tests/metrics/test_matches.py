"""Which box shows whom, the names that follow, the mistakes, and their pictures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from pipeline.datatypes import Frame
from pipeline.errors import DecodeError, InputError, SinkError
from pipeline.metrics.confusion import FALSE, MISSED, NO_IDENTITY, confusion, draw_confusion
from pipeline.metrics.crops import cut_crops, gallery_crops
from pipeline.metrics.figures import in_natural_order
from pipeline.metrics.matches import (
    BoxView,
    Mistake,
    box_table,
    name_identities,
    worst_mistakes,
)
from pipeline.metrics.mistake_sheet import draw_mistakes
from pipeline.metrics.optional import load
from pipeline.metrics.pairing import overlaps, pair_boxes
from pipeline.metrics.tables import check_ground_truth, check_tracks
from pipeline.metrics.timeline import draw_timeline, stretches
from support.metric_tables import crowd, perfect_tracks, tracks_table, truth_table


def boxes_of(truth: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    truth, found = check_ground_truth(truth), check_tracks(found)
    steps = pair_boxes(truth, found, iou=0.5, min_visible=0.3).steps
    return box_table(steps, truth, found, iou=0.5)


@pytest.fixture
def mixed() -> pd.DataFrame:
    """Person 1 is found as 7 (6 boxes) and 8 (3), once missed; person 2 as 7 (2) and once
    without identity; one false box is called 9."""
    truth = truth_table(
        [("east", frame, 1) for frame in range(10)] + [("west", frame, 2) for frame in range(3)]
    )
    names = [7] * 6 + [8] * 3
    found = tracks_table(
        [("east", frame, 1, 1, name) for frame, name in enumerate(names)]
        + [("west", 0, 2, 1, 7), ("west", 1, 2, 1, 7), ("west", 2, 2, 2, -1)]
        + [("west", 2, 5, 3, 9)]
    )
    return boxes_of(truth, found)


def test_true_found_missed_and_false_boxes_have_one_row_each(mixed: pd.DataFrame) -> None:
    assert len(mixed) == 13 + 1
    matched = mixed[mixed["is_found"] & (mixed["identity"] != "")]
    assert len(matched) == 12
    assert (matched["overlap"] == 1).all()
    (missed,) = mixed[~mixed["is_found"]].itertuples()
    assert (missed.camera, missed.frame, missed.identity) == ("east", 9, "1")
    assert (missed.global_id, missed.track_id, missed.overlap) == (-1, -1, 0)
    (false,) = mixed[mixed["identity"] == ""].itertuples()
    assert (false.camera, false.frame, false.global_id, false.x) == ("west", 2, 9, 500)


def test_the_lesser_of_two_boxes_with_one_identity_is_nobody() -> None:
    found = tracks_table([("east", 0, 1, 1, 5), ("east", 0, 2, 2, 5)]).assign(score=[0.6, 0.8])
    boxes = boxes_of(truth_table([("east", 0, 1), ("east", 0, 2)]), found)
    assert dict(zip(boxes["identity"], boxes["global_id"], strict=True)) == {"1": -1, "2": 5}


def test_counts_of_true_against_found(mixed: pd.DataFrame) -> None:
    counts = confusion(mixed, name_identities(mixed))
    expected = pd.DataFrame(
        [[6, 3, 0, 0, 1], [2, 0, 0, 1, 0], [0, 0, 1, 0, 0]],
        index=["1", "2", FALSE],
        columns=["7", "8", "9", NO_IDENTITY, MISSED],
    )
    pd.testing.assert_frame_equal(counts, expected, check_names=False)


def test_names_make_the_most_boxes_right(mixed: pd.DataFrame) -> None:
    # 7 for person 1 leaves person 2 without a name: 6 boxes are right; the other way round
    # 8 names person 1 and 7 person 2: 5 boxes.
    assert name_identities(mixed) == {7: "1"}


def test_mistakes_come_worst_first(mixed: pd.DataFrame) -> None:
    mistakes = worst_mistakes(mixed, limit=10)
    told = [
        (each.kind, each.boxes, each.first.identity, each.first.global_id,
         each.second.identity, each.second.global_id)
        for each in mistakes
    ]  # fmt: skip
    assert told == [("split", 3, "1", 7, "1", 8), ("merged", 2, "1", 7, "2", 7)]
    assert worst_mistakes(mixed, limit=1) == mistakes[:1]


def test_a_perfect_run_has_no_mistakes() -> None:
    truth, _ = crowd(cameras=2, frames=10, persons=3, seed=0)
    truth = truth[~truth.duplicated(["camera", "frame", "identity"])]
    boxes = boxes_of(truth, perfect_tracks(truth))
    assert worst_mistakes(boxes, limit=5) == []
    assert name_identities(boxes) == {1: "1", 2: "2", 3: "3"}


def test_a_run_without_boxes_has_no_names() -> None:
    boxes = boxes_of(truth_table([("east", 0, 1)]), tracks_table([]))
    assert name_identities(boxes) == {}
    assert worst_mistakes(boxes, limit=5) == []


def test_a_mistake_is_shown_by_its_largest_visible_box() -> None:
    truth = truth_table([("east", frame, 1) for frame in range(3)])
    truth["h"] = [60.0, 100.0, 140.0]
    truth["visible"] = [1.0, 1.0, 0.4]
    found = perfect_tracks(truth).assign(global_id=[4, 4, 4])
    other = found.iloc[[0]].assign(frame=3, global_id=5)
    more = pd.concat([truth, truth.iloc[[0]].assign(frame=3)], ignore_index=True)
    (mistake,) = worst_mistakes(boxes_of(more, pd.concat([found, other])), limit=5)
    assert (mistake.first.frame, mistake.first.box[3]) == (1, 100)


def test_a_row_is_cut_where_the_identity_changes_or_boxes_are_missing() -> None:
    row = pd.DataFrame(
        {"frame": [0, 1, 2, 3, 9, 10, 16, 30], "global_id": [5, 5, 6, 6, 6, 6, 6, 6]}
    )
    cut = [(each.begin, each.end, each.global_id) for each in stretches(row, axis="frame", tick=1)]
    # Five missing frames are bridged, more are not.
    assert cut == [(0, 2, 5), (2, 17, 6), (30, 31, 6)]
    assert list(stretches(row.iloc[:0], axis="frame", tick=1)) == []


@pytest.mark.parametrize(
    ("times", "people"), [(True, 3), (False, 3), (True, 30)], ids=["seconds", "frames", "many"]
)
def test_pictures_are_drawn(tmp_path: Path, *, times: bool, people: int) -> None:
    truth, found = crowd(cameras=2, frames=20, persons=people, seed=1)
    found.loc[found.index[:20], "global_id"] = -1
    if not times:
        truth, found = truth.drop(columns="time_s"), found.drop(columns="time_s")
    boxes = boxes_of(truth, found)
    assert boxes["time_s"].isna().all() == (not times)
    names = name_identities(boxes)
    draw_timeline(boxes, names, tmp_path / "timeline.png")
    draw_confusion(confusion(boxes, names), tmp_path / "identities.png")
    draw_mistakes(worst_mistakes(boxes, limit=5), {}, tmp_path / "mistakes.png")
    for name in ("timeline", "identities", "mistakes"):
        picture = cv2.imread(str(tmp_path / f"{name}.png"))
        assert picture is not None
        assert picture.std() > 5


def test_a_right_stretch_has_the_colour_of_its_person(tmp_path: Path) -> None:
    """Colours of the thick bars: two where each person keeps a name, else the grey of nobody."""
    truth = truth_table([("east", frame, person) for frame in range(20) for person in (1, 2)])
    right = boxes_of(truth, perfect_tracks(truth))
    draw_timeline(right, name_identities(right), tmp_path / "right.png")
    draw_timeline(right, {}, tmp_path / "nobody.png")
    one, other = (cv2.imread(str(tmp_path / name)) for name in ("right.png", "nobody.png"))
    assert saturated(one) > 3 * saturated(other)


def saturated(picture: np.ndarray) -> int:
    """Return how many pixels have a colour."""
    return int((np.ptp(picture.astype(int), axis=2) > 60).sum())


def test_a_picture_that_cannot_be_written_is_an_error(mixed: pd.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SinkError, match="could not be written"):
        draw_timeline(mixed, {}, tmp_path / "file" / "timeline.png")


def sighting(camera: str, frame: int, *, x: float = 20, track_id: int = 1) -> BoxView:
    return BoxView(camera, frame, frame / 10, "1", 1, track_id, (x, 10.0, 20.0, 40.0))


def video(camera: str, frames: int, *, breaks: bool = False) -> Iterator[Frame]:
    """Yield frames whose brightness is their number."""
    for index in range(frames):
        yield Frame(camera, index, index / 10, np.full((80, 100, 3), index, np.uint8))
    if breaks:
        raise DecodeError("the disc failed")


def test_crops_come_from_their_camera_and_frame() -> None:
    wanted = [sighting("east", 3), sighting("east", 7), sighting("west", 5), sighting("door", 1)]
    crops = cut_crops(wanted, {"east": video("east", 10), "west": video("west", 10)})
    assert {each: int(crop.mean()) for each, crop in crops.items()} == {
        wanted[0]: 3,
        wanted[1]: 7,
        wanted[2]: 5,
    }
    # The box is 20 x 40, with a tenth of it added on every side.
    assert crops[wanted[0]].shape == (48, 24, 3)


def test_reading_stops_after_the_last_frame_that_is_wanted() -> None:
    frames = video("east", 10)
    cut_crops([sighting("east", 3)], {"east": frames})
    assert next(frames).index == 4


def test_a_video_that_breaks_gives_nothing_and_fails_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    wanted = [sighting("east", 9), sighting("west", 2)]
    crops = cut_crops(wanted, {"east": video("east", 5, breaks=True), "west": video("west", 5)})
    assert list(crops) == [wanted[1]]
    assert "the disc failed" in caplog.text


def test_a_box_outside_the_picture_has_no_crop() -> None:
    assert cut_crops([sighting("east", 1, x=500)], {"east": video("east", 3)}) == {}


def test_the_gallery_gives_the_nearest_crop_of_the_track(tmp_path: Path) -> None:
    paths = [tmp_path / f"{shade}.png" for shade in (50, 200)]
    for path in paths:
        cv2.imwrite(str(path), np.full((8, 4, 3), int(path.stem), np.uint8))
    gallery = {("east", 1): [(0.0, paths[0]), (2.0, paths[1])], ("east", 2): []}
    early, late = sighting("east", 3), sighting("east", 18)
    crops = gallery_crops([early, late, sighting("east", 3, track_id=2)], gallery)
    assert {each: crop.max() for each, crop in crops.items()} == {early: 50, late: 200}


def test_mistakes_show_their_crops(tmp_path: Path) -> None:
    first, second = sighting("east", 1), sighting("west", 2)
    crops = {first: np.full((40, 20, 3), (0, 0, 255), np.uint8)}
    draw_mistakes([Mistake("split", 3, first, second)], crops, tmp_path / "sheet.png")
    picture = cv2.imread(str(tmp_path / "sheet.png"))
    assert picture is not None
    red = (picture == (0, 0, 255)).all(axis=2)
    assert red[:, : red.shape[1] // 2].any()  # BGR crop, drawn in its true colours
    assert not red[:, red.shape[1] // 2 :].any()


def test_names_are_sorted_numbers_by_value() -> None:
    assert in_natural_order(["10", "9", "anna", "2"]) == ["2", "9", "10", "anna"]


def test_a_missing_library_names_the_extra_that_has_it() -> None:
    with pytest.raises(InputError, match=r"nowhere_to_be_found.*reid-pipeline\[evaluate\]"):
        load("nowhere_to_be_found.metrics")


def test_overlaps_equal_the_plain_formula() -> None:
    rng = np.random.default_rng(0)
    first = np.column_stack([rng.uniform(0, 50, (30, 2)), rng.uniform(0, 40, (30, 2))])
    second = np.column_stack([rng.uniform(0, 50, (20, 2)), rng.uniform(0, 40, (20, 2))])
    fast = overlaps(first, second)
    for i, (x, y, w, h) in enumerate(first):
        for j, (u, v, a, b) in enumerate(second):
            width = max(0.0, min(x + w, u + a) - max(x, u))
            height = max(0.0, min(y + h, v + b) - max(y, v))
            plain = width * height / (w * h + a * b - width * height)
            assert fast[i, j] == pytest.approx(plain)
    assert overlaps(first[:0], second).shape == (0, 20)
    assert overlaps(np.zeros((1, 4)), np.zeros((1, 4)))[0, 0] == 0
