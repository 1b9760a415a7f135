"""No command removes or writes over a file that it was not told to, whatever the file is called."""

import json
import os
import shutil
from pathlib import Path

import pytest

from pipeline.cli import main
from pipeline.results import open_results
from reid_model.cli import main as train_main
from support.colour_network import write_colour_network
from support.made_up_run import write_made_up_run
from support.small_runs import run, write_scene


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return write_colour_network(tmp_path_factory.mktemp("weights") / "colour.xml")


@pytest.fixture(scope="module")
def made(weights, tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    scene = write_scene(folder / "scene", frames=16, people=1)
    assert run(scene, weights, folder / "run") == 0
    rows = (scene / "boxes.csv").read_text().splitlines()
    truth = [",".join([*row.split(",")[:2], "7", *row.split(",")[2:]]) for row in rows[1:]]
    (scene / "gt.csv").write_text("\n".join(["camera,frame,identity,x,y,w,h", *truth]) + "\n")
    return folder


@pytest.fixture
def work(made, tmp_path):
    shutil.copytree(made, tmp_path / "work")
    return tmp_path / "work"


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refused(code, capsys, *words):
    error = capsys.readouterr().err.strip()
    assert code == 2, error
    assert error.startswith("error: ")
    assert "\n" not in error
    for word in words:
        assert word in error


@pytest.mark.parametrize("link", ["copy", "symlink", "hardlink"])
def test_a_source_in_the_place_of_an_annotated_video_is_not_removed(link, work, weights, capsys):
    source, place = work / "scene" / "cam1.mp4", work / "run" / "cam1.mp4"
    place.unlink()
    if link == "copy":
        shutil.copy(source, place)
    elif link == "symlink":
        place.symlink_to(source)
    else:
        place.hardlink_to(source)
    before = contents(work)
    for given in (place, source):
        code = run(work / "scene", weights, work / "run", "--overwrite", cams=[str(given)])
        refused(code, capsys, "cam1.mp4")
        assert contents(work) == before


def test_saved_boxes_among_what_goes_are_refused(work, weights, capsys):
    before = contents(work)
    boxes = work / "run" / "tracks.csv"
    flags = ("--overwrite", "--detections", str(boxes))
    refused(run(work / "scene", weights, work / "run", *flags), capsys, "tracks.csv", "is read as")
    flags = ("--overwrite", "--gallery", str(work / "run" / "report.html"))
    refused(run(work / "scene", weights, work / "run", *flags), capsys, "report.html")
    assert contents(work) == before


def test_a_video_that_no_run_wrote_is_not_replaced(work, weights, capsys):
    third = work / "scene" / "cam3.mp4"
    shutil.copy(work / "scene" / "cam1.mp4", third)
    mine = work / "run" / "cam3.mp4"
    mine.write_bytes(b"my own holiday")
    cams = [str(work / "scene" / f"cam{n}.mp4") for n in (1, 3)]
    code = run(work / "scene", weights, work / "run", "--overwrite", cams=cams)
    refused(code, capsys, "cam3.mp4 was not written by a run")
    assert run(work / "scene", weights, work / "run", "--overwrite", "--no-video", cams=cams) == 0
    assert mine.read_bytes() == b"my own holiday"


def test_files_of_ones_own_in_the_folder_of_crops_stay(work, weights):
    mine = [work / "run" / "gallery" / name for name in ("notes.txt", "0001/me.jpg")]
    for path in mine:
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
    assert run(work / "scene", weights, work / "run", "--overwrite", "--no-video") == 0
    assert [path.read_text() for path in mine] == ["mine", "mine"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["evaluate", "run", "--ground-truth", "scene/gt.csv", "--json", "scene/gt.csv"],
        ["evaluate", "run", "--ground-truth", "scene/gt.csv", "--json", "scene/cam1.mp4"],
        ["evaluate", "run", "--ground-truth", "scene/gt.csv", "--out", "pictures"],
        ["search", "run", "--identity", "1", "--json", "run/tracks.csv"],
        ["search", "run", "--identity", "1", "--html", "scene/cam1.mp4"],
        ["search", "run", "--image", "pictures/timeline.png", "--html", "pictures/timeline.png"],
        ["search", "run", "--identity", "1", "--json", "new.html", "--html", "new.html"],
        ["report", "run", "--out", "run/identities.csv"],
        ["report", "run", "--out", "scene/link.mp4"],
        ["export", "run", "--format", "csv", "--out", "scene"],
        ["calibrate", "scene", "--weights", "scene/cam1.mp4", "--json", "scene/cam1.mp4"],
        ["search", "run", "--identity", "1", "--json", "run/report.html"],
        ["edit", "run", "show", "1", "--json", "run/run.json"],
        ["zones", "run", "--cams", "cameras.yaml", "--json", "cameras.yaml"],
        ["floor", "fit", "cameras.yaml", "--json", "cameras.yaml"],
        ["floor", "fit", "cameras.yaml", "--out", "pictures"],
        ["crops", "scene", "--out", "new", "--places", "new"],
        ["run", "--cams", "scene/cam1.mp4", "--out", "new", "--json", "new/run.json"],
        ["run", "--cams", "scene/cam1.mp4", "--out", "new", "--json", "new/cam1.mp4"],
        ["run", "--cams", "scene/cam1.mp4", "--json", "a.npz", "--gallery", "a.npz"],
        ["batch", "scene", "--out", "new", "--json", "new/archive.json"],
    ],
)
def test_results_never_go_over_files_that_no_command_wrote(arguments, work, monkeypatch, capsys):
    monkeypatch.chdir(work)
    Path("pictures").mkdir()
    Path("pictures/timeline.png").write_bytes(b"my own picture")
    Path("pictures/cam1.jpg").write_bytes(b"\xff\xd8 my own picture")
    points = [[20, 60, 0, 0], [300, 60, 4, 0], [20, 200, 0, 3], [300, 200, 4, 3]]
    camera = {"name": "cam1", "source": "scene/cam1.mp4", "floor_points": points}
    mine = {"cameras": [camera], "floor": {"zones": {"all": [[0, 0], [4, 0], [4, 3]]}}}
    Path("cameras.yaml").write_text(f"# of reid-pipeline\n{json.dumps(mine)}\n")
    Path("scene/link.mp4").symlink_to("cam1.mp4")
    before = contents(work)
    refused(main(arguments), capsys, "output")
    assert contents(work) == before


