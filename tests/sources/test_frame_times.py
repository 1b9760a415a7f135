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
    ready = [
        each for number, stamp in enumerate(stamps) for each in clock.push(number, stamp, time_base)
    ]
    ready += clock.finish()
    assert [number for number, _ in ready] == list(range(len(stamps)))
    return [time_s for _, time_s in ready], clock


def line(count=40, **changes):
    """Return stamps of every tenth of a second, those at ``atN`` changed."""
    stamps = list(range(count))
    for place, stamp in changes.items():
        stamps[int(place.removeprefix("at"))] = stamp
    return stamps


EVEN = [round(number / 10, 6) for number in range(40)]


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
    assert (clock.replaced, clock.restarts) == (1, 0)


def test_a_count_that_starts_again_is_a_continuation():
    times, clock = times_of([*range(20), *range(20)])
    assert times == pytest.approx(EVEN)
    assert clock.restarts == 1


def test_a_gap_stays_a_gap_and_is_counted():
    times, clock = times_of([*range(20), *range(620, 640)])
    assert times == [*EVEN[:20], *(round(stamp / 10, 6) for stamp in range(620, 640))]
    assert (clock.gaps, clock.max_gap_s) == (1, pytest.approx(60.1))


@pytest.mark.parametrize(
    ("stamps", "lies"),
    [
        (line(at15=85_200), 1),
        (line(at15=-85_200), 1),
        (line(at15=2**63 - 1), 1),
        (line(at15=19), 1),
        (line(at15=65), 1),
        (line(at0=85_200), 1),
        (line(at39=85_200), 1),
        (line(at39=0), 1),
        (line(at15=85_200, at16=85_201), 2),
        (line(at15=85_200, at16=30_000), 2),
        (line(at15=85_200, at16=None, at17=-7), 2),
        ([*range(10), *range(85_210, 85_230), *range(30, 40)], 20),
        ([stamp if stamp % 2 else stamp + 5000 for stamp in range(40)], 20),
        ([stamp // 2 * 2 for stamp in range(40)], 20),
        ([0] * 40, 39),
    ],
    ids=str,
)
def test_lying_stamps_move_no_frame(stamps, lies):
    times, clock = times_of(stamps)
    assert times == pytest.approx(EVEN)
    assert clock.replaced == lies
    assert (clock.gaps, clock.restarts) == (0, 0)


def test_a_wild_stamp_where_a_gap_begins_is_told_from_the_gap():
    times, clock = times_of([*range(10), 99_999, *range(611, 640)])
    assert times[9:12] == [0.9, 1.0, 61.1]
    assert (clock.replaced, clock.gaps) == (1, 1)


def test_a_counter_that_overflows_is_a_continuation():
    """Of 33 bits, as in MPEG-TS, where the demuxer did not notice it."""
    stamps = [(2**33 - 45_000 + 9000 * number) % 2**33 for number in range(40)]
    times, clock = times_of(stamps, origin_s=None, time_base=Fraction(1, 90_000))
    assert times == pytest.approx(EVEN)
    assert clock.restarts == 1


def test_uneven_pictures_keep_their_times():
    stamps = [0, 300, 900, 950, 2000, 2100, 4000]
    times, clock = times_of(stamps)
    assert times == [stamp / 10 for stamp in stamps]
    assert clock.replaced == 0


def test_a_leap_of_years_is_no_gap():
    times, clock = times_of([*range(10), *range(10**10, 10**10 + 30)])
    assert times == pytest.approx(EVEN)
    assert clock.restarts == 1


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
