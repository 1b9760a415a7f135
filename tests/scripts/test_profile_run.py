"""The profile: what each stage costs, a frame and a piece of its own work."""

import sys

import pytest

from support.assets import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "scripts"))

import profile_run
from profile_run import STAGES, WATCHED, Clock, Profile, as_rows


def test_rows_are_per_frame_and_per_piece_of_work():
    seconds = dict.fromkeys(STAGES, 0.0) | {"detector": 3.0, "embedder": 1.0}
    rows = {
        row["stage"]: row
        for row in as_rows(Profile(seconds, {"frame": 100, "box": 50, "crop": 20}))
    }
    assert list(rows) == list(STAGES)
    assert (rows["detector"]["ms_a_frame"], rows["detector"]["ms_each"]) == (30.0, 30.0)
    assert (rows["embedder"]["ms_a_frame"], rows["embedder"]["ms_each"]) == (10.0, 50.0)
    assert rows["detector"]["share"] == 0.75


def test_a_run_without_anybody_divides_by_nothing():
    seconds = dict.fromkeys(STAGES, 0.0) | {"decoding": 1.0}
    rows = as_rows(Profile(seconds, {"frame": 10, "box": 0, "crop": 0}))
    assert sum(row["ms_a_frame"] for row in rows) == 100.0


def test_every_stage_that_is_watched_is_a_stage_and_is_there():
    for owner, name, stage, _ in WATCHED:
        assert stage in STAGES
        assert callable(getattr(owner, name))


def test_what_lies_within_another_stage_counts_once(monkeypatch):
    now = iter([0.0, 1.0, 4.0, 9.0])  # outer begins, inner begins, inner ends, outer ends
    moments = []

    def thread_time():
        moments.append(next(now))
        return moments[-1]

    monkeypatch.setattr(profile_run.time, "thread_time", thread_time)
    clock = Clock()
    with clock.stage("tracking"), clock.stage("crops"):
        pass
    assert clock.seconds["crops"] == pytest.approx(3.0)
    assert clock.seconds["tracking"] == pytest.approx(6.0)
