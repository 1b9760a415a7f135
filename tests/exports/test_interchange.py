"""CVAT and Datumaro: what is exported is what is read back."""

import json
import xml.etree.ElementTree as ET

import pandas as pd
import pytest

from pipeline.cli import main
from pipeline.metrics.ground_truth import read_ground_truth

HEADER = "camera,frame,time_s,track_id,global_id,x,y,w,h,score\n"
ROWS = [
    # camera, frame, time_s, track_id, global_id, x, y, w, h, score
    ("a", 0, 0.0, 1, 7, 10.123, 20.456, 30.789, 60.001, 0.9),
    ("a", 0, 0.0, 2, -1, 50.0, 20.0, 30.0, 60.0, 0.8),
    ("a", 1, 0.1, 1, 7, 11.0, 20.0, 30.0, 60.0, 0.9),
    ("a", 5, 0.5, 1, 7, 12.0, 20.0, 30.0, 60.0, 0.9),
    ("b", 1, 0.1, 1, 7, 15.0, 25.0, 30.0, 60.0, 0.6),
    ("b", 2, 0.2, 2, 8, 45.0, 25.0, 30.0, 60.0, 0.6),
]
BOX = ["camera", "frame", "x", "y", "w", "h"]


@pytest.fixture
def run_folder(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    rows = "".join(",".join(map(str, row)) + "\n" for row in ROWS)
    (folder / "tracks.csv").write_text(HEADER + rows)
    inputs = [
        {"camera": name, "source": f"/x/{name} & co\x01.mp4", "width": 320, "height": 240}
        for name in "ab"
    ]
    (folder / "run.json").write_text(json.dumps({"inputs": inputs}))
    return folder


def export(run, out, kind):
    assert main(["export", str(run), "--format", kind, "--out", str(out)]) == 0
    return out


def in_order(table):
    return table.sort_values(["camera", "frame", "x"], ignore_index=True)


def test_cvat_reads_back_as_the_same_boxes_and_identities(run_folder, tmp_path):
    truth = in_order(read_ground_truth(export(run_folder, tmp_path / "cvat", "cvat")))
    expected = pd.DataFrame([(r[0], r[1], *r[5:9]) for r in ROWS], columns=BOX)
    pd.testing.assert_frame_equal(truth[BOX], in_order(expected), atol=1e-9, rtol=0)
    assert truth["identity"].tolist() == ["7", "a, track 1", "7", "7", "7", "8"]
    assert (truth["visible"] == 1).all()


def test_a_run_scored_against_its_own_cvat_export_is_perfect(run_folder, tmp_path):
    table = pd.read_csv(run_folder / "tracks.csv")
    table[table["global_id"] > 0].to_csv(run_folder / "tracks.csv", index=False)
    truth = export(run_folder, tmp_path / "cvat", "cvat")
    scores = tmp_path / "scores.json"
    given = ["--ground-truth", str(truth), "--json", str(scores)]
    assert main(["evaluate", str(run_folder), *given]) == 0
    overall = json.loads(scores.read_text())["overall"]
    assert overall["idf1"] == overall["hota"] == 1.0


def test_cvat_ends_tracks_but_never_beyond_the_frames_that_are_known(run_folder, tmp_path):
    root = ET.parse(export(run_folder, tmp_path / "cvat", "cvat") / "a.xml").getroot()
    seen, unseen = (
        [
            [int(box.get("frame")) for box in track if box.get("outside") == outside]
            for track in root.iter("track")
        ]
        for outside in "01"
    )
    assert seen == [[0, 1, 5], [0]]
    assert unseen == [[2], [1]]
    assert root.findtext("meta/task/source") == "a & co?.mp4"
    assert root.findtext("meta/task/original_size/width") == "320"


def test_datumaro_ties_every_box_to_frame_track_and_identity(run_folder, tmp_path):
    """Read as Datumaro's library reads it; that it does was tried with its release 1.13."""
    folder = export(run_folder, tmp_path / "dm", "datumaro")
    found = []
    for path in sorted((folder / "annotations").iterdir()):
        content = json.loads(path.read_text())
        assert {"dm_format_version", "media_type", "infos", "categories", "items"} == set(content)
        (label,) = content["categories"]["label"]["labels"]
        assert label["name"] == "person"
        for item in content["items"]:
            assert item["image"]["size"] == [240, 320]
            assert item["id"] == f"{item['attr']['frame'] + 1:06d}"
            for each in item["annotations"]:
                assert (each["type"], each["label_id"]) == ("bbox", 0)
                about = each["attributes"]
                ids = about["track_id"], about.get("identity", -1)
                found.append((path.stem, item["attr"]["frame"], *ids, *each["bbox"]))
    assert found == [(r[0], r[1], *r[3:9]) for r in ROWS]
