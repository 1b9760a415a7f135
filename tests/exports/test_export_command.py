"""Exports: what other tools read is what was found."""

import csv
import json
import xml.etree.ElementTree as ET

import pandas as pd
import pytest

from pipeline.cli import main
from pipeline.exports.writing import ExportFormat
from pipeline.metrics.ground_truth import read_ground_truth
from support.colour_network import write_colour_network
from support.small_archives import batch, write_footage

ROWS = [
    # camera, frame, time_s, track_id, global_id, x, y, w, h, score
    ("a", 0, 0.0, 1, 7, 10.0, 20.0, 30.0, 60.0, 0.9),
    ("a", 0, 0.0, 2, -1, 50.0, 20.0, 30.0, 60.0, 0.8),
    ("a", 0, 0.0, 3, -1, 90.0, 20.0, 30.0, 60.0, 0.7),
    ("a", 2, 0.2, 1, 7, 12.0, 20.0, 30.0, 60.0, 0.9),
    ("b", 1, 0.1, 1, 7, 15.0, 25.0, 30.0, 60.0, 0.6),
    ("b", 1, 0.1, 2, -1, 45.0, 25.0, 30.0, 60.0, 0.6),
]
HEADER = "camera,frame,time_s,track_id,global_id,x,y,w,h,score\n"


@pytest.fixture
def run_folder(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "tracks.csv").write_text(
        HEADER + "".join(",".join(map(str, row)) + "\n" for row in ROWS)
    )
    inputs = [
        {"camera": name, "source": f"/x/{name}.mp4", "width": 320, "height": 240} for name in "ab"
    ]
    (folder / "run.json").write_text(json.dumps({"inputs": inputs}))
    return folder


def export(run, out, kind):
    return main(["export", str(run), "--format", kind, "--out", str(out)])


def test_mot_text_reads_back_as_the_same_boxes(run_folder, tmp_path):
    assert export(run_folder, tmp_path / "mot", "mot") == 0
    truth = read_ground_truth(tmp_path / "mot")
    named = truth[truth["identity"] == 7]
    expected = [(r[0], r[1], *r[5:9]) for r in ROWS if r[4] == 7]
    columns = ["camera", "frame", "x", "y", "w", "h"]
    assert list(named[columns].itertuples(index=False, name=None)) == expected
    assert len(truth) == len(ROWS)


def test_tracks_of_nobody_are_different_people_in_mot_text(run_folder, tmp_path):
    export(run_folder, tmp_path / "mot", "mot")
    truth = read_ground_truth(tmp_path / "mot")
    others = truth.loc[truth["identity"] != 7, "identity"]
    assert others.is_unique
    assert (others > 7).all()


def test_a_run_scored_against_its_own_export_is_perfect(run_folder, tmp_path):
    lines = (run_folder / "tracks.csv").read_text().splitlines(keepends=True)
    named = [line for line in lines if ",-1," not in line]
    (run_folder / "tracks.csv").write_text("".join(named))
    export(run_folder, tmp_path / "mot", "mot")
    scores = tmp_path / "scores.json"
    given = ["--ground-truth", str(tmp_path / "mot"), "--json", str(scores)]
    assert main(["evaluate", str(run_folder), *given]) == 0
    assert json.loads(scores.read_text())["overall"]["idf1"] == 1.0


def test_coco_ties_every_box_to_its_image_track_and_identity(run_folder, tmp_path):
    assert export(run_folder, tmp_path / "coco", "coco") == 0
    content = json.loads((tmp_path / "coco" / "coco.json").read_text())
    images = {each["id"]: each for each in content["images"]}
    videos = {each["id"]: each for each in content["videos"]}
    assert [each["id"] for each in content["categories"]] == [1]
    found = []
    for each in content["annotations"]:
        image = images[each["image_id"]]
        camera = videos[image["video_id"]]["camera"]
        owner = -1 if each["identity_id"] is None else each["identity_id"]
        found.append((camera, image["frame_index"], image["time"], each["track_id"], owner))
        found[-1] += (*each["bbox"], each["score"])
    assert found == ROWS
    assert len(images) == 3
    assert {(each["width"], each["height"]) for each in images.values()} == {(320, 240)}


