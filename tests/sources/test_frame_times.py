from __future__ import annotations

import itertools
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sources.frame_times import FrameTimes

TENTH = Fraction(1, 10)


def times_of(stamps, *, origin_s=0.0, interval_s=0.1, time_base=TENTH):
    clock = FrameTimes(origin_s=origin_s, interval_s=interval_s)
    return [clock.time_s(stamp, time_base) for stamp in stamps], clock


def test_stamps_count_from_the_origin():
    times, _ = times_of([14, 15, 18], origin_s=1.4)
    assert times == [0.0, 0.1, 0.4]


def test_an_unknown_origin_is_the_first_stamp():
    times, _ = times_of([14, 15, 18], origin_s=None)
    assert times == [0.0, 0.1, 0.4]


def test_frames_without_stamp_follow_each_other_at_the_nominal_rate():
    times, clock = times_of([None, None, None], origin_s=None, interval_s=0.04)
    assert times == [0.0, 0.04, 0.08]
    assert clock.without_stamp == 3


def test_a_missing_stamp_in_the_middle_is_bridged():
    times, _ = times_of([0, 1, None, 3])
    assert times == [0.0, 0.1, 0.2, 0.3]


def test_stamps_that_come_late_go_on_from_the_frames_before():
    times, _ = times_of([None, None, 70, 71], origin_s=None)
    assert times == [0.0, 0.1, 0.2, 0.3]


def test_a_repeated_stamp_moves_only_its_own_frame():
    times, clock = times_of([0, 1, 1, 2, 3])
    assert times == pytest.approx([0.0, 0.1, 0.101, 0.2, 0.3])
    assert clock.restarts == 0


def test_a_count_that_starts_again_is_a_continuation():
    times, clock = times_of([0, 10, 20, 0, 1, 2])
    assert times == pytest.approx([0.0, 1.0, 2.0, 2.1, 2.2, 2.3])
    assert clock.restarts == 1


def test_a_gap_stays_a_gap():
    times, _ = times_of([0, 1, 500])
    assert times == [0.0, 0.1, 50.0]


def test_hours_of_a_fractional_rate_do_not_drift():
    stamps = [number * 1001 for number in range(0, 500_000, 49_999)]
    times, _ = times_of(stamps, time_base=Fraction(1, 30_000), interval_s=1001 / 30_000)
    exact = [round(float(Fraction(stamp, 30_000)), 6) for stamp in stamps]
    assert times == exact


@given(
    st.lists(st.none() | st.integers(-(2**33), 2**33), max_size=40),
    st.none() | st.floats(-100, 100),
    st.floats(1e-3, 10),
)
def test_times_always_increase(stamps, origin_s, interval_s):
    times, _ = times_of(
        stamps, origin_s=origin_s, interval_s=interval_s, time_base=Fraction(1, 90_000)
    )
    assert all(after > before for before, after in itertools.pairwise(times))
