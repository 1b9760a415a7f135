"""The main job by its command: what it writes, and that nothing else changes the result."""

import json
import os
import signal
import subprocess
import sys
import time

import av
import numpy as np
import pandas as pd
import pytest

from support.colour_network import write_colour_network
from support.small_runs import SIZE, rows_of, run, walker_box, write_scene
from support.video_files import write_video

TRACKS = "camera,frame,time_s,track_id,global_id,x,y,w,h,score"
IDENTITIES = "global_id,camera,track_id,first_s,last_s,frames,similarity"


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return write_colour_network(tmp_path_factory.mktemp("weights") / "colour.xml")


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    return write_scene(tmp_path_factory.mktemp("scene"))


@pytest.fixture(scope="module")
def finished(scene, weights, tmp_path_factory):
    out = tmp_path_factory.mktemp("finished") / "run"
    assert run(scene, weights, out) == 0
    return out


def test_the_run_folder_holds_what_the_contract_says(finished):
    names = {path.name for path in finished.iterdir()}
    assert names == {
        "run.json",
        "tracks.csv",
        "tracks.parquet",
        "identities.csv",
        "embeddings.parquet",
        "events.jsonl",
        "gallery",
        "cam1.mp4",
        "cam2.mp4",
        "mosaic.mp4",
        "report.html",
    }
    assert (finished / "tracks.csv").read_text().splitlines()[0] == TRACKS
    assert (finished / "identities.csv").read_text().splitlines()[0] == IDENTITIES


def test_the_record_says_that_the_run_is_complete_and_what_it_took_in(finished):
    record = json.loads((finished / "run.json").read_text())
    assert record["status"] == "complete"
    assert [camera["frames"] for camera in record["cameras"]] == [30, 30]
    assert record["settings"]["match"]["threshold"] == 0.9
    assert {each["camera"] for each in record["inputs"]} == {"cam1", "cam2"}
    assert record["warnings"] == []


def test_tracks_follow_the_boxes_and_every_person_has_one_identity(finished):
    rows = rows_of(finished / "tracks.csv")
    for camera in ("cam1", "cam2"):
        for person in (1, 2):
            mine = [
                row
                for row in rows
                if row["camera"] == camera
                and float(row["x"]) == walker_box(person, int(row["frame"]))[0]
            ]
            assert len(mine) >= 28  # a track needs two boxes to begin
            assert len({row["global_id"] for row in mine}) == 1
            assert all(float(row["time_s"]) == int(row["frame"]) / 10 for row in mine)
    at_once = {(row["camera"], row["frame"], row["global_id"]) for row in rows}
    assert len(at_once) == len(rows)


def test_the_parquet_tables_hold_the_same_as_the_csv(finished):
    one = pd.read_csv(finished / "tracks.csv")
    other = pd.read_parquet(finished / "tracks.parquet")
    pd.testing.assert_frame_equal(one, other, check_dtype=False, rtol=1e-6)


def test_there_is_one_embedding_per_tracklet(finished):
    embeddings = pd.read_parquet(finished / "embeddings.parquet")
    identities = pd.read_csv(finished / "identities.csv")
    assert len(embeddings) == len(identities) == 4
    lengths = [np.linalg.norm(vector) for vector in embeddings["embedding"]]
    np.testing.assert_allclose(lengths, 1, rtol=1e-5)
    assert (finished / "embeddings.parquet").stat().st_mode & 0o777 == 0o600


def test_annotated_video_plays_in_a_browser_with_the_timing_of_the_source(finished, scene):
    for camera in ("cam1", "cam2"):
        with (
            av.open(str(finished / f"{camera}.mp4")) as made,
            av.open(str(scene / f"{camera}.mp4")) as source,
        ):
            stream = made.streams.video[0]
            assert stream.codec_context.name == "h264"
            assert stream.codec_context.pix_fmt == "yuv420p"
            assert (stream.width, stream.height) == SIZE
            times = [frame.time for frame in made.decode(video=0)]
            expected = [frame.time for frame in source.decode(video=0)]
        np.testing.assert_allclose(times, expected, atol=1e-3)


def test_the_gallery_has_crops_of_every_identity(finished):
    ids = {int(row["global_id"]) for row in rows_of(finished / "identities.csv")}
    assert {int(path.name) for path in (finished / "gallery").iterdir()} == ids
    for folder in (finished / "gallery").iterdir():
        assert 1 <= len(list(folder.glob("*.jpg"))) <= 6


def test_two_runs_and_any_batch_size_give_identical_tables(finished, scene, weights, tmp_path):
    for size in (1, 3):
        out = tmp_path / f"batch{size}"
        assert run(scene, weights, out, "--no-video", "--batch-size", str(size)) == 0
        for table in ("tracks.csv", "identities.csv", "embeddings.parquet"):
            assert (out / table).read_bytes() == (finished / table).read_bytes()