def test_csv_holds_every_column(run_folder, tmp_path):
    assert export(run_folder, tmp_path / "csv", "csv") == 0
    with (tmp_path / "csv" / "boxes.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(r["camera"], int(r["frame"]), float(r["time"])) for r in rows] == [r[:3] for r in ROWS]
    assert [int(r["global_id"]) for r in rows] == [r[4] for r in ROWS]


BOXES_IN = {
    "mot": lambda out: sum(len(each.read_text().splitlines()) for each in out.glob("*.txt")),
    "coco": lambda out: len(json.loads((out / "coco.json").read_text())["annotations"]),
    "csv": lambda out: len((out / "boxes.csv").read_text().splitlines()) - 1,
    "cvat": lambda out: sum(
        len(ET.parse(each).findall("track/box[@outside='0']")) for each in out.glob("*.xml")
    ),
    "datumaro": lambda out: sum(
        len(item["annotations"])
        for each in (out / "annotations").glob("*.json")
        for item in json.loads(each.read_text())["items"]
    ),
}
"""How many boxes an export holds."""


@pytest.mark.parametrize("kind", ExportFormat)
def test_every_format_holds_all_boxes_and_is_valid_where_nobody_was_found(
    run_folder, tmp_path, kind
):
    assert export(run_folder, tmp_path / "full", kind) == 0
    assert BOXES_IN[kind](tmp_path / "full") == len(ROWS)
    (run_folder / "tracks.csv").write_text(HEADER)
    assert export(run_folder, tmp_path / "empty", kind) == 0
    assert BOXES_IN[kind](tmp_path / "empty") == 0
    files = [
        [each.name for each in out.rglob("*")] for out in (tmp_path / "full", tmp_path / "empty")
    ]
    assert sorted(files[0]) == sorted(files[1])


def test_an_archive_gives_one_sequence_per_file_with_its_identities(tmp_path):
    footage = write_footage(tmp_path / "footage", cameras=2)
    weights = write_colour_network(tmp_path / "colour.xml")
    archive = tmp_path / "archive"
    assert batch(footage, weights, archive) == 0
    assert export(archive, tmp_path / "csv", "csv") == 0
    assert export(archive, tmp_path / "mot", "mot") == 0
    assert export(archive, tmp_path / "coco", "coco") == 0
    names = {
        f"cam{n}_{s}"
        for n in (1, 2)
        for s in ("20260105_235959", "20260106_000004", "20260106_000009")
    }
    assert {path.stem for path in (tmp_path / "mot").iterdir()} == names
    got = pd.read_csv(tmp_path / "csv" / "boxes.csv")
    stored = pd.read_parquet(archive / "boxes")
    owners = pd.read_parquet(archive / "identities.parquet").set_index("tracklet_id")["global_id"]
    expected = stored["tracklet_id"].map(owners).value_counts().to_dict()
    assert got["global_id"].value_counts().to_dict() == expected
    assert len(read_ground_truth(tmp_path / "mot")) == len(stored)
    content = json.loads((tmp_path / "coco" / "coco.json").read_text())
    assert len(content["annotations"]) == len(stored)


def test_what_a_killed_export_left_is_removed_by_the_next(run_folder, tmp_path):
    left = tmp_path / ".out.partial"
    left.mkdir()
    (left / "boxes.csv").write_text("half of it")
    assert main(["export", str(run_folder), "--format", "mot", "--out", str(tmp_path / "out")]) == 0
    assert not left.exists()
    assert not (tmp_path / "out" / "boxes.csv").exists()


def test_a_folder_that_holds_something_is_left_alone(run_folder, tmp_path, capsys):
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine").write_text("x")
    assert export(run_folder, out, "csv") == 2
    assert "choose another --out" in " ".join(capsys.readouterr().err.split())
    assert [path.name for path in out.iterdir()] == ["mine"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "is no run, archive or recording"),
        ("camera,frame\na,0\n", "lacks the columns"),
        (HEADER + "a,x,0,1,1,0,0,1,1,1\n", "row 1 has frame"),
        (HEADER + "a,0,0,1,1,0,0,1,inf,1\n", "row 1 has h"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(tmp_path, capsys, content, message):
    folder = tmp_path / "run"
    folder.mkdir()
    if content is not None:
        (folder / "tracks.csv").write_text(content)
    assert export(folder, tmp_path / "out", "mot") == 2
    assert message in " ".join(capsys.readouterr().err.split())
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_coco_states_the_size_that_each_picture_has(run_folder, tmp_path):
    record = json.loads((run_folder / "run.json").read_text())
    record["cameras"] = [{"camera": "a", "sizes": [[0, [160, 120]], [1, [96, 72]]]}]
    (run_folder / "run.json").write_text(json.dumps(record))
    assert export(run_folder, tmp_path / "coco", "coco") == 0
    images = json.loads((tmp_path / "coco" / "coco.json").read_text())["images"]
    sizes = {(each["file_name"], each["width"], each["height"]) for each in images}
    assert sizes == {
        ("a/000001.jpg", 160, 120),
        ("a/000003.jpg", 96, 72),
        ("b/000002.jpg", 320, 240),
    }
