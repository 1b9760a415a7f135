"""Malformed tables are refused with one line that names the row and the column."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.errors import InputError
from pipeline.metrics import score
from pipeline.metrics.ground_truth import read_ground_truth
from pipeline.metrics.tables import check_ground_truth, check_tracks
from support.metric_tables import tracks_table, truth_table

TRUTH = truth_table([("east", 0, 1), ("east", 1, 1), ("west", 0, 2)])
TRACKS = tracks_table([("east", 0, 1, 1, 5), ("east", 1, 1, 1, 5), ("west", 0, 2, 1, 6)])


@pytest.mark.parametrize("column", ["camera", "frame", "identity", "x", "y", "w", "h"])
def test_a_missing_column_of_the_truth_is_named(column: str) -> None:
    with pytest.raises(InputError, match=f"lacks the columns {column};"):
        check_ground_truth(TRUTH.drop(columns=column))


@pytest.mark.parametrize("column", ["camera", "frame", "track_id", "global_id", "x", "y", "w", "h"])
def test_a_missing_column_of_the_run_is_named(column: str) -> None:
    with pytest.raises(InputError, match=f"lacks the columns {column};"):
        check_tracks(TRACKS.drop(columns=column))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("frame", 0.5),
        ("frame", None),
        ("frame", -1),
        ("x", "left"),
        ("y", np.nan),
        ("w", -1.0),
        ("h", np.inf),
        ("visible", "half"),
    ],
)
def test_a_value_that_is_no_number_is_named_with_its_row(column: str, value: object) -> None:
    table = TRUTH.astype({column: object})
    table.loc[1, column] = value
    with pytest.raises(InputError, match=f"row 2 has {column} = .*expected a"):
        check_ground_truth(table)


def test_an_identity_twice_in_a_frame_of_the_truth_is_refused() -> None:
    table = pd.concat([TRUTH, TRUTH.iloc[[1]].assign(x=7.0)], ignore_index=True)
    with pytest.raises(InputError, match="row 4 repeats camera east, frame 1, identity 1"):
        check_ground_truth(table)


def test_a_track_twice_in_a_frame_of_its_camera_is_refused() -> None:
    table = pd.concat([TRACKS, TRACKS.iloc[[0]].assign(x=7.0)], ignore_index=True)
    with pytest.raises(InputError, match="row 4 repeats camera east, frame 0, track_id 1"):
        check_tracks(table)


def test_the_same_track_number_in_two_cameras_is_fine() -> None:
    assert len(check_tracks(TRACKS)) == 3


def test_a_row_without_identity_is_refused() -> None:
    table = TRUTH.astype({"identity": object})
    table.loc[2, "identity"] = None
    with pytest.raises(InputError, match="row 3 has no identity"):
        check_ground_truth(table)


def test_an_empty_truth_is_refused_and_an_empty_run_is_not() -> None:
    with pytest.raises(InputError, match="no rows"):
        check_ground_truth(TRUTH.iloc[:0])
    assert check_tracks(TRACKS.iloc[:0]).empty


def test_missing_visibility_means_visible() -> None:
    assert (check_ground_truth(TRUTH.drop(columns="visible"))["visible"] == 1).all()


def test_inputs_are_left_as_they_were() -> None:
    truth, found = TRUTH.iloc[::-1], TRACKS.iloc[::-1]
    before = truth.copy(), found.copy()
    score(truth, found)
    pd.testing.assert_frame_equal(truth, before[0])
    pd.testing.assert_frame_equal(found, before[1])


def test_a_csv_keeps_camera_names_that_look_like_numbers_or_nothing(tmp_path: Path) -> None:
    path = tmp_path / "gt.csv"
    rows = ["007,0,1,0,0,10,10", "NA,0,1,0,0,10,10"]
    path.write_text("\n".join(["camera,frame,identity,x,y,w,h", *rows]))
    assert list(read_ground_truth(path)["camera"]) == ["007", "NA"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is empty"),
        ("1,2,3,4,5,6\n", "no column 'camera'"),
        ("camera,frame,identity,x,y,w,h\n", "has no rows"),
        ('camera,frame\n"a', "cannot be read as CSV"),
    ],
)
def test_a_file_that_is_no_ground_truth_is_refused(
    tmp_path: Path, content: str, words: str
) -> None:
    path = tmp_path / "gt.csv"
    path.write_text(content)
    with pytest.raises(InputError, match=words):
        read_ground_truth(path)


def write_mot(path: Path, *lines: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(line + "\n" for line in lines))


def test_mot_folders_of_either_layout_give_the_same_table(tmp_path: Path) -> None:
    lines = ["1,4,100,50,40,100,1,1,1.0", "2,4,110,50,40,100,1,1,0.2"]
    for layout in ("deep/east/gt/gt.txt", "flat/east.txt"):
        write_mot(tmp_path / layout, *lines)
    deep, flat = read_ground_truth(tmp_path / "deep"), read_ground_truth(tmp_path / "flat")
    pd.testing.assert_frame_equal(deep, flat)
    assert list(deep["camera"]) == ["east", "east"]
    assert list(deep["frame"]) == [0, 1]  # MOT text counts from 1
    assert list(deep["identity"]) == [4, 4]
    assert list(deep["visible"]) == [1.0, 0.2]


def test_mot_classes_count_as_in_the_challenge(tmp_path: Path) -> None:
    rows = {
        1: "1,1,0,0,10,10,1,1,0.9",  # a person
        2: "1,2,0,0,10,10,0,1,0.9",  # a person that is flagged as not to be counted
        3: "1,3,0,0,10,10,1,7,0.9",  # a person who stands still
        4: "1,4,0,0,10,10,1,3,0.9",  # a car
    }
    write_mot(tmp_path / "east.txt", *rows.values())
    table = read_ground_truth(tmp_path).set_index("identity")
    assert table["visible"].to_dict() == {1: 0.9, 2: 0.0, 3: 0.0}


def test_mot_text_with_places_in_the_world_has_no_classes(tmp_path: Path) -> None:
    write_mot(tmp_path / "east.txt", "1,1,0,0,10,10,1,-1,-1,-1")
    assert list(read_ground_truth(tmp_path)["visible"]) == [1.0]


def test_six_columns_of_mot_text_are_enough(tmp_path: Path) -> None:
    write_mot(tmp_path / "east.txt", "1,1,0,0,10,10")
    write_mot(tmp_path / "west.txt")
    assert list(read_ground_truth(tmp_path)["camera"]) == ["east"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("0,1,0,0,10,10", "frames from 1"),
        ("1,1,0,0", "expected MOT text"),
        ("1,1,0,0,10,10,yes,1,1", "flag 'yes' is no number"),
    ],
)
def test_malformed_mot_text_is_refused(tmp_path: Path, line: str, words: str) -> None:
    write_mot(tmp_path / "east.txt", line)
    with pytest.raises(InputError, match=words):
        read_ground_truth(tmp_path)


def test_a_folder_without_mot_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has neither CAMERA/gt/"):
        read_ground_truth(tmp_path)


def test_mot_truth_scores_like_the_same_csv(tmp_path: Path) -> None:
    lines = [
        f"{row.frame + 1},{row.identity},{row.x},{row.y},{row.w},{row.h},1,1,{row.visible}"
        for row in TRUTH.itertuples()
        if row.camera == "east"
    ]
    write_mot(tmp_path / "east.txt", *lines)
    east = TRACKS[TRACKS["camera"] == "east"]
    by_csv = score(TRUTH[TRUTH["camera"] == "east"], east)
    assert score(read_ground_truth(tmp_path), east) == by_csv
