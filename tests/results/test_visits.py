"""How long somebody was in view."""

import pandas as pd
import pytest

from pipeline.results.visits import Visit, join_visits, seconds, seconds_in_view, visits


def test_tracks_with_a_short_gap_are_one_visit():
    stays = join_visits([Visit(1, "a", 0, 5), Visit(1, "a", 15, 20), Visit(1, "a", 30.1, 31)])
    assert stays == [Visit(1, "a", 0, 20, 2), Visit(1, "a", 30.1, 31, 1)]


def test_a_track_inside_another_does_not_shorten_the_visit():
    assert join_visits([Visit(1, "a", 0, 50), Visit(1, "a", 5, 6)]) == [Visit(1, "a", 0, 50, 2)]


def test_nobody_visits_without_identity():
    assert join_visits([Visit(-1, "a", 0, 5)]) == []


def test_in_view_counts_short_gaps_and_every_camera():
    stays = join_visits(
        [Visit(1, "a", 0, 5), Visit(1, "a", 15, 20), Visit(1, "a", 40, 41), Visit(1, "b", 3, 8)]
    )
    assert seconds_in_view(stays) == {1: 20 + 1 + 5}
    assert seconds_in_view([]) == {}


@pytest.mark.parametrize("is_utc", [False, True])
def test_tables_with_either_time_give_the_same_visits(is_utc):
    times = pd.Series([0.0, 14.25]), pd.Series([5.0, 20.5])
    if is_utc:
        times = tuple(pd.to_datetime(each, unit="s", utc=True).dt.as_unit("us") for each in times)
    table = pd.DataFrame(
        {"global_id": [1, 1], "camera": "a", "first_time": times[0], "last_time": times[1]}
    )
    assert seconds(table["last_time"]).tolist() == [5.0, 20.5]
    assert visits(table) == [Visit(1, "a", 0.0, 20.5, 2)]