def test_what_the_same_command_wrote_is_replaced(work, monkeypatch):
    monkeypatch.chdir(work)
    points = [[20, 60, 0, 0], [300, 60, 4, 0], [20, 200, 0, 3], [300, 200, 4, 3]]
    camera = {"name": "cam1", "source": "scene/cam1.mp4", "floor_points": points}
    Path("cameras.yaml").write_text(json.dumps({"cameras": [camera]}))
    for arguments in (
        ["search", "run", "--identity", "1", "--json", "f.json", "--html", "f.html"],
        ["evaluate", "run", "--ground-truth", "scene/gt.csv", "--json", "e.json", "--out", "e"],
        ["report", "run", "--out", "r.html"],
        ["report", "run", "--out", "run/report.html"],
        ["floor", "fit", "cameras.yaml", "--out", "views", "--json", "views/fit.json"],
    ):
        assert [main(arguments), main(arguments)] == [0, 0]


@pytest.mark.parametrize("name", ["run-10:30", "s3:x", "file:y", "./-dash", "two\nlines"])
def test_a_folder_may_be_called_anything(name, work, weights, monkeypatch):
    monkeypatch.chdir(work)
    assert run(Path("scene"), weights, Path(name)) == 0
    assert (Path(name) / "mosaic.mp4").stat().st_size > 0
    assert main(["report", name]) == 0


def test_names_that_are_no_utf8_are_kept_byte_by_byte(work, weights, monkeypatch):
    monkeypatch.chdir(work)
    odd = os.fsdecode(b"b\xfcro")
    Path(odd).mkdir()
    video = Path(odd) / f"{odd}.mp4"
    shutil.copy("scene/cam1.mp4", video)
    Path("boxes.csv").write_text(Path("scene/boxes.csv").read_text().replace("cam1", "b_ro"))
    out = Path(odd) / "run"
    flags = ("--detections", "boxes.csv")
    assert run(Path("scene"), weights, out, *flags, cams=[str(video)]) == 0
    record = (out / "run.json").read_bytes()
    assert b"b\\udcfcro" in record  # as docs/reliability.md says
    source = json.loads(record)["inputs"][0]["source"]
    assert os.fsencode(source) == os.fsencode(video)
    assert len(open_results(out).identities()) == 1
    for arguments in (
        ["search", str(out), "--identity", "1", "--json", f"{odd}/f.json"],
        ["export", str(out), "--format", "coco", "--out", f"{odd}/coco"],
        ["forget", str(out), "--identity", "1", "--yes"],
    ):
        assert main(arguments) == 0


def test_an_archive_is_never_made_of_a_folder_with_a_work_folder_of_ones_own(work, capsys):
    mine = work / "out" / "work" / "footage"
    mine.mkdir(parents=True)
    (mine / "20260105_080000.mp4").write_bytes(b"mine")
    arguments = ["batch", str(work / "scene"), "--pattern", "{camera}_{start:%Y%m%d}"]
    (work / "scene" / "cam1.mp4").rename(work / "scene" / "cam1_20260105.mp4")
    (work / "scene" / "cam2.mp4").unlink()
    code = main([*arguments, "--out", str(work / "out")])
    refused(code, capsys, "holds files but no archive")
    assert (mine / "20260105_080000.mp4").read_bytes() == b"mine"


@pytest.mark.parametrize(
    "line",
    [
        ["report", "run", "--out", "~/page.html"],
        ["export", "run", "--format", "csv", "--out=~/tables"],
        ["run", "--cams", "a.mp4", "--out=~"],
        ["train", "--config", "a.yaml", "--out=~/weights"],
    ],
)
def test_an_output_in_a_home_that_no_shell_filled_in_is_named(line, tmp_path, monkeypatch, capsys):
    write_made_up_run(tmp_path / "run", [(1, "door", 0, 5)])
    monkeypatch.chdir(tmp_path)
    assert (train_main if line[0] == "train" else main)(line) == 2
    assert "begins with ~, which the shell left as it is" in capsys.readouterr().err
    assert not (tmp_path / "~").exists()
