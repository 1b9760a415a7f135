"""Places in the tables and results of a run; and that uncalibrated runs are as they were."""

from __future__ import annotations

import csv

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from support.assets import SAMPLE_VIDEOS
from support.placed_runs import finished

TABLES = ("tracks.csv", "tracks.parquet", "identities.csv", "embeddings.parquet", "events.jsonl")
PLACES = ["x_m", "y_m", "uncertainty_m"]


@pytest.fixture(scope="module")
def blank(tmp_path_factory):
    return finished(tmp_path_factory.mktemp("floor") / "blank")


@pytest.fixture(scope="module")
def placed(tmp_path_factory):
    return finished(tmp_path_factory.mktemp("floor") / "placed", calibrated=("lobby",))


def test_uncalibrated_tables_have_no_places_and_results_say_unknown(blank):
    with (blank.path / "tracks.csv").open() as file:
        assert next(csv.reader(file))[-1] == "score"
    assert pq.read_schema(blank.path / "tracks.parquet").names[-1] == "score"
    assert blank.boxes()[PLACES].isna().all(axis=None)
    assert blank.sightings()[[*PLACES, "speed_m_s"]].isna().all(axis=None)


def test_calibration_changes_nothing_else_where_places_are_not_used(tmp_path, blank):
    unused = finished(tmp_path / "unused", calibrated=("lobby", "corridor"), place_weight=0)
    for name in TABLES:
        ours, theirs = unused.path / name, blank.path / name
        if name in ("tracks.csv", "identities.csv"):
            columns = theirs.read_text().splitlines()[0].split(",")
            text = pd.read_csv(ours, dtype=str, keep_default_na=False)[columns]
            assert text.to_csv(index=False, lineterminator="\n") == theirs.read_text()
        elif name == "tracks.parquet":
            table = pq.read_table(theirs)
            assert pq.read_table(ours, columns=table.column_names).equals(table)
        else:
            assert ours.read_bytes() == theirs.read_bytes()


def test_boxes_of_calibrated_cameras_have_true_places(placed):
    boxes = placed.boxes("lobby")
    truth = pd.read_csv(SAMPLE_VIDEOS / "places.csv")
    known = boxes.dropna(subset=["x_m"])
    assert len(known) > 0.5 * len(boxes)
    assert (known["uncertainty_m"] > 0).all()
    apart = []
    for row in known.itertuples():
        then = truth[np.isclose(truth["time_s"], row.time)]
        apart.append(np.hypot(then["x_m"] - row.x_m, then["y_m"] - row.y_m).min())
    assert np.median(apart) < 0.3
    assert placed.boxes("corridor")[PLACES].isna().all(axis=None)


def test_sightings_have_their_last_place_and_speed(placed):
    sightings = placed.sightings()
    own = sightings[(sightings["camera"] == "lobby") & sightings["x_m"].notna()]
    assert len(own)
    last = placed.boxes("lobby").dropna(subset=["x_m"]).groupby("track_id").last()
    np.testing.assert_allclose(own["x_m"], last["x_m"].loc[own["track_id"]], atol=0.8)
    assert own["speed_m_s"].dropna().between(0, 2.5).all()


def test_parquet_and_csv_agree_on_places(placed):
    table = pq.read_table(placed.path / "tracks.parquet").to_pandas()
    text = pd.read_csv(placed.path / "tracks.csv")
    np.testing.assert_allclose(table[PLACES], text[PLACES], atol=1e-5)


def test_feet_for_metres_are_warned_of_and_change_no_identity(tmp_path, placed):
    in_feet = finished(tmp_path / "feet", calibrated=("lobby",), unit=3.28, seconds=8)
    (warning,) = (text for text in in_feet.warnings if text.startswith("lobby: people would be"))
    assert "floor_points" in warning
    assert not [text for text in placed.warnings if "tall" in text]
    unused = finished(tmp_path / "unused", seconds=8)
    assert in_feet.sightings()["global_id"].tolist() == unused.sightings()["global_id"].tolist()
