"""Times of frames, lateness, and pauses between attempts, without waiting."""

import random
from types import SimpleNamespace

import pytest

from pipeline.sources.live.backoff import Backoff
from pipeline.sources.live.camera_clock import CameraClock, time_after
from pipeline.sources.live.lateness import Lateness


@pytest.mark.parametrize(
    ("out_s", "whole_s"), [(0, 1.0), (9, 1.0), (20, 2.0), (50, 5.0), (299, 29.9), (1e7, 30.0)]
)
def test_pauses_are_a_tenth_of_the_outage_within_limits(out_s, whole_s):
    now = SimpleNamespace(s=1000.0)
    backoff = Backoff(max_s=30.0, rng=random.Random(1), clock=lambda: now.s)
    backoff.next_s()
    now.s += out_s
    pauses = [backoff.next_s() for _ in range(500)]
    assert min(pauses) >= whole_s / 2
    assert max(pauses) <= whole_s
    assert len(set(pauses)) > 450
    assert backoff.next_s(min_s=60.0) == 60.0
    backoff.reset()
    now.s += 1e6
    assert backoff.next_s() <= 1.0


def packet(pts, producer_s=None):
    stamp = (
        b"" if producer_s is None else round(producer_s * 1e6).to_bytes(8, "little", signed=True)
    )
    return SimpleNamespace(
        pts=pts, has_sidedata=lambda _: bool(stamp), get_sidedata=lambda _: stamp + bytes(16)
    )


@pytest.mark.parametrize(
    ("skew_s", "time_s"), [(None, 50.0), (0.5, 50.5), (-1.9, 48.1), (2.1, 50.0), (-999.0, 50.0)]
)
def test_a_frame_has_the_cameras_time_if_that_can_be_believed(skew_s, time_s):
    clock = CameraClock()
    clock.note(packet(7, None if skew_s is None else 50.0 + skew_s), arrived_s=50.0)
    assert clock.time_s(SimpleNamespace(pts=7)) == pytest.approx(time_s)
    assert clock.skew_s == (None if skew_s is None else pytest.approx(skew_s))


def test_frames_that_come_out_late_or_without_a_stamp_have_a_time_too():
    clock = CameraClock()
    for number in range(3):
        clock.note(packet(number), arrived_s=float(number))
    assert [clock.time_s(SimpleNamespace(pts=pts)) for pts in (1, 0, None)] == [1.0, 0.0, 2.0]


@pytest.mark.parametrize(
    ("time_s", "after_s"), [(50.2, 50.2), (50.0, 50.001), (48.1, 50.001), (-3550.0, -3550.0)]
)
def test_times_increase_but_where_our_clock_was_set_back(time_s, after_s):
    assert time_after(50.0, time_s) == pytest.approx(after_s)


def test_one_packet_that_was_held_up_does_not_move_the_skew():
    clock = CameraClock()
    for number in range(20):
        arrived_s = number + (1.5 if number == 19 else 0.0)
        clock.note(packet(number, number + 0.25), arrived_s=arrived_s)
    assert clock.skew_s == pytest.approx(0.25)


def lateness_after(*packets):
    """Return a lateness that was told ``(stamp, came)``, and whether each packet is skipped."""
    lateness, skipped = Lateness(), []
    for stamp_s, came_s, *is_key in packets:
        lateness.note(stamp_s, came_s=came_s)
        skipped.append(lateness.skips(is_key=bool(is_key)))
    return lateness, skipped


def on_time(seconds, *, late_s=0.0, start=0.0):
    return [(start + n / 10, 1000.0 + start + n / 10 + late_s) for n in range(seconds * 10)]


def test_a_packet_is_as_late_as_it_comes_after_its_stamp():
    assert lateness_after(*on_time(5))[0].late_s == pytest.approx(0.0)
    assert lateness_after(*on_time(5), *on_time(1, start=5, late_s=0.7))[0].late_s == (
        pytest.approx(0.7)
    )
    # Pictures that a server had in store, and sends at once, make nobody late.
    stored = [(n / 10, 1002.0) for n in range(20)]
    assert lateness_after(*stored, *on_time(5, start=2))[0].late_s == pytest.approx(0.0)
    assert lateness_after((None, 1.0), (None, 99.0))[0].late_s == 0.0


@pytest.mark.parametrize("jump_s", [-3600.0, -2.0, 2.0, 3600.0])
def test_stamps_that_jump_make_nobody_late(jump_s):
    moved = [(stamp + jump_s, came) for stamp, came in on_time(2, start=5)]
    assert lateness_after(*on_time(5), *moved)[0].late_s == pytest.approx(0.0)


def test_what_is_late_for_long_is_the_usual():
    packets = [*on_time(5), *on_time(60, start=5, late_s=0.7)]
    assert lateness_after(*packets)[0].late_s == pytest.approx(0.0)


def test_a_hiccup_skips_nothing_and_a_reader_that_falls_behind_skips_to_a_key_frame():
    hiccup = [(5 + n / 10, 1008.0 + n / 1000) for n in range(30)]
    assert not any(lateness_after(*on_time(5), *hiccup, *on_time(5, start=8))[1])
    behind = on_time(4, start=5, late_s=1.5)
    caught_up = [(9 + n / 10, 1009.0 + n / 10, *[True] * (n == 5)) for n in range(20)]
    _, skipped = lateness_after(*on_time(5), *behind, *caught_up)
    assert skipped == [False] * 70 + [True] * 20 + [True] * 5 + [False] * 15


def test_a_key_frame_that_is_late_itself_does_not_end_the_skipping():
    packets = [(stamp, came, True) for stamp, came in on_time(4, start=5, late_s=1.5)]
    assert lateness_after(*on_time(5), *packets)[1][70:] == [True] * 20
