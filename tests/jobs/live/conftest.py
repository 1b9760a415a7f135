"""Four RTSP cameras that play the sample videos, and lists of them."""

import pytest
import yaml

from support.live_program import SAMPLES
from support.rtsp_server import RtspServer

PASSWORD = "canary-7@home"
"""To be found nowhere."""


@pytest.fixture
def server():
    clips = {path.stem: path for path in sorted(SAMPLES.glob("*.mp4"))}
    clips["yard"] = clips["lobby"]
    with RtspServer(clips, user="reader", password=PASSWORD) as server:
        yield server


@pytest.fixture
def camera_list(server, tmp_path):
    def write(*names, **others):
        sources = {name: server.address(name) for name in names} | others
        path = tmp_path / "cameras.yaml"
        cameras = [{"name": name, "source": source} for name, source in sources.items()]
        path.write_text(yaml.safe_dump({"cameras": cameras}))
        return path

    return write
