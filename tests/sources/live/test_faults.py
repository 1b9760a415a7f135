"""What cameras, networks and readers do wrong, and what the user then sees."""

import itertools
import os
import re
import signal
import time

import numpy as np
import pytest

from pipeline.health import CameraState
from support.live_cameras import frames_of, reader_pids, wait_for_state, wait_until
from support.rtsp_server import RtspServer
from support.video_files import image_number

LIVE, STALLED, WAITING = CameraState.LIVE, CameraState.STALLED, CameraState.WAITING


def test_a_server_that_was_killed_and_started_again_is_connected_again(server, cameras):
    camera = cameras.one(server.address("door"))
    frames_of(camera, 5)
    assert camera.epoch == 0
    server.kill()
    health = wait_for_state(camera, WAITING)
    assert "closed the connection" in health.reason or "refused" in health.reason
    server.start()
    frames_of(camera, 5)
    assert camera.epoch == 1
    assert wait_for_state(camera, LIVE).reconnects == 1


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_a_frozen_camera_is_stalled_and_comes_back(server, cameras, transport):
    camera = cameras.one(server.address("door"), transport=transport)
    frames_of(camera, 5)
    server.tell("door", frozen=True)
    health = wait_for_state(camera, STALLED)
    assert "no good picture came for 1.5 s" in health.reason
    server.tell("door", frozen=False)
    wait_until(lambda: camera.newest() and camera.epoch > 0)
    health = wait_for_state(camera, LIVE)
    assert (health.stalls, health.reconnects) == (1, 1)


def test_a_stalled_connection_is_closed_and_not_only_forgotten(server, cameras):
    camera = cameras.one(server.address("door"), max_backoff_s=120, transport="udp")
    frames_of(camera, 5)
    (pid,) = reader_pids()
    server.tell("door", frozen=True)
    wait_for_state(camera, STALLED)
    wait_until(lambda: server.clients("door") == 0)
    assert reader_pids() == [pid]


@pytest.mark.parametrize("reset", [False, True])
def test_a_closed_connection_is_opened_again(server, cameras, reset):
    camera = cameras.one(server.address("door"))
    frames_of(camera, 5)
    server.cut("door", reset=reset)
    wait_until(lambda: camera.newest() and camera.epoch == 1)
    assert wait_for_state(camera, LIVE).stalls == 0


def test_a_camera_that_is_down_at_the_start_is_found_when_it_is_up(clip, cameras):
    server = RtspServer({"door": clip})
    camera = cameras.one(server.address("door"))
    health = wait_for_state(camera, WAITING)
    assert "connection refused" in health.reason
    assert "next attempt in" in health.reason
    assert camera.newest() is None
    with server:
        frames_of(camera, 3)
        assert wait_for_state(camera, LIVE).reconnects == 0


@pytest.mark.parametrize("password", ["wrong-1", "a@b:c"])
def test_a_wrong_password_is_not_tried_again_soon(server, cameras, password):
    camera = cameras.one(server.address("door", password=password))
    health = wait_for_state(camera, CameraState.REFUSED)
    assert "does not accept the user name or the password" in health.reason
    assert "next attempt in 60 s" in health.reason
    assert password not in repr(health)


def test_an_unknown_path_is_named_as_the_fault(server, cameras):
    camera = cameras.one(server.address("attic"))
    assert "no such stream (404)" in wait_for_state(camera, WAITING).reason


@pytest.mark.parametrize("media", ["audio", "none"])
def test_a_stream_without_video_says_so(server, cameras, media):
    server.tell("door", media=media)
    camera = cameras.one(server.address("door"))
    assert "sends no video" in wait_for_state(camera, CameraState.NO_VIDEO).reason
    server.tell("door", media="video")
    frames_of(camera, 3)


def test_a_camera_that_accepts_and_says_nothing_is_given_up_and_tried_again(server, cameras):
    server.tell("door", silent=True)
    camera = cameras.one(server.address("door"), connect_s=1.0)
    health = wait_for_state(camera, WAITING)
    assert "no picture came within 1 s" in health.reason or "in time" in health.reason
    server.tell("door", silent=False)
    frames_of(camera, 3)


def test_a_camera_that_answers_but_sends_no_picture_is_given_up(server, cameras):
    server.tell("door", frozen=True)
    camera = cameras.one(server.address("door"), connect_s=2.0, transport="udp")
    wait_for_state(camera, WAITING)
    assert camera.newest() is None


def test_a_change_of_resolution_begins_a_new_epoch_without_a_new_connection(
    server, cameras, larger_clip
):
    camera = cameras.one(server.address("door"))
    assert frames_of(camera, 5)[-1].image.shape == (120, 160, 3)
    server.tell("door", clip=larger_clip)
    frame = wait_until(lambda: (it := camera.newest()) and it.image.shape != (120, 160, 3) and it)
    assert frame.image.shape == (240, 320, 3)
    assert image_number(frame.image) >= 0
    assert camera.epoch == 1
    health = wait_for_state(camera, LIVE)
    assert (health.size, health.reconnects) == ((320, 240), 0)


