"""Reading a run folder, renaming its cameras, and the part of the truth it is held to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.jobs.evaluate import read_run
from pipeline.metrics.scope import coverage, restrict
from pipeline.metrics.tables import check_ground_truth
from support.metric_tables import tracks_table, truth_table

TRUTH = check_ground_truth(
    truth_table((camera, frame, 1) for camera in ("east", "west") for frame in range(10))
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run that read 10 frames of the east and 4 of the west, and found nobody in the west."""
    tracks_table([("east", frame, 1, 1, 5) for frame in range(10)]).to_csv(
        tmp_path / "tracks.csv", index=False
    )
    record = {
        "status": "complete",
        "inputs": [{"camera": name, "source": f"{name}.mp4"} for name in ("east", "west")],
        "cameras": [{"camera": "east", "frames": 10}, {"camera": "west", "frames": 4}],
    }
    (tmp_path / "run.json").write_text(json.dumps(record))
    crops = tmp_path / "gallery" / "0005"
    crops.mkdir(parents=True)
    (crops / "east_t1_1500ms.jpg").touch()
    (crops / "notes.jpg").touch()
    return tmp_path


def test_a_run_folder_tells_how_far_it_came_and_where_its_pictures_are(folder: Path) -> None:
    run = read_run(folder)
    assert run.cameras == {"east", "west"}
    assert run.frames == {"east": 10, "west": 4}
    assert run.sources["west"] == Path("west.mp4")
    assert run.gallery == {("east", 1): [(1.5, folder / "gallery/0005/east_t1_1500ms.jpg")]}
    assert run.status == "complete"
    assert len(run.tracks) == 10


def test_the_table_of_a_run_folder_brings_its_record_along(folder: Path) -> None:
    assert read_run(folder / "tracks.csv").frames == {"east": 10, "west": 4}


def test_a_table_alone_has_no_record(folder: Path) -> None:
    lone = (folder / "tracks.csv").rename(folder / "mine.csv")
    run = read_run(lone)
    assert run.frames == run.sources == run.gallery == {}
    assert run.cameras == {"east"}


def test_frames_left_out_as_damaged_do_not_shorten_the_run(folder: Path) -> None:
    tracks_table([("west", 8, 1, 1, 5)]).to_csv(folder / "tracks.csv", index=False)
    assert read_run(folder).frames["west"] == 9


@pytest.mark.parametrize("record", ["{", '{"cameras": [1]}', '{"inputs": [{"width": 1}]}', "[]"])
def test_a_damaged_record_is_refused(folder: Path, record: str) -> None:
    (folder / "run.json").write_text(record)
    with pytest.raises(InputError, match="damaged"):
        read_run(folder)


def test_coverage_is_the_share_of_true_boxes_in_processed_frames(folder: Path) -> None:
    covered = coverage(TRUTH, read_run(folder).frames)
    assert covered.share == {"east": 1.0, "west": pytest.approx(0.4)}
    assert len(covered.within) == 14
    unknown = coverage(TRUTH, {"east": 5})
    assert unknown.share == {"east": 0.5}
    assert len(unknown.within) == 15


def test_cameras_can_be_renamed(folder: Path) -> None:
    run = read_run(folder).renamed({"east": "c1"})
    assert run.cameras == {"c1", "west"}
    assert set(run.tracks["camera"]) == {"c1"}
    assert run.frames["c1"] == 10
    assert ("c1", 1) in run.gallery


def test_cameras_can_trade_names(folder: Path) -> None:
    run = read_run(folder).renamed({"east": "west", "west": "east"})
    assert run.frames == {"west": 10, "east": 4}


@pytest.mark.parametrize(
    ("names", "words"),
    [({"door": "east"}, "renames door"), ({"east": "west"}, "two cameras one name")],
)
def test_a_renaming_that_cannot_be_is_refused(
    folder: Path, names: dict[str, str], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        read_run(folder).renamed(names)


def test_all_cameras_that_correspond_are_scored(folder: Path) -> None:
    truth, run = restrict(TRUTH, read_run(folder), cameras=[])
    assert len(truth) == 20
    assert len(run.tracks) == 10


def test_one_camera_can_be_chosen(folder: Path) -> None:
    truth, run = restrict(TRUTH, read_run(folder), cameras=["west"])
    assert set(truth["camera"]) == {"west"}
    assert run.tracks.empty


@pytest.mark.parametrize("cameras", [["door"], ["east", "door"]])
def test_a_camera_that_nobody_has_is_refused(folder: Path, cameras: list[str]) -> None:
    with pytest.raises(InputError, match="the run has east, west, the ground truth has east, west"):
        restrict(TRUTH, read_run(folder), cameras=cameras)


def test_a_camera_that_the_run_never_read_is_refused(folder: Path) -> None:
    more = check_ground_truth(truth_table([("east", 0, 1), ("west", 0, 1), ("door", 0, 1)]))
    with pytest.raises(InputError, match="do not correspond"):
        restrict(more, read_run(folder), cameras=[])
    truth, _ = restrict(more, read_run(folder), cameras=["east", "west"])
    assert set(truth["camera"]) == {"east", "west"}


def test_a_table_alone_may_lack_cameras_where_nothing_was_found(folder: Path) -> None:
    (folder / "run.json").unlink()
    truth, _ = restrict(TRUTH, read_run(folder), cameras=[])
    assert set(truth["camera"]) == {"east", "west"}
