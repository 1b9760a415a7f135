"""Cameras that behave: what comes out of them, and how it is told."""

import time

import pytest

from live_cameras import frames_of, wait_for_state
from pipeline.health import CameraState
from video_files import image_number


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_frames_come_whole_and_in_order(server, cameras, transport):
    camera = cameras.one(server.address("door"), transport=transport)
    frames = frames_of(camera, 30)
    numbers = [image_number(frame.image) for frame in frames]
    assert min(numbers) >= 0
    assert numbers == sorted(numbers)
    assert [frame.index for frame in frames] == list(range(30))
    assert frames[0].image.shape == (120, 160, 3)
    assert all(abs(frame.time_s - time.time()) < 60 for frame in frames)
    times = [frame.time_s for frame in frames]
    assert times == sorted(set(times))
    health = wait_for_state(camera, CameraState.LIVE)
    assert health.address == f"127.0.0.1:{server.port}/door"
    assert health.size == (160, 120)
    assert (health.corrupt, health.reconnects, health.stalls) == (0, 0, 0)


def test_a_frame_is_handed_out_once(server, cameras):
    camera = cameras.one(server.address("door"))
    frames_of(camera, 3)
    server.tell("door", frozen=True)
    wait_for_state(camera, CameraState.STALLED)
    camera.newest()  # one may have come before it froze
    assert camera.newest() is None
