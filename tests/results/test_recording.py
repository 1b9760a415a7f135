"""A live run's folder read as results, finished, killed, and while it is being written."""

import json

import numpy as np
import pytest

from pipeline.datatypes import UNASSIGNED
from pipeline.errors import OutputError, ResultsError
from pipeline.layout.edit_log import EditLog, Editor
from pipeline.layout.recording import REGISTRY
from pipeline.results import open_results
from support.small_recordings import NOON_S, WARNING, LiveFolder, look_of, write_recording


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_recording(tmp_path_factory.mktemp("live") / "rec", video=False)


def read_all(folder):
    results = open_results(folder)
    results.boxes()
    list(results.events())


def rows(results):
    table = results.sightings()
    return list(zip(table["sighting"], table["global_id"], table["frames"], strict=True))


def test_sightings_are_the_tracks_of_identities_in_utc(folder):
    results = open_results(folder)
    assert results.kind == "recording"
    assert rows(results) == [("lobby/1", 1, 10), ("lobby/2", 2, 10), ("yard/1", 1, 10)]
    table = results.sightings()
    assert str(table["first_time"].dtype) == "datetime64[us, UTC]"
    begins = table["first_time"].astype("int64").to_numpy() / 1e6 - NOON_S
    np.testing.assert_allclose(begins, [0.1, 0.1, 21.0], atol=1e-3)
    assert results.cameras() == ["lobby", "yard"]


def test_embeddings_are_in_the_order_of_sightings(folder):
    embeddings = open_results(folder).embeddings()
    np.testing.assert_allclose(embeddings, [look_of(1), look_of(2), look_of(1)])


def test_boxes_come_by_file_and_camera_with_the_identities_of_now(folder):
    results = open_results(folder)
    tables = list(results.iter_boxes())
    assert [(set(t["camera"]), len(t)) for t in tables] == [({"lobby"}, 20), ({"yard"}, 10)]
    boxes = results.boxes("lobby")
    assert boxes["frame"].tolist() == sorted([*range(10)] * 2)
    assert set(zip(boxes["track_id"], boxes["global_id"], strict=True)) == {(1, 1), (2, 2)}
    assert boxes[["x", "y", "w", "h"]].iloc[0].tolist() == [2, 4, 6, 36]
    assert boxes["time"].iloc[0].timestamp() == pytest.approx(NOON_S + 0.1)
    assert boxes["file"].iloc[0].startswith("lobby-tracks-2027")


def test_identities_pictures_and_events(folder):
    results = open_results(folder)
    table = results.identities()
    assert table["global_id"].tolist() == [1, 2]
    assert table["cameras"].tolist() == ["lobby,yard", "lobby"]
    pictures = results.pictures(1)
    assert [each.sighting for each in pictures] == ["lobby/1", "yard/1"]
    assert all(each.jpeg.startswith(b"\xff\xd8") for each in pictures)
    best = results.best_pictures(results.sightings())
    assert sorted(best) == ["lobby/1", "lobby/2", "yard/1"]
    assert [(e.kind, e.global_id, e.from_camera) for e in results.events()] == [
        ("new", 1, ""),
        ("new", 2, ""),
        ("hand_over", 1, "lobby"),
    ]


def test_the_record_says_how_it_was_made_without_passwords(folder):
    results = open_results(folder)
    summary = results.summary()
    assert (summary.status, summary.warnings) == ("complete", [WARNING])
    assert [(each.camera, each.tracks, each.boxes) for each in summary.cameras] == [
        ("lobby", 2, 20),
        ("yard", 1, 10),
    ]
    assert results.record["settings"]["cameras"][0]["source"] == "host/lobby"
    assert "canary" not in (folder / "recording.json").read_text()


