"""Visits, hand-overs and people in view, against slow and obvious versions."""

import numpy as np
import pytest

from pipeline.report.flows import shortened
from pipeline.report.movement import hand_overs, max_present
from pipeline.report.times import duration, moment, span, tick_texts, ticks
from pipeline.results.visits import Visit, join_visits

MONDAY_S = 1_767_571_200


def test_hand_overs_follow_each_person_alone():
    stays = join_visits(
        [
            Visit(1, "a", 0, 5),
            Visit(2, "b", 2, 6),
            Visit(1, "b", 8, 9),
            Visit(1, "b", 40, 41),
            Visit(2, "a", 5, 9),
        ]
    )
    found = [(m.global_id, m.origin, m.target, m.travel_s) for m in hand_overs(stays)]
    assert found == [(2, "b", "a", -1), (1, "a", "b", 3)]


@pytest.mark.parametrize("seed", range(5))
def test_people_in_view_are_counted_once_each(seed):
    random = np.random.default_rng(seed)
    stays = []
    for _ in range(60):
        first = random.uniform(0, 90)
        camera = f"c{random.integers(3)}"
        last = first + random.uniform(0, 15)
        stays.append(Visit(int(random.integers(9)), camera, first, last))
    most, busiest = max_present(stays, 0, 110, stretches=37)
    times = np.sort(np.concatenate([np.linspace(0, 110, 38)[:-1], [s.first_s for s in stays]]))
    there = [len({s.global_id for s in stays if s.first_s <= t <= s.last_s}) for t in times]
    slow = [
        max(n for n, t in zip(there, times, strict=True) if k <= t * 37 / 110 + 1e-9 < k + 1)
        for k in range(37)
    ]
    assert most.tolist() == slow
    assert there[times.tolist().index(busiest)] == max(there)


def test_somebody_who_passes_between_two_ticks_of_a_week_is_counted():
    most, busiest = max_present([Visit(1, "a", 1000, 1001)], 0, 7 * 86_400, stretches=240)
    assert most.tolist() == [1] + [0] * 239
    assert busiest == 1000


def test_nobody_is_in_view_of_an_empty_run():
    assert max_present([], 0, 1, stretches=2)[0].tolist() == [0, 0]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00.0"), (61.26, "1:01.3"), (3661, "1:01:01.0"), (-2, "-0:02.0"), (59.96, "1:00.0")],
)
def test_moments_are_clocks_from_the_start(seconds, text):
    assert moment(seconds) == text


def test_moments_since_1970_are_dates():
    assert moment(1_700_000_000) == "2023-11-14 22:13:20"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.0 s"), (59.96, "1 min 0 s"), (185, "3 min 5 s"), (7800, "2 h 10 min"), (-4, "-4.0 s")],
)
def test_durations_have_two_units(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize("span", [0.5, 60, 3601, 86_400, 3e7])
def test_ticks_are_few_and_inside(span):
    found = ticks(7.0, 7.0 + span, max_ticks=6)
    assert len(found) <= 7
    assert all(7.0 <= tick <= 7.0 + span for tick in found)


@pytest.mark.parametrize(
    ("times", "texts"),
    [
        ([0, 90], ["0:00", "1:30"]),
        ([MONDAY_S, MONDAY_S + 3600], ["00:00", "01:00"]),
        ([MONDAY_S + 15, MONDAY_S + 30], ["00:00:15", "00:00:30"]),
        ([MONDAY_S, MONDAY_S + 86_400], ["2026-01-05", "2026-01-06"]),
        ([MONDAY_S + 43_200, MONDAY_S + 86_400], ["01-05 12:00", "01-06 00:00"]),
        ([], []),
    ],
)
def test_ticks_say_what_differs_between_them(times, texts):
    assert tick_texts(times) == texts


def test_a_span_names_its_day_once():
    assert span(MONDAY_S, MONDAY_S + 61) == "2026-01-05 00:00:00 to 00:01:01"
    assert span(MONDAY_S, MONDAY_S + 86_400) == "2026-01-05 00:00:00 to 2026-01-06 00:00:00"
    assert span(0, 61) == "0:00.0 to 1:01.0"


@pytest.mark.parametrize("length", [1, 16, 17, 64])
def test_long_names_are_shortened_in_their_middle(length):
    names = ["corridor" * 8, "corridor" * 8]
    first, second = (name[: length - 1] + end for name, end in zip(names, "12", strict=True))
    assert len(shortened(first)) == min(length, 16)
    assert shortened(first) != shortened(second)
