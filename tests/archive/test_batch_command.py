"""Whole archives: the same from every engine, after every kill, and when files are added."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.cli import main
from pipeline.layout.archive import ArchiveFolder
from pipeline.sources import VideoFile
from pipeline.sources.chunks import find_chunks
from support.small_archives import arguments, batch, contents, write_boxes, write_footage


def record_of(out):
    return json.loads((out / "archive.json").read_text())


def test_every_person_is_one_identity_over_all_files_and_cameras(undisturbed):
    sightings = pd.read_parquet(undisturbed / "sightings")
    identities = pd.read_parquet(undisturbed / "identities.parquet")
    joined = sightings.merge(identities, on="tracklet_id", validate="one_to_one")
    assert len(joined) == 4 * 3 * 2
    assert set(joined["camera"]) == {"cam1", "cam2", "cam3", "cam4"}
    norms = np.linalg.norm(np.stack(joined["embedding"].to_list()), axis=1)
    np.testing.assert_allclose(norms, 1, atol=1e-5)
    shirts = joined.groupby("global_id")["track_id"].agg(["nunique", "size"])
    assert sorted(shirts.index) == [1, 2]
    assert (shirts["nunique"] == 1).all()  # tracks 1 and 2 of every file wear the same shirts
    assert (shirts["size"] == 12).all()
    assert record_of(undisturbed)["status"] == "complete"


def test_times_are_those_of_the_files_and_days_those_of_the_tracklets(undisturbed):
    sightings = pd.read_parquet(undisturbed / "sightings")
    first = sightings[sightings["file"] == "cam1/20260105_235959.mp4"]
    start = pd.Timestamp("2026-01-05 23:59:59", tz="UTC")
    assert ((first["first_time"] - start).dt.total_seconds() < 1).all()
    assert (sightings["first_time"].dt.strftime("%Y-%m-%d") == sightings["day"].astype(str)).all()
    assert set(sightings["day"].astype(str)) == {"2026-01-05", "2026-01-06"}


def test_duckdb_reads_what_pandas_reads(undisturbed):
    duckdb = pytest.importorskip("duckdb")
    for table in ("sightings", "boxes", "thumbnails"):
        query = (
            "SELECT camera, count(*) AS rows FROM read_parquet("
            f"'{undisturbed}/{table}/**/*.parquet', hive_partitioning = true) GROUP BY camera"
        )
        found = dict(duckdb.sql(query).fetchall())
        assert found == pd.read_parquet(undisturbed / table)["camera"].value_counts().to_dict()
    boxes = pd.read_parquet(undisturbed / "boxes")
    sightings = pd.read_parquet(undisturbed / "sightings")
    counted = boxes["tracklet_id"].value_counts().to_dict()
    assert counted == dict(zip(sightings["tracklet_id"], sightings["frames"], strict=True))


def test_several_processes_give_the_same_bytes(footage, weights, undisturbed, tmp_path):
    assert batch(footage, weights, tmp_path, "--engine", "processes", "--workers", "2") == 0
    assert contents(tmp_path) == contents(undisturbed)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_frames_that_the_detector_passes_over_have_boxes_of_score_0(
    workers, footage, weights, tmp_path
):
    asked = arguments(footage, weights, tmp_path / "out", "--engine", "processes")
    config = Path(asked[asked.index("--config") + 1])
    config.write_text(config.read_text() + "detect: {every: 2}\n")
    assert main([*asked, "--workers", workers]) == 0
    boxes = pd.read_parquet(tmp_path / "out" / "boxes")
    sightings = pd.read_parquet(tmp_path / "out" / "sightings").set_index("tracklet_id")
    assert ((boxes["score"] == 0) == (boxes["frame"] % 2 == 1)).all()
    for tracklet, own in boxes.groupby("tracklet_id"):
        assert own["frame"].tolist() == list(range(own["frame"].min(), 20))
        assert (own["score"] > 0).sum() == sightings.loc[tracklet, "frames"]


@pytest.mark.parametrize("moment", range(int(os.environ.get("REID_KILLS", "2"))))
def test_a_killed_batch_resumes_to_the_same_bytes(moment, footage, weights, undisturbed, tmp_path):
    out = tmp_path / "archive"
    script = "import sys; from pipeline.cli import main; sys.exit(main(sys.argv[1:]))"
    process = subprocess.Popen(
        [sys.executable, "-c", script, *arguments(footage, weights, out)],
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    # By progress, not by the clock: so many units are done at the moment of the kill.
    units = random.Random(moment).randint(0, 40)
    while process.poll() is None and _units(out) < units:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert batch(footage, weights, out) == 0
    assert contents(out) == contents(undisturbed)
    assert not list((out / "work").glob("*/"))


def _units(out):
    """Units that are or were in the journal: finished files count for all of theirs.

    os.walk, since a file's folder may go while it is looked at: glob raises then.
    """
    work = out / "work"
    names = {place: files for place, _, files in os.walk(work)}
    notes = [name for name in names.pop(str(work), []) if name.endswith(".json")]
    return 4 * len(notes) + sum(map(len, names.values()))


def test_a_finished_batch_does_nothing_again(footage, weights, undisturbed, tmp_path):
    out = shutil.copytree(undisturbed, tmp_path / "archive")
    before = {path: path.stat().st_mtime_ns for path in out.rglob("sightings/**/*.parquet")}
    assert batch(footage, weights, out) == 0
    assert {path: path.stat().st_mtime_ns for path in out.rglob("sightings/**/*.parquet")} == before
    assert contents(out) == contents(undisturbed)


def test_added_files_alone_are_processed_and_numbers_stay(weights, tmp_path):
    folder = write_footage(tmp_path / "videos", cameras=2, starts=("20260106_000004",))
    out = tmp_path / "archive"
    assert batch(folder, weights, out) == 0
    before = pd.read_parquet(out / "identities.parquet").set_index("tracklet_id")["global_id"]
    times = {path: path.stat().st_mtime_ns for path in (out / "sightings").rglob("*.parquet")}
    shutil.copy(folder / "cam1/20260106_000004.mp4", folder / "cam1/20260106_000500.mp4")
    write_boxes(folder, ["cam1/20260106_000500.mp4"], frames=20)
    assert batch(folder, weights, out) == 0
    after = pd.read_parquet(out / "identities.parquet").set_index("tracklet_id")["global_id"]
    assert len(after) == len(before) + 2
    assert after[before.index].to_dict() == before.to_dict()
    assert {path: path.stat().st_mtime_ns for path in times} == times


def test_a_changed_file_replaces_what_was_found_in_it(weights, tmp_path):
    folder = write_footage(tmp_path / "videos", cameras=1, starts=("20260106_000004",))
    out = tmp_path / "archive"
    assert batch(folder, weights, out) == 0
    before = pd.read_parquet(out / "sightings")
    os.utime(folder / "cam1/20260106_000004.mp4", (1, 1))
    assert batch(folder, weights, out) == 0
    after = pd.read_parquet(out / "sightings")
    assert len(after) == len(before)
    assert not set(after["tracklet_id"]) & set(before["tracklet_id"])


def test_a_damaged_file_is_told_and_passed_over(weights, tmp_path):
    folder = write_footage(tmp_path / "videos", cameras=2, starts=("20260106_000004",))
    (folder / "cam2/20260106_000500.mp4").write_bytes(b"no video at all" * 100)
    out = tmp_path / "archive"
    assert batch(folder, weights, out) == 0
    states = {each["file"]: each["status"] for each in record_of(out)["files"]}
    assert states["cam2/20260106_000500.mp4"] == "skipped"
    assert sorted(states.values()) == ["done", "done", "skipped"]


def test_a_cut_file_gives_the_tracklets_of_an_uncut_one(weights, tmp_path):
    folder = write_footage(tmp_path / "v", cameras=1, starts=("20260106_000004",), frames=60)
    assert batch(folder, weights, tmp_path / "cut", "--engine", "processes", "--workers", "2") == 0
    assert batch(folder, weights, tmp_path / "uncut", "--chunk-s", "1000") == 0
    both = []
    for out in ("cut", "uncut"):
        rows = pd.read_parquet(tmp_path / out / "sightings").sort_values("track_id")
        both.append(rows.drop(columns="tracklet_id").reset_index(drop=True))
    pd.testing.assert_frame_equal(*both)
    video = VideoFile("cam1", folder / "cam1/20260106_000004.mp4")
    borders = [each.first_index for each in find_chunks(video, chunk_s=1, max_pixels=10**8)[1:]]
    boxes = pd.read_parquet(tmp_path / "cut" / "boxes")
    frames = [set(of_one) for _, of_one in boxes.groupby("tracklet_id")["frame"]]
    crossed = [b for b in borders if any({b - 1, b} <= of_one for of_one in frames)]
    assert borders == [10, 20, 30, 40, 50]
    assert {10, 30, 50} <= set(crossed)  # at 20 and 40 the walkers jump back


@pytest.mark.parametrize("flags", [["--chunk-s", "7"], ["--blur-faces"]])
def test_other_settings_are_refused(flags, footage, weights, undisturbed, capsys):
    assert batch(footage, weights, undisturbed, *flags) == 2
    assert "other settings" in capsys.readouterr().err


def test_two_batches_never_work_on_one_archive(footage, weights, tmp_path, capsys):
    from pipeline.archive.journal import Journal

    with Journal(ArchiveFolder(tmp_path), digest="").held():
        assert batch(footage, weights, tmp_path) == 2
    assert "another command works on" in capsys.readouterr().err


def test_damaged_notes_and_leftovers_of_kills_are_done_away_with(
    footage, weights, undisturbed, tmp_path
):
    out = shutil.copytree(undisturbed, tmp_path / "archive")
    note = min((out / "work").glob("*.json"))
    note.write_text('{"file": ')
    partial = next(out.rglob("sightings/**/*.parquet")).with_name(".x.parquet.1.partial")
    partial.touch()
    (out / "work" / ("0123456789abcdef" * 2)).mkdir()
    assert batch(footage, weights, out) == 0
    assert contents(out) == contents(undisturbed)
    assert json.loads(note.read_text())["tracklets"] == 2
    assert not partial.exists()
    assert not list((out / "work").glob("*/"))
