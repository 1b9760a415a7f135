"""The parts that live cameras are made of, each on its own and without waiting."""

import logging
import random
from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.health import CameraState
from pipeline.sources.live.backoff import Backoff
from pipeline.sources.live.camera_clock import CameraClock
from pipeline.sources.live.condition import Condition
from pipeline.sources.live.damage import DamageWatch
from pipeline.sources.live.lateness import Lateness
from pipeline.sources.live.messages import Connect, Progress
from pipeline.sources.live.slot import FrameSlot


@pytest.fixture
def ends():
    """Both ends of one slot for pictures of 4 x 2 pixels: writer, reader."""
    reader = FrameSlot.create((4, 2))
    writer = FrameSlot.attach(reader.name, (4, 2))
    yield writer, reader
    writer.close()
    reader.unlink()
    reader.close()


def picture(value):
    return np.full((2, 4, 3), value, np.uint8)


def test_an_empty_slot_holds_nothing(ends):
    _, reader = ends
    assert reader.take() is None


def test_the_newest_picture_wins_and_is_taken_once(ends):
    writer, reader = ends
    for value in (1, 2, 3):
        writer.write(picture(value), time_s=10.0 + value)
    image, time_s = reader.take()
    assert (image == 3).all()
    assert time_s == 13.0
    assert reader.take() is None
    writer.write(picture(4), time_s=14.0)
    assert (reader.take()[0] == 4).all()
    assert (image == 3).all()


def test_a_writer_that_dies_while_writing_leaves_the_picture_before(ends):
    writer, reader = ends
    writer.write(picture(1), time_s=1.0)
    with pytest.raises(ValueError, match="broadcast"):
        writer.write(np.zeros((9, 9, 3), np.uint8), time_s=2.0)
    assert (reader.take()[0] == 1).all()


def test_a_picture_that_is_overwritten_while_it_is_copied_is_not_handed_out(ends):
    writer, reader = ends
    writer.write(picture(1), time_s=1.0)

    class Overtaking:
        """The reader's view of the pictures, in which two more come during the first copy."""

        def __init__(self, pictures):
            self.pictures, self.left = pictures, 1

        def __getitem__(self, buffer):
            torn = self.pictures[buffer].copy()
            while self.left:
                self.left -= 1
                writer.write(picture(2), time_s=2.0)
                writer.write(picture(3), time_s=3.0)
            return torn

    reader._pictures = Overtaking(reader._pictures)
    image, time_s = reader.take()
    assert (image == 3).all()
    assert time_s == 3.0


def test_pictures_are_wanted_by_a_reader_that_waits_and_shortly_before_one_comes(ends):
    writer, reader = ends
    now_s = 100.0
    for _ in range(3):  # takes one every second
        writer.write(picture(1), time_s=0.0)
        reader._taken = 0
        reader._note_taken(now_s)
        now_s += 1.0
    taken_s = now_s - 1.0
    assert not writer.is_wanted(taken_s + 0.1, interval_s=0.04)
    assert not writer.is_wanted(taken_s + 0.9, interval_s=0.04)
    assert writer.is_wanted(taken_s + 0.93, interval_s=0.04)
    assert writer.is_wanted(taken_s + 5.0, interval_s=0.04)


def test_a_reader_that_came_in_vain_wants_the_next_picture(ends):
    writer, reader = ends
    assert writer.is_wanted(0.0, interval_s=0.04)
    writer.write(picture(1), time_s=0.0)
    reader.take()
    taken_s = float(reader._moments[0])
    reader._moments[1] = 3600.0  # takes one an hour
    assert not writer.is_wanted(taken_s, interval_s=0.04)
    reader.take()
    assert writer.is_wanted(taken_s, interval_s=0.04)


@pytest.mark.parametrize(
    ("out_s", "whole_s"), [(0, 1.0), (9, 1.0), (20, 2.0), (50, 5.0), (299, 29.9), (1e7, 30.0)]
)
def test_pauses_are_a_tenth_of_the_outage_within_limits(out_s, whole_s):
    now = SimpleNamespace(s=1000.0)
    backoff = Backoff(longest_s=30.0, rng=random.Random(1), clock=lambda: now.s)
    backoff.next_s()
    now.s += out_s
    pauses = [backoff.next_s() for _ in range(500)]
    assert min(pauses) >= whole_s / 2
    assert max(pauses) <= whole_s
    assert len(set(pauses)) > 450
    assert backoff.next_s(least_s=60.0) == 60.0
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


def damage_watch(hold_s=1.0):
    now = SimpleNamespace(s=0.0)
    return DamageWatch(hold_s=hold_s, clock=lambda: now.s), now


def decoded(*, key=False, corrupt=False):
    return SimpleNamespace(key_frame=key, is_corrupt=corrupt)


LOSS = (24, "rtsp", "RTP: missed 2 packets")


def test_pictures_after_damage_are_held_back_until_a_key_frame():
    watch, _ = damage_watch()
    watch.note([], failed=False)
    assert watch.is_whole(decoded())
    logged = [LOSS]
    watch.note(logged, failed=False)
    assert logged == []
    assert not watch.is_whole(decoded())
    watch.note([], failed=False)
    assert not watch.is_whole(decoded())
    assert watch.is_whole(decoded(key=True))
    assert watch.is_whole(decoded())