@pytest.mark.parametrize("codec", ["h264", "h265"])
@pytest.mark.parametrize("fault", [{"drop": 0.01}, {"corrupt": 0.01}])
def test_damaged_pictures_are_counted_and_not_handed_out(cameras, busy_clips, fault, codec):
    paths, pictures = busy_clips
    with RtspServer({"door": paths[codec]}) as server:
        camera = cameras.one(server.address("door"), stall_s=20, hold_damaged_s=20)
        server.tell("door", **fault)
        frames = frames_of(camera, 30)
        while not camera.health().corrupt:
            frames += frames_of(camera, 1)
        frames += frames_of(camera, 10)
    errors = [distance_to_original(frame.image, pictures) for frame in frames]
    assert max(errors) < 6


def distance_to_original(image, pictures):
    """Mean difference to the picture whose number the image spells."""
    number = image_number(image)
    if not 0 <= number < len(pictures):
        return 255.0
    return float(np.abs(image.astype(int) - pictures[number].astype(int)).mean())


def test_a_cameras_own_clock_is_used_and_its_skew_told(server, cameras):
    server.tell("door", skew_s=-1.5)
    camera = cameras.one(server.address("door"))
    frames_of(camera, 30)
    health = wait_until(lambda: (it := camera.health()).skew_s is not None and it)
    assert -1.9 < health.skew_s < -1.4
    # Times never go back: those of before it told its clock are caught up with first.
    assert wait_until(lambda: frames_of(camera, 1)[0].time_s < time.time() - 1.3)


def test_a_clock_that_is_far_off_is_not_believed(server, cameras, caplog):
    server.tell("door", skew_s=1000.0)
    camera = cameras.one(server.address("door"))
    frame = frames_of(camera, 30)[-1]
    assert abs(frame.time_s - time.time()) < 60
    assert wait_until(lambda: camera.health().skew_s) == pytest.approx(1000, abs=5)
    assert re.search(r"camera c0: its clock is \+\d+", wait_until(lambda: caplog.text))


def test_a_clock_that_jumps_does_not_move_the_frames(server, cameras):
    camera = cameras.one(server.address("door"))
    frames_of(camera, 5)
    server.tell("door", skew_s=-3600.0)
    wait_until(lambda: camera.newest() and abs((camera.health().skew_s or 0) + 3600) < 5)
    times = [frame.time_s for frame in frames_of(camera, 5)]
    assert all(abs(each - time.time()) < 60 for each in times)
    assert camera.epoch == 0


def test_a_slow_consumer_gets_the_newest_and_the_rest_is_counted(server, cameras):
    camera = cameras.one(server.address("door"))
    wait_for_state(camera, LIVE)
    frames = []
    for _ in range(6):
        before_s = time.time()
        time.sleep(0.4)
        frames.append(wait_until(camera.newest))
        assert frames[-1].time_s > before_s
    assert [frame.index for frame in frames] == list(range(6))
    assert camera.health().dropped > 30


def test_the_trouble_of_some_cameras_is_not_that_of_others(server, cameras):
    server.tell("yard", silent=True)
    nowhere = RtspServer({}).address("nowhere")
    good, silent, down, unknown = cameras.open(
        server.address("door"), server.address("yard"), nowhere, server.address("attic")
    )
    frames = frames_of(good, 60)
    numbers = [image_number(frame.image) for frame in frames]
    steps = {(after - before) % 100 for before, after in itertools.pairwise(numbers)}
    assert max(steps) < 25
    assert good.epoch == 0
    assert [each.newest() for each in (silent, down, unknown)] == [None] * 3
    assert good.health().reconnects == 0


def test_a_reader_that_crashes_is_replaced(server, cameras):
    camera = cameras.one(server.address("door"))
    frames_of(camera, 3)
    (pid,) = reader_pids()
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: camera.newest() and camera.epoch == 1)
    assert reader_pids() != [pid]


def test_what_ends_a_service_leaves_readers_to_their_watcher(server, cameras):
    camera = cameras.one(server.address("door"))
    frames_of(camera, 3)
    (pid,) = reader_pids()
    os.kill(pid, signal.SIGTERM)
    frames_of(camera, 5)
    assert reader_pids() == [pid]
    assert camera.epoch == 0


def test_a_reader_that_hangs_is_killed_and_replaced(server, cameras):
    camera = cameras.one(server.address("door"))
    frames_of(camera, 3)
    (pid,) = reader_pids()
    os.kill(pid, signal.SIGSTOP)
    wait_for_state(camera, STALLED)
    wait_until(lambda: camera.newest() and camera.epoch == 1)
    assert pid not in reader_pids()


def test_a_reader_that_crashes_again_and_again_rests(server, cameras):
    camera = cameras.one(server.address("door"), max_backoff_s=0.01)
    for epoch in range(5):
        wait_until(lambda epoch=epoch: camera.newest() and camera.epoch == epoch)
        os.kill(reader_pids()[0], signal.SIGKILL)
    health = wait_for_state(camera, CameraState.FAILED)
    assert "crashed 5 times within a minute" in health.reason
    assert "next attempt in 300 s" in health.reason
    assert reader_pids() == []
