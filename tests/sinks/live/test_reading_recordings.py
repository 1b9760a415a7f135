"""What docs/recording.md says of reading the logs, done."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeline.datatypes import Event
from pipeline.live_settings import RecordingSettings
from pipeline.places import Places
from pipeline.sinks.live.recorder import LiveRecorder
from support.recordings import NOON_S, PATIENCE_S, seen


def numbered_from(first_track, result):
    tracks = replace(result.tracks, track_id=result.tracks.track_id + first_track - 1)
    return replace(result, tracks=tracks)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two runs of two cameras, an hour apart, half a minute each at ten frames a second."""
    folder = tmp_path_factory.mktemp("recordings") / "rec"
    for begin_s, first_track in ((NOON_S, 1), (NOON_S + 3600, 1001)):
        recorder = LiveRecorder(
            folder,
            RecordingSettings(video=False, min_free_mb=1, min_free_log_mb=1),
            wall=lambda begin_s=begin_s: begin_s,
        )
        for index in range(300):
            time_s = begin_s + index / 10
            names = ("door", "-hall")
            results = [seen(n, index, time_s=time_s, persons=2) for n in names]
            recorder.write([numbered_from(first_track, each) for each in results], {})
            recorder.event(Event(time_s, "sighting", index % 3))
        recorder.close(timeout_s=PATIENCE_S)
    return folder


def test_pandas_reads_all_files_of_a_log(folder):
    files = sorted((folder / "tracks").glob("*.csv"))
    tracks = pd.concat(pd.read_csv(file, parse_dates=["time", "run"]) for file in files)
    assert len(files) == 2
    assert len(tracks) == 2 * 300 * 2 * 2
    assert str(tracks["time"].dtype).endswith("UTC]")
    spans = tracks.groupby(["camera", "track_id"])["time"].agg(["min", "max"])
    assert len(spans) == 8
    assert (spans["max"] - spans["min"]).dt.total_seconds().unique() == pytest.approx([29.9])


def test_duckdb_reads_all_files_of_a_log(folder):
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")
    rows = duckdb.sql(
        f"""
        SELECT camera, date_trunc('hour', time)::VARCHAR AS hour, count(DISTINCT track_id), count(*)
        FROM read_csv('{folder}/tracks/*.csv') GROUP BY ALL ORDER BY ALL
        """
    ).fetchall()
    assert [(camera, tracks, boxes) for camera, _, tracks, boxes in rows] == [
        ("'-hall", 2, 600),
        ("'-hall", 2, 600),
        ("door", 2, 600),
        ("door", 2, 600),
    ]
    kinds = duckdb.sql(
        f"SELECT kind, global_id, count(*) FROM read_json('{folder}/events/*.jsonl') "
        "GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    assert kinds == [("sighting", identity, 200) for identity in range(3)]


def test_places_are_in_the_log_of_calibrated_cameras_alone(tmp_path):
    recorder = LiveRecorder(
        tmp_path / "rec",
        RecordingSettings(video=False, min_free_mb=1, min_free_log_mb=1),
        on_floor=True,
        wall=lambda: NOON_S,
    )
    placed, blank = (seen(name, 0, time_s=NOON_S, persons=2) for name in ("door", "hall"))
    xy = np.array([[1.0, 2.5], [np.nan, np.nan]])
    places = Places(xy, np.where(np.isnan(xy[:, :1]), np.nan, [[0.04, 0, 0.01]]), xy[:, 0])
    recorder.write([replace(placed, tracks=replace(placed.tracks, places=places)), blank], {})
    recorder.close(timeout_s=PATIENCE_S)
    (file,) = (tmp_path / "rec" / "tracks").glob("*.csv")
    table = pd.read_csv(file).set_index(["camera", "track_id"])
    assert list(table.columns[-5:]) == ["time", "run", "x_m", "y_m", "uncertainty_m"]
    rows = table[["x_m", "y_m", "uncertainty_m"]]
    assert rows.loc[("door", 1)].tolist() == pytest.approx([1.0, 2.5, 0.2])
    assert rows.drop(index=("door", 1)).isna().all(axis=None)