def test_a_key_frame_that_is_damaged_itself_is_held_back():
    watch, _ = damage_watch()
    watch.note([(16, "h264", "error while decoding MB 5 1")], failed=False)
    assert not watch.is_whole(decoded(key=True))
    watch.note([], failed=False)
    assert not watch.is_whole(decoded())


def test_pictures_are_not_held_back_for_long_where_key_frames_are_rare():
    watch, now = damage_watch(hold_s=1.0)
    watch.note([], failed=True)
    now.s = 0.9
    watch.note([], failed=False)
    assert not watch.is_whole(decoded())
    now.s = 1.1
    assert watch.is_whole(decoded())


def test_lines_that_are_no_sign_of_damage_hold_nothing_back():
    watch, _ = damage_watch()
    watch.note([(16, "mjpeg", "unable to decode APP fields: Invalid data found")], failed=False)
    assert watch.is_whole(decoded(key=True))
    assert not watch.is_whole(decoded(key=True, corrupt=True))


class Judged:
    """A condition on a clock that the test moves, told of a camera of 10 frames a second."""

    def __init__(self):
        self.now = 1000.0
        now = {"clock": lambda: self.now, "wall": lambda: self.now}
        self.condition = Condition("door", "host/door", **now)
        self.good = self.corrupt = 0

    def connect(self):
        self.good = self.corrupt = 0
        self.condition.begin_connection()

    def pass_time(self, seconds, *, fps=10.0, corrupt=0.0, skew_s=None):
        for _ in range(round(seconds)):
            self.now += 1.0
            self.good += round(fps * (1 - corrupt))
            self.corrupt += round(fps * corrupt)
            self.condition.note(Progress(self.good, self.corrupt, self.now, 10.0, skew_s))
        return self.condition.health()


def test_three_pictures_make_a_camera_live():
    judged = Judged()
    judged.connect()
    assert judged.pass_time(1, fps=2).state is CameraState.CONNECTING
    assert judged.pass_time(1, fps=1).state is CameraState.LIVE


def test_the_time_it_took_to_connect_does_not_count_against_the_rate():
    judged = Judged()
    judged.connect()
    for _ in range(8):  # the page looks on meanwhile
        judged.now += 1.0
        assert judged.condition.health().received_fps == 0
    for _ in range(8):
        assert judged.pass_time(1).state is CameraState.LIVE


def test_a_camera_with_too_few_frames_is_degraded_until_enough_come():
    judged = Judged()
    assert judged.pass_time(12).received_fps == pytest.approx(10)
    health = judged.pass_time(12, fps=5)
    assert health.state is CameraState.DEGRADED
    assert health.reason == "only 5 of 10 frames a second come"
    assert judged.pass_time(20).state is CameraState.LIVE


def test_a_camera_with_too_many_corrupt_frames_is_degraded():
    judged = Judged()
    judged.pass_time(10)
    health = judged.pass_time(12, corrupt=0.2)
    assert health.state is CameraState.DEGRADED
    assert "20% of its frames are corrupt" in health.reason
    assert health.corrupt == 24
    assert judged.pass_time(20).state is CameraState.LIVE


def test_figures_add_up_over_connections():
    judged = Judged()
    judged.connect()
    judged.pass_time(2, corrupt=0.1)
    judged.connect()
    assert judged.condition.health().reconnects == 0
    health = judged.pass_time(2, corrupt=0.1)
    assert (health.reconnects, health.corrupt, health.dropped) == (1, 4, 35)
    for _ in range(36):
        judged.condition.note_taken()
    assert judged.condition.health().dropped == 0


def test_a_camera_that_stays_down_is_logged_once(caplog):
    caplog.set_level(logging.INFO)
    judged = Judged()
    for _ in range(3):
        judged.condition.become(CameraState.CONNECTING)
        judged.condition.become(CameraState.WAITING, "nothing answers", wait_s=3.0)
    assert judged.condition.health().reason == "nothing answers; next attempt in 3 s"
    judged.connect()
    judged.pass_time(30, fps=5)
    judged.pass_time(3, fps=4)
    states = [record.message.split()[3].rstrip(":") for record in caplog.records]
    assert states == ["waiting", "live", "degraded"]


def test_attempts_do_not_end_an_outage():
    judged = Judged()
    for state in (CameraState.WAITING, CameraState.CONNECTING) * 2:
        judged.now += 100.0
        judged.condition.become(state)
    assert judged.condition.health().since_s == 1100.0
    judged.condition.become(CameraState.REFUSED)
    assert judged.condition.health().since_s == 1400.0


def test_a_clock_that_is_off_is_logged_once(caplog):
    judged = Judged()
    judged.pass_time(5, skew_s=30.0)
    judged.pass_time(5, skew_s=0.0)
    judged.pass_time(5, skew_s=-30.0)
    assert [record.message.split()[5] for record in caplog.records] == ["+30.0", "-30.0"]


def test_an_order_does_not_show_its_address():
    order = Connect("rtsp://me:canary@host/1", "network", "tcp", 1.0, 1.0, 1.0, 100)
    assert "canary" not in repr(order)
