"""Sources that are no RTSP cameras, and the ends of all of them."""

import itertools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.errors import SourceError
from pipeline.health import CameraState
from support.assets import REPOSITORY
from support.live_cameras import (
    frames_of,
    reader_pids,
    wait_for_state,
    wait_until,
)
from support.mjpeg_server import MjpegServer
from support.video_files import image_number, write_video


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_jpeg_pictures_over_http_are_read(cameras, scheme, certificate):
    tls = {"certificate": certificate} if scheme == "https" else {}
    with MjpegServer(("reader", "canary-5"), **tls) as server:
        assert server.address("").startswith(f"{scheme}://")
        camera = cameras.one(server.address("reader:canary-5"))
        numbers = [image_number(frame.image) for frame in frames_of(camera, 10)]
        assert min(numbers) >= 0
        assert numbers == sorted(set(numbers))
        health = wait_for_state(camera, CameraState.LIVE)
        assert health.skew_s is None
    assert "canary" not in wait_for_state(camera, CameraState.WAITING).reason


def test_a_wrong_password_over_http_is_refused(cameras):
    with MjpegServer(("reader", "canary-5")) as server:
        camera = cameras.one(server.address("reader:wrong"))
        wait_for_state(camera, CameraState.REFUSED)


def test_an_address_that_answers_with_a_play_list_is_not_followed(cameras, tmp_path):
    write_video(tmp_path / "secret.mp4")
    playlist = f"#EXTM3U\n#EXTINF:1,\nfile://{tmp_path}/secret.mp4\n"
    (tmp_path / "list.m3u8").write_text(playlist)
    command = [sys.executable, "-u", "-m", "http.server", "--bind", "127.0.0.1", "0"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=-3) as process:
        port = process.stdout.readline().split()[5].decode()
        camera = cameras.one(f"http://127.0.0.1:{port}/list.m3u8")
        wait_for_state(camera, CameraState.WAITING)
        assert camera.newest() is None
        process.kill()


@pytest.mark.parametrize("source", ["usb://97", "/dev/video97"])
def test_a_device_that_is_not_plugged_in_is_waited_for(cameras, source):
    health = wait_for_state(cameras.one(source), CameraState.WAITING)
    assert health.address == source
    if sys.platform == "linux":
        assert "is the camera plugged in?" in health.reason


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's video devices")
def test_a_device_that_is_no_camera_says_so(cameras):
    health = wait_for_state(cameras.one("usb:///dev/null"), CameraState.WAITING)
    assert "the device is no camera" in health.reason


def test_a_file_stands_in_for_a_camera_and_ends(clip, cameras):
    began_s = time.time()
    camera = cameras.open(clip, realtime=True)[0]
    frames = frames_of(camera, 20)
    numbers = [image_number(frame.image) for frame in frames]
    steps = [after - before for before, after in itertools.pairwise(numbers)]
    assert min(numbers) >= 0
    assert min(steps) > 0
    gap_s = frames[-1].time_s - frames[0].time_s
    assert gap_s == pytest.approx((numbers[-1] - numbers[0]) / 25, abs=0.001)
    assert frames[0].time_s >= began_s
    health = wait_for_state(camera, CameraState.STOPPED)
    assert health.reason == "the file has ended"


def test_a_file_can_be_played_again_and_again(cameras, tmp_path):
    path = write_video(tmp_path / "short.mp4", frames=10, rate=25)
    camera = cameras.open(path, realtime=True, loop_files=True)[0]
    wait_until(lambda: camera.newest() and camera.epoch == 3)


def test_a_file_that_was_recorded_turned_is_upright(cameras, tmp_path):
    path = write_video(tmp_path / "turned.mp4", frames=25, rate=25, rotation=90)
    frame = frames_of(cameras.open(path, realtime=True)[0], 1)[0]
    assert frame.image.shape == (64, 48, 3)


@pytest.mark.parametrize(
    ("source", "realtime", "message"),
    [
        ("CLIP", False, "use --realtime"),
        ("missing.mp4", True, "does not exist"),
        ("gopher://me:canary@host/1", False, "host/1 is of the kind gopher"),
    ],
)
def test_sources_that_cannot_be_live_are_named(clip, cameras, source, realtime, message):
    with pytest.raises(SourceError, match=message) as caught:
        cameras.open(source.replace("CLIP", str(clip)), realtime=realtime)
    assert "canary" not in str(caught.value)


def test_no_cameras_are_no_cameras(cameras):
    assert cameras.open() == []


def test_cameras_that_hang_are_stopped_too(server, cameras):
    server.tell("yard", silent=True)
    hanging, silent = cameras.open(server.address("door"), server.address("yard"), stall_s=60)
    frames_of(hanging, 1)
    for pid in wait_until(lambda: len(it := reader_pids()) == 2 and it):
        os.kill(pid, signal.SIGSTOP)
    for camera in (hanging, silent):
        camera.stop(timeout_s=1.0)
        assert camera.health().state is CameraState.STOPPED
    assert reader_pids() == []


def test_a_camera_that_was_never_started_is_stopped(server, cameras):
    camera = cameras.one(server.address("door"))
    camera.stop(timeout_s=5.0)
    assert camera.newest() is None


WATCHER = """
import sys, time
sys.path[:0] = sys.argv[2:]
from support.live_cameras import Cameras, frames_of, reader_pids
camera = Cameras().one(sys.argv[1])
frames_of(camera, 2)
print(*reader_pids(), flush=True)
time.sleep(600)
"""


def test_a_run_that_is_killed_leaves_no_reader(server, cameras):
    paths = [str(REPOSITORY), str(REPOSITORY / "tests")]
    command = [sys.executable, "-c", WATCHER, server.address("door"), *paths]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        pids = [int(each) for each in process.stdout.readline().split()]
        assert len(pids) == 1
        assert all(is_running(pid) for pid in pids)
        process.kill()
    wait_until(lambda: not any(is_running(pid) for pid in pids))


def is_running(pid):
    """Return whether a process runs; a dead one may wait for its new parent to look."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
