"""A server with cameras on loopback, and the check that nothing of a test stays behind."""

import multiprocessing
import threading

import pytest

from live_cameras import Cameras, shared_memory_left
from pipeline.sources.live import stop_live_cameras
from rtsp_server import RtspServer
from video_files import write_video


@pytest.fixture(scope="session")
def clip(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    return write_video(folder / "small.mp4", frames=100, size=(160, 120), rate=25, gop=25)


@pytest.fixture(scope="session")
def larger_clip(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    return write_video(folder / "large.mp4", frames=100, size=(320, 240), rate=25, gop=25)


@pytest.fixture
def server(clip):
    with RtspServer(
        {"door": clip, "yard": clip}, user="reader", password="canary-7@home"
    ) as server:
        yield server


@pytest.fixture
def cameras():
    opened = Cameras()
    yield opened
    stop_live_cameras(opened.started, timeout_s=10.0)
    for camera in opened.started:
        camera.stop(timeout_s=1.0)  # once more does no harm
    assert not [each for each in multiprocessing.active_children() if "camera-" in each.name]
    assert not [each for each in threading.enumerate() if each.name.startswith("watch-")]
    assert not shared_memory_left()
