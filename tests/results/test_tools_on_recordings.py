"""Every tool over finished work, on the folder of a live run: stopped, and while it records."""

import csv
import json

import pytest

from pipeline.cli import main
from pipeline.jobs.queries import query_for
from pipeline.jobs.search import search
from pipeline.results import open_results
from support.small_recordings import LiveFolder, write_recording


@pytest.fixture
def folder(tmp_path):
    return write_recording(tmp_path / "live", video=False)


def found(path):
    return [
        (each["sighting"], each["identity"], each["name"])
        for each in json.loads(path.read_text())["sightings"]
    ]


def test_search_finds_an_identity_with_its_name_and_by_time(folder, tmp_path, capsys):
    assert main(["edit", str(folder), "rename", "1", "Anna [B]"]) == 0
    where, file = str(folder), tmp_path / "found.json"
    flags = ["--identity", "1", "--min-similarity", "0.9", "--json", str(file)]
    assert main(["search", where, *flags, "--html", str(tmp_path / "found.html")]) == 0
    assert found(file) == [("lobby/1", 1, "Anna [B]"), ("yard/1", 1, "Anna [B]")]
    assert "1 Anna [B]" in capsys.readouterr().out
    page = (tmp_path / "found.html").read_text()
    assert "1 Anna [B]" in page
    assert "data:image/jpeg" in page
    first = json.loads(file.read_text())["sightings"][0]["first"]
    assert first.startswith("2027-01-15T12:00:00.1")
    assert main(["search", where, *flags, "--since", "2027-01-15T12:00:10"]) == 0
    assert found(file) == [("yard/1", 1, "Anna [B]")]
    assert main(["search", where, *flags, "--camera", "lobby"]) == 0
    assert found(file) == [("lobby/1", 1, "Anna [B]")]


def test_search_takes_what_was_merged_for_one_person(folder):
    assert main(["edit", str(folder), "merge", "1", "2"]) == 0
    results = open_results(folder)
    assert {each.global_id for each in search(results, query_for(results, identity=2).vector)} == {
        1
    }


def test_the_report_shows_people_with_names_and_pictures_and_says_what_is_left_out(tmp_path):
    with LiveFolder(tmp_path / "live", video=False) as live:
        live.see((1, 1), (2, 2))
        live.see((1, 1), (2, 2), after=3)
        live.registry.rename(1, "Anna <B>")
        live.settle()
        out = tmp_path / "now.html"
        assert main(["report", str(live.folder), "--out", str(out)]) == 0
        page = out.read_text()
        assert "still being written" in page
        assert "Anna &lt;B&gt;" in page
        assert page.count("data:image/jpeg") == 2
    assert main(["report", str(live.folder)]) == 0
    page = (live.folder / "report.html").read_text()
    assert "still being written" not in page
    assert "canary" not in page


@pytest.mark.parametrize("kind", ["mot", "coco", "csv"])
def test_boxes_are_exported_with_the_identities_of_now(folder, tmp_path, kind):
    assert main(["edit", str(folder), "split", "1", "yard/1"]) == 0
    out = tmp_path / "out"
    assert main(["export", str(folder), "--format", kind, "--out", str(out)]) == 0
    assert any(out.rglob("*"))
    if kind == "csv":
        with (out / "boxes.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == 30
        owners = {(row["camera"], row["track_id"], row["global_id"]) for row in rows}
        assert owners == {("lobby", "1", "1"), ("lobby", "2", "2"), ("yard", "1", "3")}
    if kind == "coco":
        content = json.loads((out / "coco.json").read_text())
        assert len(content["annotations"]) == 30
        assert {each["identity_id"] for each in content["annotations"]} == {1, 2, 3}


def test_a_query_video_that_is_not_there_is_named(folder, tmp_path, capsys):
    video = tmp_path / "none.mp4"
    flags = ["--video", str(video), "--box", "1,2,3,4"]
    assert main(["search", str(folder), *flags]) == 2
    assert "none.mp4" in capsys.readouterr().err
