"""One way to read finished work, whatever kind it is."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from pipeline.datatypes import Event
from pipeline.errors import ResultsError
from pipeline.layout.archive import BOX_SCHEMA, ArchiveFolder
from pipeline.places import PATH_COLUMNS, PLACE_COLUMNS
from pipeline.results import open_results
from support.made_up_archive import write_made_up
from support.made_up_run import write_made_up_run

WALK = [(2, "hall", 4.0, 6.0), (1, "door", 0.0, 3.0), (1, "door", 5.0, 6.0), (-1, "hall", 1.0, 2.0)]
INPUTS = [
    {"camera": "hall", "source": "/videos/hall.mp4", "width": 320, "height": 240},
    {"camera": "yard", "source": "/videos/yard.mp4"},
]
SIGHTINGS = ["sighting", "camera", "track_id", "global_id", "first_time", "last_time", "frames"]
BOXES = ["camera", "frame", "time", "track_id", "global_id", "x", "y", "w", "h", "score"]


@pytest.fixture
def run(tmp_path):
    return write_made_up_run(tmp_path / "run", WALK, record={"inputs": INPUTS}, crops=2)


def archive_with_boxes(path):
    write_made_up(path, tracklets=8, people=3)
    folder = ArchiveFolder(path)
    for camera, day, part in folder.parts("sightings"):
        names = [f"{camera.removeprefix('cam')}-{n}" for n in (1, 0)]
        columns = {
            "tracklet_id": names,
            "frame": [3, 3],
            "time": [1_767_571_200_000_000] * 2,
            **{name: [1.0, 2.0] for name in ("x", "y", "w", "h", "score")},
        }
        boxes = pa.table(columns, schema=BOX_SCHEMA)
        folder.write_part(folder.part_path("boxes", camera=camera, day=day, key=part.stem), boxes)
    return path


def test_both_kinds_have_the_same_tables(run, tmp_path):
    archive = open_results(archive_with_boxes(tmp_path / "archive"))
    assert open_results(run).kind == "run"
    assert archive.kind == "archive"
    for results in (open_results(run), archive):
        sightings, boxes = results.sightings(), results.boxes()
        assert list(sightings.columns) == [*SIGHTINGS, "quality", "file", *PATH_COLUMNS]
        assert list(boxes.columns) == [*BOXES, "file", *PLACE_COLUMNS]
        assert sightings["sighting"].is_unique
        assert sightings["first_time"].is_monotonic_increasing
        assert len(results.embeddings()) == len(sightings)
        assert set(boxes["global_id"]) <= set(sightings["global_id"])
    assert archive.sightings()["first_time"].dtype == "datetime64[us, UTC]"
    assert archive.boxes()["time"].dtype == "datetime64[us, UTC]"


def test_a_run_tells_times_in_its_own_seconds(run):
    table = open_results(run).sightings()
    assert table["sighting"].tolist() == ["door/2", "hall/4", "hall/1", "door/3"]
    assert table["global_id"].tolist() == [1, -1, 2, 1]
    assert table["first_time"].tolist() == [0.0, 1.0, 4.0, 5.0]


def test_embeddings_come_in_the_order_of_sightings(run):
    vectors = open_results(run).embeddings()
    assert vectors.dtype == np.float32
    # Tracks 2, 4, 1 and 3; the fourth has none.
    assert vectors.tolist() == [[0, 1, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0]]


def test_identities_sum_up_their_sightings(run):
    (first, second) = open_results(run).identities().to_dict("records")
    assert first == {
        "global_id": 1,
        "name": "",
        "cameras": "door",
        "first_time": 0.0,
        "last_time": 6.0,
        "sightings": 2,
        "in_view_s": 6.0,  # over the gap of two seconds
    }
    assert second["in_view_s"] == 2.0


def test_boxes_come_camera_by_camera(run):
    results = open_results(run)
    assert results.cameras() == ["hall", "yard", "door"]
    found = [
        (each.camera, each.file, list(each.sizes), len(each.boxes)) for each in results.sequences()
    ]
    hall, yard, door = found
    assert hall == ("hall", "hall.mp4", [(0, (320, 240))], 5)
    assert yard == ("yard", "yard.mp4", [], 0)
    assert door == ("door", "", [], 6)
    only = results.boxes("door")
    assert set(only["camera"]) == {"door"}
    assert results.boxes("nowhere").empty


def test_few_boxes_at_a_time_are_the_same_boxes(run, monkeypatch):
    whole = open_results(run).boxes()
    monkeypatch.setattr("pipeline.results.run_boxes.ROWS_AT_ONCE", 1)
    monkeypatch.setattr("pipeline.results.run_boxes.CHUNK_ROWS", 2)
    pd.testing.assert_frame_equal(open_results(run).boxes(), whole)


def test_boxes_of_a_run_that_did_not_end_keep_the_identities_of_their_rows(run):
    (run / "identities.csv").unlink()
    results = open_results(run)
    assert set(results.boxes("door")["global_id"]) == {1}
    with pytest.raises(ResultsError, match="did not finish"):
        results.sightings()


def test_pictures_are_those_of_the_identity(run):
    results = open_results(run)
    pictures = results.pictures(1)
    assert [(each.sighting, each.camera, each.at_s) for each in pictures] == [
        ("door/2", "door", 0.0),
        ("door/2", "door", 0.001),
    ]
    assert all(each.jpeg.startswith(b"\xff\xd8") for each in pictures)
    assert results.pictures(99) == []
    assert set(results.best_pictures(results.sightings())) == {"door/2", "hall/1", "hall/4"}


def test_pictures_of_an_archive_take_turns_and_the_best_come_first(tmp_path):
    results = open_results(write_made_up(tmp_path / "archive", tracklets=40, people=2))
    sightings = results.sightings().set_index("sighting")
    pictures = results.pictures(1)
    assert {each.sighting for each in pictures} == set(sightings[sightings["global_id"] == 1].index)
    first = pictures[: len({each.camera for each in pictures})]
    assert len({each.camera for each in first}) == len(first)
    for each in first:
        own = sightings[(sightings["global_id"] == 1) & (sightings["camera"] == each.camera)]
        assert sightings["quality"][each.sighting] == own["quality"].max()


def test_events_of_a_run(run):
    merge = Event(1.5, "merge", 1, other_id=4, number=1)
    (run / "events.jsonl").write_text(json.dumps(merge.as_json()) + "\n")
    assert list(open_results(run).events()) == [merge]
    (run / "events.jsonl").write_text("[]\n")
    with pytest.raises(ResultsError, match="damaged in line 1: remove that line"):
        list(open_results(run).events())


def test_warnings_are_those_of_the_record(run, tmp_path):
    (run / "run.json").write_text(json.dumps({"warnings": ["cam1 ended early"]}))
    assert open_results(run).warnings == ["cam1 ended early"]
    archive = open_results(write_made_up(tmp_path / "archive", tracklets=4, people=1))
    assert archive.warnings == ["a.mp4 was skipped: broken a.mp4"]


@pytest.mark.parametrize("content", ["{", "[]", '{"cameras": 3}', '{"inputs": [{"width": 1}]}'])
def test_a_damaged_record_is_named(run, content):
    (run / "run.json").write_text(content)
    with pytest.raises(ResultsError, match=r"run\.json is damaged .* move it away"):
        open_results(run)


def test_without_a_record_a_run_is_read_all_the_same(run):
    (run / "run.json").unlink()
    results = open_results(run)
    assert results.record == {}
    assert results.cameras() == ["door", "hall"]


@pytest.mark.parametrize(("column", "value"), [("x", "abc"), ("track_id", "1.5"), ("h", "-1")])
def test_a_damaged_box_is_named_by_its_row(run, column, value):
    table = pd.read_csv(run / "tracks.csv", dtype=str)
    table.loc[4, column] = value
    table.to_csv(run / "tracks.csv", index=False)
    with pytest.raises(ResultsError, match=rf"row 5 has {column} = .*{value}.*, expected a"):
        open_results(run).boxes()


@pytest.mark.parametrize("name", ["nowhere", "empty"])
def test_other_folders_are_refused(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ResultsError, match=f"{name} is .*give the --out folder"):
        open_results(tmp_path / name)
