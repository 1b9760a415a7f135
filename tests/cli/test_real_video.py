"""The main job with a real detector and the package's weights, on real and composed video."""

import json

import pandas as pd
import pytest

from pipeline.cli import main
from pipeline.metrics.scores import score
from support.assets import SHARED, needs_shared
from support.small_runs import rows_of

DETECTOR = SHARED / "models" / "yolov8n_int8_openvino_model"
VIDEOS = SHARED / "data" / "videos"
SMOKE = SHARED / "data" / "scenes" / "smoke"


def run(out, *videos, flags=()):
    given = ["run", "--cams", *map(str, videos), "--detector", str(DETECTOR), "--out", str(out)]
    assert main([*given, "--no-video", *flags]) == 0
    return out


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    return run(tmp_path_factory.mktemp("smoke") / "run", *sorted(SMOKE.glob("*.mp4")))


@needs_shared
def test_a_man_who_walks_from_one_view_into_the_other_has_one_identity(tmp_path):
    out = run(tmp_path / "run", VIDEOS / "room_cam1.mp4", VIDEOS / "room_cam2.mp4")
    rows = rows_of(out / "identities.csv")
    assert {row["camera"] for row in rows} == {"room_cam1", "room_cam2"}
    assert {row["global_id"] for row in rows if int(row["frames"]) > 5} == {"1"}
    assert {row["global_id"] for row in rows} <= {"1", "-1"}  # the moment when he comes in
    record = json.loads((out / "run.json").read_text())
    assert record["status"] == "complete"
    assert {c["camera"]: c["frames"] for c in record["cameras"]} == {
        "room_cam1": 147,
        "room_cam2": 84,
    }


@needs_shared
def test_people_of_a_composed_scene_are_found_and_tied_together(smoke):
    truth = pd.read_csv(SMOKE / "ground_truth.csv")
    found = score(truth, pd.read_csv(smoke / "tracks.csv")).overall
    assert found.recall > 0.8
    assert found.precision > 0.9
    # Identities cut at every camera and every gap would score half of this.
    assert found.idf1 > 0.7


@needs_shared
def test_a_real_detector_and_network_give_the_same_whatever_the_batch(smoke, tmp_path):
    videos = sorted(SMOKE.glob("*.mp4"))
    again = run(tmp_path / "one", *videos, flags=["--batch-size", "1"])
    for table in ("tracks.csv", "identities.csv", "embeddings.parquet", "events.jsonl"):
        assert (again / table).read_bytes() == (smoke / table).read_bytes()
