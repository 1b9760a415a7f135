"""The tables of a run."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from pipeline.datatypes import Event, Identities, Identity, Tracklet
from pipeline.errors import SinkError
from pipeline.sinks import final_tables, tables
from pipeline.sinks.tables import EventLog, Tables
from support.builders import result
from support.small_runs import rows_of

BOX = (10.0, 12.0, 30.0, 40.0)


def identities(*pairs):
    return Identities(
        {(camera, track): Identity(person, 0.9, 0.0, 1.0, 5) for camera, track, person in pairs}
    )


def tracklet(camera, track, vector=(3.0, 4.0)):
    total = np.array(vector, np.float32)
    return Tracklet(camera, track, 0.0, 1.0, 5, total, 1.0, 0.9)


def test_rows_are_there_while_the_run_goes_with_the_online_identity(tmp_path):
    sink = Tables(tmp_path)
    sink.write(result(BOX, index=3, ids=[7], global_ids=[-1]))
    sink.close()
    (row,) = rows_of(tmp_path / "tracks.csv")
    assert row == {
        "camera": "cam",
        "frame": "3",
        "time_s": "0.3000",
        "track_id": "7",
        "global_id": "-1",
        "x": "10.00",
        "y": "12.00",
        "w": "20.00",
        "h": "28.00",
        "score": "0.9000",
    }


def test_final_identities_replace_the_online_ones_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setattr(final_tables, "CHUNK_ROWS", 3)  # several chunks
    monkeypatch.setattr(tables, "FLUSH_S", 0)
    sink = Tables(tmp_path)
    for index in range(10):
        sink.write(result(BOX, BOX, index=index, ids=[1, 2], global_ids=[5, 6]))
    online = rows_of(tmp_path / "tracks.csv")
    sink.finish(identities(("cam", 1, 9)), [])
    final = rows_of(tmp_path / "tracks.csv")
    assert len(final) == len(online) == 20
    for before, after in zip(online, final, strict=True):
        assert after["global_id"] == ("9" if after["track_id"] == "1" else "-1")
        assert {**before, "global_id": after["global_id"]} == after
    assert not list(tmp_path.glob("*.partial"))


@pytest.mark.parametrize("frames", [0, 1, 5])
def test_parquet_is_typed_and_equals_the_csv(tmp_path, frames):
    sink = Tables(tmp_path)
    for index in range(frames):
        sink.write(result(BOX, index=index))
    sink.finish(identities(("cam", 1, 1)), [])
    table = pq.read_table(tmp_path / "tracks.parquet")
    assert table.column_names == tables.TRACK_COLUMNS
    assert str(table.schema.field("frame").type) == "int64"
    expected = pd.read_csv(tmp_path / "tracks.csv", dtype={"camera": str})
    assert len(expected) == frames
    if frames:
        pd.testing.assert_frame_equal(table.to_pandas(), expected, check_dtype=False)


def test_identities_are_sorted_and_undecided_ones_come_last(tmp_path):
    Tables(tmp_path).finish(identities(("b", 1, 2), ("a", 3, -1), ("a", 1, 2), ("a", 2, 1)), [])
    rows = [
        (r["global_id"], r["camera"], r["track_id"]) for r in rows_of(tmp_path / "identities.csv")
    ]
    assert rows == [("1", "a", "2"), ("2", "a", "1"), ("2", "b", "1"), ("-1", "a", "3")]


def test_embeddings_are_unit_vectors_and_empty_where_there_is_none(tmp_path):
    sink = Tables(tmp_path)
    sink.finish(identities(("a", 1, 1)), [tracklet("a", 1), tracklet("a", 2, (0, 0))])
    table = pd.read_parquet(tmp_path / "embeddings.parquet")
    np.testing.assert_allclose(table["embedding"][0], [0.6, 0.8], rtol=1e-6)
    assert len(table["embedding"][1]) == 0
    assert table["global_id"].tolist() == [1, -1]


def test_events_are_numbered_lines_of_json(tmp_path):
    log = EventLog(tmp_path)
    log.write([Event(1.5, "new", 1, "cam", 4), Event(2.0, "merge", 1, other_id=3)])
    log.close()
    first, second = (json.loads(line) for line in (tmp_path / "events.jsonl").open())
    assert first == {
        "event": 1, "time": 1.5, "kind": "new", "global_id": 1, "name": "", "other_id": None,
        "other_name": "", "camera": "cam", "from_camera": None, "track_id": 4,
        "author": "matcher", "user": None, "edit": None,
        "watched": None, "similarity": None, "zone": None, "dwell_s": None,
        "x_m": None, "y_m": None, "uncertainty_m": None,
    }  # fmt: skip
    assert (second["event"], second["other_id"], second["camera"]) == (2, 3, None)
    assert Event.from_json(second) == Event(2.0, "merge", 1, other_id=3, number=2)


def test_a_full_disc_is_named(tmp_path):
    (tmp_path / "tracks.csv").symlink_to("/dev/full")
    sink = Tables(tmp_path)

    def fill():
        for index in range(5000):
            sink.write(result(BOX, index=index))

    with pytest.raises(SinkError, match=r"tracks\.csv could not be written \(No space left"):
        fill()


def test_what_is_thrown_away_at_the_end_needs_no_room_on_the_disc(tmp_path):
    sink = Tables(tmp_path)
    sink.write(result(BOX))
    with Path("/dev/full").open("w") as full:
        full.write("of the gaps")
        sink._gaps._file = full
        sink.close()
    assert "cam,0,0.0000," in (tmp_path / "tracks.csv").read_text()
