"""The same on a server that others wrote: GStreamer's."""

import subprocess
from pathlib import Path

import pytest

from pipeline.health import CameraState
from support.assets import REPOSITORY
from support.live_cameras import frames_of, wait_for_state, wait_until
from support.video_files import image_number

SYSTEM_PYTHON = "/usr/bin/python3"
NEEDED = "import gi; gi.require_version('GstRtspServer', '1.0')"
PACKAGES = "gir1.2-gst-rtsp-server-1.0 python3-gi gstreamer1.0-plugins-{base,good,bad}"


def is_missing():
    if not Path(SYSTEM_PYTHON).exists():
        return True
    command = [SYSTEM_PYTHON, "-c", NEEDED]
    return subprocess.run(command, capture_output=True, check=False).returncode != 0


pytestmark = pytest.mark.skipif(is_missing(), reason=f"needs the packages {PACKAGES}")


@pytest.fixture
def address(clip, larger_clip, h265_clip):
    """Return the address of one of four cameras, given user and password."""
    script = REPOSITORY / "tests" / "support" / "gstreamer_server.py"
    clips = [clip, larger_clip, h265_clip, clip]
    command = [SYSTEM_PYTHON, script, "reader", "canary-9", *clips]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        port = int(process.stdout.readline())
        yield lambda login, camera=0: f"rtsp://{login}@127.0.0.1:{port}/{camera}"
        process.kill()


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_frames_come_whole_in_order_and_by_the_servers_clock(address, cameras, transport):
    camera = cameras.one(address("reader:canary-9"), transport=transport)
    numbers = [image_number(frame.image) for frame in frames_of(camera, 50)]
    assert min(numbers) >= 0
    assert numbers == sorted(set(numbers))
    health = wait_for_state(camera, CameraState.LIVE)
    assert health.corrupt == 0
    assert wait_until(lambda: (it := camera.health().skew_s) is None or abs(it) < 2)


def test_four_cameras_are_read_side_by_side(address, cameras):
    opened = cameras.open(*[address("reader:canary-9", number) for number in range(4)])
    frames = [frames_of(camera, 20)[-1] for camera in opened]
    assert [frame.image.shape[:2] for frame in frames] == [
        (120, 160),
        (240, 320),
        (128, 160),
        (120, 160),
    ]
    assert all(image_number(frame.image) >= 0 for frame in frames)
    assert [wait_for_state(camera, CameraState.LIVE).corrupt for camera in opened] == [0] * 4


def test_a_stream_that_ends_is_connected_again(address, cameras):
    camera = cameras.one(address("reader:canary-9"))
    wait_until(lambda: camera.newest() and camera.epoch == 1)


def test_a_wrong_password_is_refused(address, cameras):
    camera = cameras.one(address("reader:wrong"))
    wait_for_state(camera, CameraState.REFUSED)
