"""Tables of a run folder that a stranger, or a slip of the hand, has changed."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.archive.resolution import read_tracklets
from pipeline.errors import ResultsError
from pipeline.jobs.forget import forget
from pipeline.jobs.search import find
from pipeline.layout.archive import ArchiveFolder
from pipeline.layout.recording import REGISTRY
from pipeline.results import open_results
from support.made_up_archive import write_made_up
from support.made_up_run import write_made_up_run
from support.small_recordings import write_recording


@pytest.fixture
def folder(tmp_path):
    return write_made_up_run(tmp_path / "run", [(1, "door", 0, 5), (2, "yard", 3, 9)])


def test_a_sighting_that_stands_twice_is_named(folder):
    path = folder / "identities.csv"
    path.write_text(path.read_text() + path.read_text().splitlines()[-1] + "\n")
    with pytest.raises(ResultsError, match=r"identities\.csv is damaged \(yard/\d+ stands in it"):
        list(open_results(folder).sequences())


@pytest.mark.parametrize(
    ("vectors", "said"),
    [
        ([[1.0, 0.0], [1.0, 0.0, 0.0]], "differ in length"),
        ([[1.0, 0.0], [float("nan"), 1.0]], "no unit vectors"),
        ([[1.0, 0.0], [1e20, 1.0]], "no unit vectors"),
    ],
)
def test_embeddings_that_mean_nothing_are_named(vectors, said, folder):
    path = folder / "embeddings.parquet"
    table = pq.read_table(path)
    column = table.schema.get_field_index("embedding")
    values = pa.array(vectors, pa.list_(pa.float32()))
    pq.write_table(table.set_column(column, "embedding", values), path)
    with pytest.raises(ResultsError, match=said):
        open_results(folder).embeddings()


def test_a_size_of_nothing_is_damage(folder):
    record = json.loads((folder / "run.json").read_text())
    record["cameras"] = [{"camera": "door", "frames": 5, "first_s": 0, "sizes": [[0, [0, 0]]]}]
    (folder / "run.json").write_text(json.dumps(record))
    with pytest.raises(ResultsError, match=r"run\.json is damaged \(cameras\.0\.sizes"):
        forget(folder, 1)


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), 1e30])
def test_embeddings_of_an_archive_that_mean_nothing_are_named(wrong, tmp_path):
    folder = write_made_up(tmp_path / "archive", tracklets=8, people=2)
    (path, *_) = sorted(folder.glob("sightings/*/*/*.parquet"))
    table = pq.read_table(path, partitioning=None)
    vectors = table["embedding"].to_pylist()
    vectors[1][2] = wrong
    column = pa.array(vectors, table.schema.field("embedding").type)
    where = table.schema.get_field_index("embedding")
    pq.write_table(table.set_column(where, "embedding", column), path)

    said = r"embeddings are no unit vectors: remove .*k0\.json and run `reid-pipeline batch` again"
    for read in (
        lambda: open_results(folder).embeddings(),
        lambda: find(open_results(folder), identity=1),
        lambda: read_tracklets(ArchiveFolder(folder)),
    ):
        with pytest.raises(ResultsError, match=said):
            read()


@pytest.mark.parametrize("wrong", [np.float32("nan"), np.float32("inf")])
def test_a_damaged_embedding_of_a_recording_is_left_out(wrong, tmp_path, caplog):
    folder = write_recording(tmp_path / "recording")
    before = open_results(folder).embeddings()
    with closing(sqlite3.connect(folder / REGISTRY)) as database, database:
        (row, blob), *_ = database.execute("SELECT sighting, vector FROM embeddings").fetchall()
        vector = np.frombuffer(blob, np.float32).copy()
        vector[0] = wrong
        sql = "UPDATE embeddings SET vector = ? WHERE sighting = ?"
        database.execute(sql, (vector.tobytes(), row))

    after = open_results(folder).embeddings()

    assert "damaged embeddings left out: 1" in caplog.text
    changed = (after != before).any(axis=1)
    assert changed.sum() == 1
    assert not after[changed].any()


@pytest.mark.parametrize("blob", [b"abc", b"abcd" * 9])
def test_an_embedding_of_a_recording_that_is_none_is_one_line(blob, tmp_path):
    folder = write_recording(tmp_path / "recording")
    with closing(sqlite3.connect(folder / REGISTRY)) as database, database:
        first = "(SELECT min(sighting) FROM embeddings)"
        database.execute(f"UPDATE embeddings SET vector = ? WHERE sighting = {first}", (blob,))
    for read in (
        lambda: open_results(folder).embeddings(),
        lambda: find(open_results(folder), identity=1),
    ):
        with pytest.raises(ResultsError, match="is damaged"):
            read()
