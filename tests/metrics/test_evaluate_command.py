"""`reid-pipeline evaluate` by hand: the table, the JSON, the pictures, and bad input."""

import json

import cv2
import pytest

from pipeline.cli import main
from pipeline.errors import InputError
from pipeline.jobs.evaluate import evaluate as evaluate_job
from pipeline.metrics.ground_truth import read_ground_truth

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


def test_the_json_says_what_was_scored_and_how(run, truth, tmp_path):
    out = tmp_path / "scores.json"
    assert main(["evaluate", str(run), "--ground-truth", str(truth), "--json", str(out)]) == 0
    scores = json.loads(out.read_text())
    assert (scores["iou"], scores["min_visible"]) == (0.5, 0.3)
    (mistake,) = scores["mistakes"]
    assert (mistake["kind"], mistake["boxes"]) == ("split", 10)
    assert {mistake["first"]["global_id"], mistake["second"]["global_id"]} == {2, 3}


def test_cameras_can_be_renamed_and_chosen(run, truth, tmp_path):
    truth.write_text(truth.read_text().replace("\na,", "\nc1,").replace("\nb,", "\nc2,"))
    out = tmp_path / "scores.json"
    given = ["evaluate", str(run), "--ground-truth", str(truth), "--json", str(out)]
    assert main(given) == 2
    names = ["--map", "a=c1", "--map", "b=c2"]
    assert main([*given, *names]) == 0
    assert set(json.loads(out.read_text())["cameras"]) == {"c1", "c2"}
    assert main([*given, *names, "--camera", "c2"]) == 0
    scores = json.loads(out.read_text())
    assert set(scores["cameras"]) == {"c2"}
    assert scores["overall"]["idf1"] == 1.0


def test_a_run_over_part_of_the_video_says_so(run, truth, tmp_path, capsys):
    tracks = run / "tracks.csv"
    header, *rows = tracks.read_text().splitlines()
    early = [row for row in rows if int(row.split(",")[1]) < 4]
    tracks.write_text("\n".join([header, *early]) + "\n")
    record = {"status": "complete", "cameras": [{"camera": c, "frames": 4} for c in "ab"]}
    (run / "run.json").write_text(json.dumps(record))
    out = tmp_path / "scores.json"
    given = ["evaluate", str(run), "--ground-truth", str(truth), "--json", str(out)]
    assert main(given) == 0
    scores = json.loads(out.read_text())
    assert scores["coverage"] == {"a": pytest.approx(0.4), "b": pytest.approx(0.4)}
    assert scores["overall"]["recall"] == pytest.approx(0.4)
    told = " ".join(capsys.readouterr().out.split())
    assert "40%" in told
    assert "counts as missed" in told
    assert main([*given, "--processed-only"]) == 0
    assert json.loads(out.read_text())["overall"]["recall"] == 1.0
    assert "counts as left out" in " ".join(capsys.readouterr().out.split())


def test_boxes_in_frames_without_labels_are_told(run, truth, tmp_path, capsys):
    out = tmp_path / "scores.json"
    given = ["evaluate", str(run), "--ground-truth", str(truth), "--json", str(out)]
    assert main(given) == 0
    assert "without any true box" not in capsys.readouterr().out
    header, *rows = truth.read_text().splitlines()
    some = [row for row in rows if row.startswith("b") or int(row.split(",")[1]) % 5 == 0]
    truth.write_text("\n".join([header, *some]) + "\n")
    assert main(given) == 0
    assert json.loads(out.read_text())["unlabelled"] == {"a": pytest.approx(0.8), "b": 0}
    told = " ".join(capsys.readouterr().out.split())
    assert "80% of the boxes found in a lie in frames without any true box" in told


def test_a_run_that_did_not_finish_says_so(run, truth, capsys):
    (run / "run.json").write_text(json.dumps({"status": "incomplete"}))
    assert main(["evaluate", str(run), "--ground-truth", str(truth)]) == 0
    assert "The run is incomplete" in capsys.readouterr().out