def test_edits_count_in_everything_that_is_read(tmp_path):
    folder = write_recording(tmp_path / "rec", video=False)
    owned = {1: ["lobby/1", "yard/1"], 2: ["lobby/2"]}
    edit = Editor(EditLog(folder), sightings_of=lambda n: owned.get(n, []), new_identity=lambda: 3)
    edit.split(1, ["yard/1"])
    edit.merge(2, 1)
    edit.rename(2, "Anna")
    results = open_results(folder)
    assert [row[:2] for row in rows(results)] == [("lobby/1", 2), ("lobby/2", 2), ("yard/1", 3)]
    assert results.identities()["name"].tolist() == ["Anna", ""]
    assert set(results.boxes("lobby")["global_id"]) == {2}
    assert set(results.boxes("yard")["global_id"]) == {3}
    assert [each.sighting for each in results.pictures(3)] == ["yard/1"]


def test_while_it_is_written_what_is_not_finished_is_left_out_and_said(tmp_path):
    with LiveFolder(tmp_path / "rec", video=False) as live:
        live.see((1, 1), (2, UNASSIGNED))
        live.settle()
        results = open_results(live.folder)
        assert [row[0] for row in rows(results)] == ["lobby/1"]
        assert any("still being written" in each for each in results.warnings)
        live.see((1, 1), (2, 7), after=1.5)
        live.settle()
        # What was opened stays as it was; opened again it has the rest.
        assert [row[0] for row in rows(results)] == ["lobby/1"]
        assert len(results.embeddings()) == 1
        assert [row[0] for row in rows(open_results(live.folder))] == ["lobby/1", "lobby/2"]
    assert open_results(live.folder).warnings == [WARNING]


def test_after_a_kill_all_that_is_whole_counts(tmp_path):
    folder = write_recording(tmp_path / "rec", video=False, finishes=False)
    (log,) = (folder / "tracks").glob("*.csv")
    with log.open("a") as file:
        file.write("yard,999,18000")
    (events,) = (folder / "events").glob("*.jsonl")
    with events.open("a") as file:
        file.write('{"event": 4, "ti')
    results = open_results(folder)
    assert len(results.boxes()) == 30
    assert len(list(results.events())) == 3
    assert any("was killed" in each for each in results.warnings)


def test_a_run_that_goes_on_gives_no_track_number_twice(tmp_path):
    folder = write_recording(tmp_path / "rec", video=False)
    write_recording(folder, video=False, begin_s=NOON_S + 600)
    results = open_results(folder)
    assert results.sightings()["sighting"].is_unique
    assert set(results.sightings()["track_id"]) == {1, 2, 1001, 1002}
    # Both runs are in one file of the log and count their frames from 0.
    files = results.boxes("lobby")["file"].unique()
    assert len(files) == 2
    assert [e.number for e in results.events()] == [1, 2, 3, 4, 5, 6]


def test_other_weights_are_not_recorded_beside_those_of_before(tmp_path):
    folder = write_recording(tmp_path / "rec", video=False)
    record = json.loads((folder / "recording.json").read_text())
    (folder / "recording.json").write_text(json.dumps({**record, "weights_sha256": "0" * 64}))
    with pytest.raises(OutputError, match="other re-identification weights"):
        LiveFolder(folder, video=False)


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda f: (f / REGISTRY).write_bytes(b"no database" * 500), "registry.sqlite cannot be"),
        (lambda f: (f / "recording.json").unlink(), "recording.json does not exist"),
        (lambda f: (f / "recording.json").write_text("{"), "is damaged"),
        (lambda f: (f / "edits.jsonl").write_text("{}\n"), "damaged in line 1"),
        (lambda f: next((f / "tracks").iterdir()).write_text("a,b\n1,2\n"), "is damaged"),
        (lambda f: next((f / "events").iterdir()).write_text("7\n"), "damaged in line 1"),
    ],
)
def test_damage_is_named_in_one_line(tmp_path, damage, told):
    folder = write_recording(tmp_path / "rec", video=False)
    damage(folder)
    with pytest.raises(ResultsError, match=told) as error:
        read_all(folder)
    assert "\n" not in str(error.value)
