"""`reid-pipeline evaluate` by hand: the table, the JSON, the pictures, and bad input."""

import json

import cv2
import pytest

from pipeline.cli import main

HEADER = "camera,frame,time_s,identity,x,y,w,h,visible\n"
TRACKS = "camera,frame,time_s,track_id,global_id,x,y,w,h,score\n"


@pytest.fixture
def truth(tmp_path):
    rows = [
        f"{camera},{frame},{frame / 10},{person},{100 * person},50,40,100,1.0\n"
        for camera in ("a", "b")
        for frame in range(10)
        for person in (1, 2)
    ]
    path = tmp_path / "gt.csv"
    path.write_text(HEADER + "".join(rows))
    return path


@pytest.fixture
def run(tmp_path):
    """Two people in two cameras; person 2 has another identity in camera b."""
    ids = {("a", 1): 1, ("a", 2): 2, ("b", 1): 1, ("b", 2): 3}
    rows = [
        f"{camera},{frame},{frame / 10},{person},{ids[camera, person]},{100 * person},50,40,100,0.9\n"
        for camera in ("a", "b")
        for frame in range(10)
        for person in (1, 2)
    ]
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "tracks.csv").write_text(TRACKS + "".join(rows))
    return folder


def test_identities_count_over_all_cameras(run, truth, tmp_path, capsys):
    out = tmp_path / "scores.json"
    assert main(["evaluate", str(run), "--ground-truth", str(truth), "--json", str(out)]) == 0
    scores = json.loads(out.read_text())
    assert scores["cameras"]["a"]["idf1"] == 1.0
    assert scores["cameras"]["b"]["idf1"] == 1.0
    # 30 of 40 boxes are right under the best naming.
    assert scores["overall"]["idf1"] == pytest.approx(0.75)
    assert scores["overall"]["found_identities"] == 3
    assert "all together" in capsys.readouterr().out


def test_pictures_show_what_went_wrong(run, truth, tmp_path):
    folder = tmp_path / "pictures"
    assert main(["evaluate", str(run), "--ground-truth", str(truth), "--out", str(folder)]) == 0
    assert {path.name for path in folder.iterdir()} == {
        "timeline.png",
        "identities.png",
        "mistakes.png",
    }
    for path in folder.iterdir():
        assert cv2.imread(str(path)).std() > 5


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda run, truth: truth.unlink(), "does not exist"),
        (lambda run, truth: truth.write_text("camera,frame\na,1\n"), "lack"),
        (lambda run, truth: truth.write_text(HEADER + "door,0,0,1,1,1,9,9,1\n"), "door"),
        (lambda run, truth: (run / "tracks.csv").unlink(), "does not exist"),
        (lambda run, truth: (run / "tracks.csv").write_text("x\n"), "lack"),
    ],
)
def test_bad_input_is_one_line(run, truth, change, words, capsys):
    change(run, truth)
    assert main(["evaluate", str(run), "--ground-truth", str(truth)]) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.strip()]
    assert line.startswith("error: ")
    assert words in line