def test_a_sheet_of_mistakes_goes_when_there_are_none(run, truth, tmp_path):
    folder = tmp_path / "pictures"
    given = ["evaluate", str(run), "--ground-truth", str(truth), "--out", str(folder)]
    assert main(given) == 0
    assert (folder / "mistakes.png").exists()
    assert main([*given, "--camera", "a"]) == 0
    assert {path.name for path in folder.iterdir()} == {"timeline.png", "identities.png"}


@pytest.mark.parametrize("pair", ["a", "=c1", "a=", "door=c1"])
def test_a_renaming_that_makes_no_sense_is_one_line(run, truth, pair, capsys):
    assert main(["evaluate", str(run), "--ground-truth", str(truth), "--map", pair]) == 2
    assert "--map" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda run, truth: truth.unlink(), "does not exist"),
        (lambda run, truth: truth.write_text("camera,frame\na,1\n"), "lack"),
        (lambda run, truth: truth.write_text(HEADER + "door,0,0,1,1,1,9,9,1\n"), "door"),
        (lambda run, truth: (run / "tracks.csv").unlink(), "give the --out folder of"),
        (lambda run, truth: (run / "tracks.csv").write_text("x\n"), "lack"),
    ],
)
def test_bad_input_is_one_line(run, truth, change, words, capsys):
    change(run, truth)
    assert main(["evaluate", str(run), "--ground-truth", str(truth)]) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.strip()]
    assert line.startswith("error: ")
    assert words in line


def test_boxes_count_from_the_overlap_that_is_asked_for(run, truth, tmp_path):
    tracks = run / "tracks.csv"
    tracks.write_text(tracks.read_text().replace(",40,100,0.9", ",40,80,0.9"))
    out = tmp_path / "scores.json"
    idf1 = {}
    for iou in ("0.7", "0.9"):
        flags = ["--iou", iou, "--json", str(out)]
        assert main(["evaluate", str(run), "--ground-truth", str(truth), *flags]) == 0
        idf1[iou] = json.loads(out.read_text())["overall"]["idf1"]
    assert idf1 == {"0.7": pytest.approx(0.75), "0.9": 0.0}


def test_people_who_can_hardly_be_seen_do_not_count(run, truth, tmp_path):
    truth.write_text(truth.read_text().replace(",2,200,50,40,100,1.0", ",2,200,50,40,100,0.2"))
    out = tmp_path / "scores.json"
    identities = {}
    for share in ("0.1", "0.3"):
        flags = ["--min-visible", share, "--json", str(out)]
        assert main(["evaluate", str(run), "--ground-truth", str(truth), *flags]) == 0
        identities[share] = json.loads(out.read_text())["overall"]["true_identities"]
    assert identities == {"0.1": 2, "0.3": 1}


def mot(folder, **lines):
    folder.mkdir()
    for camera, kinds in lines.items():
        rows = [f"{n},1,100,50,40,100,1,{kind},1\n" for n, kind in enumerate(kinds, start=1)]
        (folder / f"{camera}.txt").write_text("".join(rows))
    return folder


def test_a_camera_whose_truth_shows_no_person_is_scored_with_nobody(run, tmp_path):
    for cars in ([3, 3], []):
        truth = mot(tmp_path / f"gt{len(cars)}", a=[1] * 10, b=cars)
        found = read_ground_truth(truth)
        assert set(found["camera"]) == {"a"}
        scores = evaluate_job(run, truth).scores
        assert scores.overall.true_boxes == 10
        assert scores.overall.found_boxes > 20  # those of camera b count as false


def test_a_truth_without_any_person_names_its_classes(tmp_path):
    truth = mot(tmp_path / "gt", a=[2, 2], b=[2])
    with pytest.raises(InputError, match="all 3 boxes are of class 2, and none of class 1"):
        read_ground_truth(truth)


def test_hidden_files_of_a_mac_are_no_cameras(tmp_path):
    truth = mot(tmp_path / "gt", a=[1, 1])
    (truth / "._a.txt").write_bytes(bytes(100))
    assert set(read_ground_truth(truth)["camera"]) == {"a"}
