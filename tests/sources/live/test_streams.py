"""Cameras that behave: what comes out of them, and how it is told."""

import time

import pytest

from pipeline.health import CameraState
from support.live_cameras import frames_of, wait_for_state
from support.rtsp_server import RtspServer
from support.video_files import image_number


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


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_h265_is_read_like_h264(h265_clip, cameras, transport):
    with RtspServer({"door": h265_clip}) as server:
        camera = cameras.one(server.address("door"), transport=transport)
        numbers = [image_number(frame.image) for frame in frames_of(camera, 30)]
        assert min(numbers) >= 0
        assert numbers == sorted(set(numbers))
        assert wait_for_state(camera, CameraState.LIVE).corrupt == 0


def test_a_camera_with_a_certificate_of_its_own_is_read_encrypted(clip, certificate, cameras):
    login = {"user": "reader", "password": "canary-7@home"}
    with RtspServer({"door": clip}, certificate=certificate, **login) as server:
        address = server.address("door")
        assert address.startswith("rtsps://")
        camera = cameras.one(address)
        assert min(image_number(frame.image) for frame in frames_of(camera, 10)) >= 0
        refused = cameras.one(server.address("door", password="canary-8"))
        wait_for_state(refused, CameraState.REFUSED)
