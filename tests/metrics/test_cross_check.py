"""Three libraries give the same scores, and so does a slow and obvious count."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from pipeline.metrics.pairing import pair_boxes
from pipeline.metrics.scores import Score, score_paired
from pipeline.metrics.tables import check_ground_truth, check_tracks
from support.metric_tables import crowd, tracks_table, truth_table
from support.other_scorers import by_motmetrics, by_reid_hota


def compare(truth: pd.DataFrame, found: pd.DataFrame) -> tuple[Score, dict[str, float]]:
    """Return our overall score, and the same fields by the two other libraries."""
    truth, found = check_ground_truth(truth), check_tracks(found)
    paired = pair_boxes(truth, found, iou=0.5, min_visible=0.3)
    others = by_motmetrics(paired.steps, iou=0.5)
    others |= by_reid_hota(paired.steps, truth, found)
    return score_paired(paired, iou=0.5).overall, others


def spread_out(truth: pd.DataFrame, found: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give every person a row of the image, so that no two persons overlap."""
    lanes = {"identity": truth["identity"], "track_id": (found["track_id"] - 1) % 1000 % 5 + 1}
    return (
        truth.assign(y=truth["y"] + 1000.0 * lanes["identity"]),
        found.assign(y=found["y"] + 1000.0 * lanes["track_id"]),
    )


@pytest.mark.parametrize("seed", range(5))
def test_all_libraries_agree_on_one_camera(seed: int) -> None:
    truth, found = spread_out(*crowd(cameras=1, frames=80, persons=5, seed=seed))
    ours, others = compare(truth, found)
    assert 0.1 < ours.idf1 < 0.9
    assert 0.1 < ours.hota < 0.9
    for name, number in others.items():
        assert getattr(ours, name) == pytest.approx(number, abs=1e-9), name


@pytest.mark.parametrize("seed", range(3))
def test_identity_scores_agree_over_all_cameras_also_in_a_crowd(seed: int) -> None:
    ours, others = compare(*crowd(cameras=3, frames=60, persons=12, seed=seed))
    for name in ("idf1", "idp", "idr"):
        assert getattr(ours, name) == pytest.approx(others[name], abs=1e-12), name
    # Pairing by overlap alone costs a little where people cross.
    assert others["hota"] == pytest.approx(ours.hota, abs=0.03)


def test_hota_agrees_over_all_cameras_where_nobody_overlaps() -> None:
    ours, others = compare(*spread_out(*crowd(cameras=3, frames=60, persons=5, seed=9)))
    for name in ("hota", "det_a", "ass_a"):
        assert getattr(ours, name) == pytest.approx(others[name], abs=1e-9), name


def test_boxes_without_identity_count_alike() -> None:
    truth, found = spread_out(*crowd(cameras=2, frames=60, persons=5, seed=2))
    found.loc[found["track_id"] % 3 == 0, "global_id"] = -1
    ours, others = compare(truth, found)
    assert ours.unassigned_boxes > 50
    for name in ("idf1", "idp", "idr", "hota", "det_a", "ass_a"):
        assert getattr(ours, name) == pytest.approx(others[name], abs=1e-9), name


def test_a_run_without_boxes_is_zero_by_all_libraries() -> None:
    truth = truth_table([("east", 0, 1), ("west", 0, 1)])
    ours, others = compare(truth, tracks_table([]))
    assert {getattr(ours, name) for name in others} == set(others.values()) == {0}


@pytest.mark.parametrize("seed", range(4))
def test_idf1_is_the_best_of_all_namings(seed: int) -> None:
    """Against trying every one-to-one naming of four persons."""
    truth, found = crowd(cameras=2, frames=15, persons=4, seed=seed)
    found = found.assign(global_id=found["global_id"] % 4)
    found = found.drop_duplicates(["camera", "frame", "global_id"])
    ours, _ = compare(truth, found)
    pairs = truth.merge(found, on=["camera", "frame"], suffixes=("", "_found"))
    pairs = pairs[[overlap(row) >= 0.5 for _, row in pairs.iterrows()]]
    right = max(
        sum(((pairs["identity"] == person) & (pairs["global_id"] == name)).sum()
            for person, name in zip((1, 2, 3, 4), names, strict=True))
        for names in itertools.permutations(range(4))
    )  # fmt: skip
    assert ours.idf1 == pytest.approx(2 * right / (len(truth) + len(found)))


def overlap(row: pd.Series) -> float:
    """Return the overlap of the true and the found box of a row, the plain way."""
    width = min(row.x + row.w, row.x_found + row.w_found) - max(row.x, row.x_found)
    height = min(row.y + row.h, row.y_found + row.h_found) - max(row.y, row.y_found)
    common = max(0.0, width) * max(0.0, height)
    return float(np.divide(common, row.w * row.h + row.w_found * row.h_found - common))
