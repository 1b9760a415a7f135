"""Tables of a run folder that a stranger, or a slip of the hand, has changed."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import ResultsError
from pipeline.jobs.forget import forget
from pipeline.results import open_results
from support.made_up_run import write_made_up_run


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
        ([[1.0, 0.0], [float("nan"), 1.0]], "no finite numbers"),
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
