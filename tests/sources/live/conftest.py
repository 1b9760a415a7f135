"""A server with cameras on loopback, and the check that nothing of a test stays behind."""

import subprocess
import threading

import numpy as np
import pytest

from pipeline.sources.live import stop_live_cameras
from support.live_cameras import (
    Cameras,
    has_pictures_in_memory,
    reader_pids,
)
from support.rtsp_server import RtspServer
from support.video_files import numbered_image, write_video


@pytest.fixture(scope="session")
def clip(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    return write_video(folder / "small.mp4", frames=100, size=(160, 120), rate=25, gop=25)


@pytest.fixture(scope="session")
def larger_clip(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    return write_video(folder / "large.mp4", frames=100, size=(320, 240), rate=25, gop=25)


@pytest.fixture(scope="session")
def h265_clip(tmp_path_factory):
    return write_h265(tmp_path_factory.mktemp("clips") / "h265.mp4", frames=100, gop=25)


def write_h265(path, **options):
    quiet = {"x265-params": "bframes=0:log-level=none"}
    size = {"size": (160, 128), "rate": 25}  # x265 wants whole blocks
    return write_video(path, codec="libx265", codec_options=quiet, **(size | options))


@pytest.fixture(scope="session")
def busy_clips(tmp_path_factory):
    """Two seconds whose pictures take many packets each, by codec, and those pictures."""
    size = (320, 240)
    noise = np.random.default_rng(0).integers(-20, 20, (size[1], size[0], 1))
    pictures = [
        np.clip(numbered_image(n, size) + np.roll(noise, 5 * n, axis=1), 0, 255).astype(np.uint8)
        for n in range(50)
    ]
    folder = tmp_path_factory.mktemp("clips")
    return {
        "h264": write_video(folder / "h264.mp4", frames=pictures, rate=25, gop=10),
        "h265": write_h265(folder / "h265.mp4", frames=pictures, gop=10),
    }, pictures


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """Return the files of a self-signed certificate and its key."""
    folder = tmp_path_factory.mktemp("tls")
    files = folder / "certificate.pem", folder / "key.pem"
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 "
        f"-subj /CN=localhost -out {files[0]} -keyout {files[1]}"
    )
    try:
        subprocess.run(command.split(), check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    return files


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
    assert not reader_pids()
    assert not [each for each in threading.enumerate() if each.name.startswith("watch-")]
    assert not has_pictures_in_memory()