def test_without_video_there_is_none(scene, weights, tmp_path):
    assert run(scene, weights, tmp_path / "run", "--no-video") == 0
    assert list((tmp_path / "run").glob("*.mp4")) == []


def test_cameras_can_be_stopped_early(scene, weights, tmp_path):
    assert run(scene, weights, tmp_path / "run", "--no-video", "--max-seconds", "1.05") == 0
    assert max(int(row["frame"]) for row in rows_of(tmp_path / "run" / "tracks.csv")) == 10


def test_without_resolution_the_online_identities_stay(scene, weights, tmp_path):
    assert run(scene, weights, tmp_path / "run", "--no-video", "--no-resolve") == 0
    events = [json.loads(line) for line in (tmp_path / "run" / "events.jsonl").open()]
    rows = rows_of(tmp_path / "run" / "identities.csv")
    final = {(row["camera"], int(row["track_id"])): int(row["global_id"]) for row in rows}
    assert {(e["camera"], e["track_id"]): e["global_id"] for e in events} == final


def test_nobody_in_the_video_is_no_error(scene, weights, tmp_path):
    empty = tmp_path / "empty.csv"
    empty.write_text("camera,frame,x,y,w,h\n")
    assert run(scene, weights, tmp_path / "run", "--detections", str(empty)) == 0
    assert rows_of(tmp_path / "run" / "tracks.csv") == []
    assert (tmp_path / "run" / "mosaic.mp4").is_file()


def test_odd_sizes_one_frame_different_rates_and_lengths_and_sound_are_no_errors(weights, tmp_path):
    scene = tmp_path / "scene"
    scene.mkdir()
    write_video(scene / "odd.mp4", size=(641, 359), frames=3)
    write_video(scene / "single.mp4", frames=1)
    write_video(scene / "uhd.mp4", size=(3840, 2160), frames=2)
    write_video(scene / "fast.mp4", frames=20, rate=50)
    write_video(scene / "sound.mp4", frames=12, rate=12, audio=(0, 1))
    (scene / "boxes.csv").write_text("camera,frame,x,y,w,h\nodd,0,10,10,60,150\n")
    out = tmp_path / "run"
    assert run(scene, weights, out) == 0
    frames = {
        c["camera"]: c["frames"] for c in json.loads((out / "run.json").read_text())["cameras"]
    }
    assert frames == {"odd": 3, "single": 1, "uhd": 2, "fast": 20, "sound": 12}
    for camera, count in frames.items():
        with av.open(str(out / f"{camera}.mp4")) as container:
            assert sum(1 for _ in container.decode(video=0)) == count


def test_a_truncated_video_is_processed_up_to_the_damage_and_the_run_says_so(weights, tmp_path):
    cut = write_scene(tmp_path / "cut", frames=30)
    write_video(cut / "cam1.mp4", frames=30, size=SIZE, muxer_options={"movflags": "faststart"})
    whole = (cut / "cam1.mp4").read_bytes()
    (cut / "cam1.mp4").write_bytes(whole[: len(whole) * 2 // 3])
    out = tmp_path / "run"
    assert run(cut, weights, out, "--no-video") == 0
    record = json.loads((out / "run.json").read_text())
    frames = {camera["camera"]: camera["frames"] for camera in record["cameras"]}
    assert 0 < frames["cam1"] < 30
    assert frames["cam2"] == 30
    assert any("cam1" in warning and "of 30 frames" in warning for warning in record["warnings"])


def test_a_run_that_is_killed_leaves_what_it_had_and_is_marked_incomplete(weights, tmp_path):
    scene = write_scene(tmp_path / "scene", frames=40)
    write_video(scene / "long.mp4", frames=20_000, size=(64, 48), gop=250)
    out = tmp_path / "run"
    code = (
        f"import sys; sys.path[:0] = {sys.path!r}; import pathlib; from support import small_runs; "
        f"small_runs.run(pathlib.Path({str(scene)!r}), pathlib.Path({str(weights)!r}), "
        f"pathlib.Path({str(out)!r}))"
    )
    with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL) as process:
        tracks = out / "tracks.csv"
        deadline = time.monotonic() + 120
        while not (tracks.is_file() and tracks.stat().st_size > 1000):
            assert process.poll() is None, "the run ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGKILL)
    assert json.loads((out / "run.json").read_text())["status"] == "incomplete"
    rows = rows_of(tracks)
    assert len(rows) > 10
    assert list(out.glob("*.mp4")) == []
