"""Calibration from finished work: whom somebody named is known, who is seen at once differs."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.cli import main
from pipeline.jobs import calibrate
from reid_model.stored_weights import weights_sha256
from support.made_up_run import write_made_up_run
from support.random_weights import write_random_weights
from support.worlds import looks

PEOPLE = 9


@pytest.fixture
def weights(tmp_path):
    return write_random_weights(tmp_path / "random.safetensors")


@pytest.fixture
def run(tmp_path, weights):
    """Nine people, each in the lobby and then in the yard; 1 and 2 are in the lobby at once."""
    begins = [0.0 if person < 3 else 10.0 * person for person in range(1, PEOPLE + 1)]
    seen = [
        (person, camera, begin + later, begin + later + 4)
        for camera, later in (("lobby", 0), ("yard", 1000))
        for person, begin in enumerate(begins, start=1)
        if camera == "lobby" or person > 1
    ]
    record = {
        "weights_sha256": weights_sha256(weights),
        "settings": {"embed": {"weights": str(weights), "backend": "torch"}},
    }
    folder = write_made_up_run(tmp_path / "run", seen, record=record)
    random = np.random.default_rng(0)
    appearance = looks(PEOPLE)
    vectors = [appearance[p - 1] + 0.1 * random.normal(size=32) for p, *_ in seen]
    vectors = [(v / np.linalg.norm(v)).astype(np.float32).tolist() for v in vectors]
    table = pq.read_table(folder / "embeddings.parquet")
    table = table.set_column(3, "embedding", pa.array(vectors, pa.list_(pa.float32())))
    pq.write_table(table, folder / "embeddings.parquet")
    return folder


def measured(run, tmp_path, *flags):
    out = tmp_path / "rates.json"
    assert main(["calibrate", str(run), "--json", str(out), "--device", "cpu", *flags]) == 0
    return json.loads(out.read_text())


def test_people_named_by_hand_are_known_and_those_seen_at_once_are_strangers(run, tmp_path, capsys):
    for number in (3, 4, 5):
        assert main(["edit", str(run), "rename", str(number), f"Person {number}"]) == 0
    found = measured(run, tmp_path, "--false-match-rate", "0.5")
    assert (found["identities"], found["genuine_pairs"]) == (3, 3)
    # Three people in two cameras make six pairs of strangers; the seventh stood in the lobby.
    assert (found["impostor_pairs"], found["across_pairs"]) == (7, 0)
    assert "3 persons" in " ".join(capsys.readouterr().out.split())


def test_a_merge_by_hand_makes_a_pair_and_its_undoing_takes_it_back(run, tmp_path, capsys):
    for number in (3, 4, 7):
        assert main(["edit", str(run), "rename", str(number), f"Person {number}"]) == 0
    assert main(["edit", str(run), "merge", "5", "6"]) == 0
    # Each of the merged two is in both cameras: four pairs over cameras.
    assert measured(run, tmp_path, "--false-match-rate", "0.5")["genuine_pairs"] == 3 + 4
    assert main(["edit", str(run), "undo"]) == 0
    assert measured(run, tmp_path, "--false-match-rate", "0.5")["genuine_pairs"] == 3


def test_where_nobody_was_named_the_way_out_is_said(run, capsys):
    assert main(["calibrate", str(run)]) == 2
    assert "name people of a run by `reid-pipeline edit`" in " ".join(
        capsys.readouterr().err.split()
    )


def test_work_of_other_weights_is_refused(run, capsys):
    record = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(record | {"weights_sha256": "ab"}))
    assert main(["calibrate", str(run)]) == 2
    assert "was made with other re-identification weights" in " ".join(
        capsys.readouterr().err.split()
    )


def test_the_weights_of_the_package_are_not_written(run, capsys):
    assert main(["calibrate", str(run), "--store"]) == 2
    assert "--store needs --weights" in " ".join(capsys.readouterr().err.split())


def test_of_very_many_tracks_the_known_ones_stay(run, tmp_path, monkeypatch):
    monkeypatch.setattr(calibrate, "MAX_TRACKS", 2)
    for number in (6, 7, 8):
        assert main(["edit", str(run), "rename", str(number), f"Person {number}"]) == 0
    found = measured(run, tmp_path, "--false-match-rate", "0.5")
    assert (found["tracks"], found["genuine_pairs"]) == (6 + 2, 3)
