"""Damage of pictures, and the state of a camera that follows from what comes."""

import logging
from types import SimpleNamespace

import pytest

from pipeline.health import CameraState
from pipeline.sources.live.condition import Condition
from pipeline.sources.live.damage import DamageWatch
from pipeline.sources.live.messages import Connect, Progress


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
