"""Taking a person out of a run whose events are odd or damaged."""

import json

import pytest

from pipeline.errors import ResultsError
from pipeline.results import open_results
from pipeline.results.erasure import find_person, forget_person
from support.made_up_run import write_made_up_run

WALK = [(1, "door", 0, 3), (2, "door", 1, 4)]


def forget(folder):
    forget_person(find_person(open_results(folder), 1), cover=lambda _video, _boxes: None)


def test_events_without_a_camera_do_not_stop_it(tmp_path):
    folder = write_made_up_run(tmp_path / "run", WALK)
    events = [{"global_id": 2}, {"global_id": 1, "camera": "door", "track_id": 1}]
    (folder / "events.jsonl").write_text("".join(json.dumps(each) + "\n" for each in events))
    forget(folder)
    assert json.loads((folder / "events.jsonl").read_text()) == {"global_id": 2}
    assert open_results(folder).identities()["global_id"].tolist() == [2]


def test_damaged_events_are_named_and_the_person_stays_known(tmp_path):
    folder = write_made_up_run(tmp_path / "run", WALK)
    (folder / "events.jsonl").write_text("[]\n")
    with pytest.raises(ResultsError, match=r"events\.jsonl is damaged .*forget again"):
        forget(folder)
    assert open_results(folder).identities()["global_id"].tolist() == [1, 2]


def as_saved_by_a_spreadsheet(path):
    text = path.read_text().replace(",", ";").replace("\n", "\r\n")
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())


def test_tables_that_a_spreadsheet_saved_lose_the_person_too(tmp_path):
    folder = write_made_up_run(tmp_path / "run", WALK)
    for name in ("tracks.csv", "identities.csv"):
        as_saved_by_a_spreadsheet(folder / name)
    forget(folder)
    assert open_results(folder).identities()["global_id"].tolist() == [2]
    assert set(open_results(folder).boxes("door")["track_id"]) == {2}


def test_a_table_that_cannot_be_rewritten_is_told_of_before_anything_is_changed(tmp_path):
    folder = write_made_up_run(tmp_path / "run", WALK, crops=1)
    (folder / "tracks.csv").write_text((folder / "tracks.csv").read_text(), encoding="utf-16")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(ResultsError, match=r"tracks\.csv is damaged"):
        forget(folder)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
