"""What docs/recording.md says of reading the logs, done."""

from dataclasses import replace

import pandas as pd
import pytest

from pipeline.datatypes import Event
from pipeline.live_settings import RecordingSettings
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
