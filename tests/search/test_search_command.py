"""`reid-pipeline search` on a small archive and a small run, and its page in a browser's eyes."""

import json
import re
import shutil
from dataclasses import replace

import cv2
import numpy as np
import pytest

from pipeline.cli import main
from pipeline.errors import SettingsError
from pipeline.jobs.search import find, search
from pipeline.report.found import render_found
from pipeline.results import Picture, open_results
from pipeline.results.archive_erasure import forget_in_archive
from pipeline.results.found import Found
from support.colour_network import write_colour_network
from support.made_up_run import write_made_up_run
from support.small_archives import batch, write_footage
from support.small_runs import SHIRTS, run, write_scene

RED, BLUE = SHIRTS[1], SHIRTS[2]


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return write_colour_network(tmp_path_factory.mktemp("weights") / "colour.xml")


@pytest.fixture(scope="module")
def archive(tmp_path_factory, weights):
    footage = write_footage(tmp_path_factory.mktemp("footage"), cameras=2)
    out = tmp_path_factory.mktemp("out") / "archive"
    assert batch(footage, weights, out) == 0
    return out


@pytest.fixture(scope="module")
def finished(tmp_path_factory, weights):
    scene = write_scene(tmp_path_factory.mktemp("scene"))
    out = tmp_path_factory.mktemp("out") / "run"
    assert run(scene, weights, out) == 0
    return out


@pytest.fixture
def shirt(tmp_path):
    path = tmp_path / "shirt.png"
    cv2.imwrite(str(path), np.full((120, 40, 3), RED, np.uint8))
    return path


def found(where, tmp_path, *flags):
    path = tmp_path / "found.json"
    device = ["--device", "cpu"] if "--image" in flags else []
    assert main(["search", str(where), "--json", str(path), *device, *flags]) == 0
    return json.loads(path.read_text())["sightings"]


def test_a_picture_finds_those_who_look_like_it_in_all_cameras(archive, shirt, tmp_path):
    best = found(archive, tmp_path, "--image", str(shirt), "--top", "6")
    assert len(best) == 6
    assert {each["camera"] for each in best} == {"cam1", "cam2"}
    assert len({each["identity"] for each in best}) == 1
    similarity = [each["similarity"] for each in best]
    assert similarity == sorted(similarity, reverse=True)
    assert min(similarity) > 0.9
    assert all(each["file"].startswith(each["camera"]) for each in best)
    assert best[0]["first"].startswith("2026-01-0")


def test_an_identity_finds_itself_first(archive, tmp_path):
    (someone, *_) = found(archive, tmp_path, "--identity", "1", "--top", "1")
    assert someone["identity"] == 1


def test_a_box_in_a_video_finds_who_is_in_it(archive, finished, tmp_path):
    record = json.loads((archive / "archive.json").read_text())
    video = f"{record['videos']}/{record['files'][0]['file']}"
    best = found(archive, tmp_path, "--video", video, "--at", "0.5", "--box", "40,60,40,120")
    assert best[0]["similarity"] > 0.9


def test_cameras_and_times_narrow_it(archive, tmp_path):
    one = found(archive, tmp_path, "--identity", "1", "--camera", "cam2", "--top", "50")
    assert {each["camera"] for each in one} == {"cam2"}
    late = found(archive, tmp_path, "--identity", "1", "--since", "2026-01-06T00:00:09")
    assert late
    assert all(each["last"] >= "2026-01-06T00:00:09" for each in late)
    assert found(archive, tmp_path, "--identity", "1", "--until", "2025-01-01") == []


def test_only_those_who_look_alike_enough_are_told(archive, tmp_path):
    every = found(archive, tmp_path, "--identity", "1", "--top", "50")
    similarities = [each["similarity"] for each in every]
    limit = (min(similarities) + max(similarities)) / 2
    alike = [each for each in every if each["similarity"] >= limit]
    assert 0 < len(alike) < len(every)
    flags = ("--identity", "1", "--top", "50", "--min-similarity", str(limit))
    assert found(archive, tmp_path, *flags) == alike


def test_a_run_is_searched_like_an_archive(finished, shirt, tmp_path):
    best = found(finished, tmp_path, "--image", str(shirt), "--top", "2")
    assert {each["camera"] for each in best} == {"cam1", "cam2"}
    assert best[0]["similarity"] > 0.9
    assert found(finished, tmp_path, "--identity", "1", "--since", "1e6") == []


def test_files_that_come_later_are_found_without_making_the_index_anew(
    tmp_path_factory, weights, tmp_path
):
    footage = write_footage(tmp_path_factory.mktemp("grows"), cameras=1)
    out = tmp_path / "archive"
    assert batch(footage, weights, out) == 0
    before = len(found(out, tmp_path, "--identity", "1", "--top", "500"))
    write_footage(footage, cameras=1, starts=("20260107_000000",))
    assert batch(footage, weights, out) == 0
    after = found(out, tmp_path, "--identity", "1", "--top", "500")
    assert len(after) > before
    assert any(each["first"].startswith("2026-01-07") for each in after)


def test_the_index_serves_the_folder_by_whatever_name_it_is_called(archive, tmp_path, monkeypatch):
    found(archive, tmp_path, "--identity", "1")
    before = {path.name for path in (archive / "index").iterdir()}
    monkeypatch.chdir(archive.parent)
    assert found("archive", tmp_path, "--identity", "1")
    assert {path.name for path in (archive / "index").iterdir()} == before


def test_the_page_holds_the_pictures_and_needs_nothing_else(archive, tmp_path):
    page = tmp_path / "found.html"
    found(archive, tmp_path, "--identity", "1", "--html", str(page))
    text = page.read_text()
    assert text.count("data:image/jpeg;base64,") >= 2
    assert not re.search(r'(src|href)="(?!data:)', text)
    assert page.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("kind", ["archive", "finished"])
def test_python_finds_what_the_command_finds(kind, request, tmp_path):
    folder = request.getfixturevalue(kind)
    table = find(open_results(folder), identity=1, top=5)
    told = found(folder, tmp_path, "--identity", "1", "--top", "5")
    assert table["sighting"].tolist() == [each["sighting"] for each in told]
    assert table["similarity"].round(4).tolist() == [each["similarity"] for each in told]
    assert table["track_id"].notna().all()


def test_python_is_told_to_say_who_is_looked_for(archive):
    with pytest.raises(SettingsError, match="give one of identity, image and video"):
        find(open_results(archive))


def test_names_cannot_inject_markup():
    nasty = "<script>alert(1)</script>"
    picture = Picture(nasty, nasty, nasty, 0.5, b"no picture")
    found = Found(nasty, 0.5, nasty, 0.0, 1.0, 3, picture)
    text = render_found([found], where=nasty, asked=nasty, filters=nasty)
    assert "<script" not in text


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "give one of --image, --identity and --video"),
        (["--identity", "1", "--image", "a.png"], "give one of --image"),
        (["--identity", "999"], "knows no identity 999"),
        (["--image", "nowhere.png"], "nowhere.png does not exist"),
        (["--identity", "1", "--camera", "roof"], "has no camera roof: it has cam1, cam2"),
        (["--identity", "1", "--since", "yesterday"], "expected a time like"),
        (["--video", "a.mp4"], "--video needs --box"),
    ],
)
def test_what_cannot_be_searched_is_told_in_one_line(archive, flags, message, capsys):
    assert main(["search", str(archive), *flags]) == 2
    error = capsys.readouterr().err.strip()
    assert message in " ".join(error.split())


def test_a_picture_without_anybody_is_refused(archive, tmp_path, capsys):
    wide = tmp_path / "wide.png"
    cv2.imwrite(str(wide), np.full((60, 200, 3), 90, np.uint8))
    assert main(["search", str(archive), "--image", str(wide), "--device", "cpu"]) == 2
    assert "no person was detected" in capsys.readouterr().err


def test_a_folder_that_is_neither_is_refused(tmp_path, capsys):
    assert main(["search", str(tmp_path), "--identity", "1"]) == 2
    assert "is no run, archive or recording" in capsys.readouterr().err


@pytest.mark.parametrize("which", ["archive", "finished"])
def test_other_weights_cannot_be_compared(which, request, shirt, tmp_path, capsys):
    folder = request.getfixturevalue(which)
    record_name = "archive.json" if which == "archive" else "run.json"
    copy = tmp_path / "copy"
    copy.mkdir()
    for each in folder.iterdir():
        if each.name != record_name:
            (copy / each.name).symlink_to(each)
    record = json.loads((folder / record_name).read_text())
    assert len(record["weights_sha256"]) == 64
    record["weights_sha256"] = "0" * 64
    (copy / record_name).write_text(json.dumps(record))
    assert main(["search", str(copy), "--image", str(shirt), "--device", "cpu"]) == 2
    assert "other re-identification weights" in " ".join(capsys.readouterr().err.split())


def test_a_search_during_which_somebody_is_forgotten_keeps_no_index(archive, tmp_path, monkeypatch):
    out = tmp_path / "archive"
    shutil.copytree(archive, out, ignore=shutil.ignore_patterns("index"))
    results, others = open_results(out), open_results(out)
    vector = others.embeddings()[0]
    first, *rest = others.parts()
    answers = [[replace(first, read=lambda: forgotten_after(first.read(), out)), *rest]]
    monkeypatch.setattr(results, "parts", lambda: answers.pop() if answers else others.parts())
    assert search(results, vector)
    assert not (out / "index").exists()
    assert search(open_results(out), vector)
    assert (out / "index").exists()


def forgotten_after(content, out):
    assert main(["forget", str(out), "--identity", "1", "--yes"]) == 0
    return content


def test_an_index_that_is_made_while_somebody_is_forgotten_is_removed(archive, tmp_path):
    out = tmp_path / "archive"
    shutil.copytree(archive, out)
    results, made = open_results(out), []

    def look(_file):
        if not made:  # after the first part, while others still hold the person
            search(open_results(out), results.embeddings()[0])
            made.append((out / "index").exists())

    owners = results.owners()
    forget_in_archive(results.folder, set(owners[owners == 1].index), on_file=look)
    assert made == [True]
    assert not (out / "index").exists()


def test_a_time_range_that_ends_before_it_begins_is_named(tmp_path, capsys):
    folder = write_made_up_run(tmp_path / "run", [(1, "door", 0, 5)])
    line = ["search", str(folder), "--identity", "1", "--since", "5", "--until", "1"]
    assert main(line) == 2
    assert "--since 5 is after --until 1" in capsys.readouterr().err
