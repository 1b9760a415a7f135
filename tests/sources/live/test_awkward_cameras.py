"""Cameras that are slow, send key frames rarely, or speak HTTP in their own way."""

from __future__ import annotations

import re
from fractions import Fraction

import av
import pytest

from pipeline.health import CameraState
from pipeline.sources.stream_address import encoded
from support.live_cameras import frames_of, wait_for_state, wait_until
from support.mjpeg_server import MjpegServer
from support.odd_http_cameras import OddHttpCameras
from support.rtsp_server import RtspServer
from support.video_files import image_number, write_video

PASSWORDS = ["p@ss#1/x", "a?b", "#", "half/", "50%", "a:b@c", "1234/5", "%23literal", "ä b"]


@pytest.mark.parametrize(
    ("written", "opened"),
    [
        ("rtsp://u:p@ss#1/x@10.0.0.1:554/cam", "rtsp://u:p%40ss%231%2Fx@10.0.0.1:554/cam"),
        ("rtsp://u:a?b@door:554/cam", "rtsp://u:a%3Fb@door:554/cam"),
        ("rtsp://u:p?q@door/cam", "rtsp://u:p%3Fq@door/cam"),
        ("rtsp://u:12#4@10.0.0.1/cam", "rtsp://u:12%234@10.0.0.1/cam"),
        ("rtsp://u:12/4@10.0.0.1/cam", "rtsp://u:12%2F4@10.0.0.1/cam"),
        ("rtsp://u:p@ss@door/cam", "rtsp://u:p%40ss@door/cam"),
        ("rtsp://me@mail.org:1234@10.0.0.1/cam", "rtsp://me%40mail.org:1234@10.0.0.1/cam"),
        ("rtsp://u:50%@10.0.0.1/cam", "rtsp://u:50%25@10.0.0.1/cam"),
        ("http://u:p:q@[::1]:80/cam?x=1", "http://u:p%3Aq@[::1]:80/cam?x=1"),
    ],
)
def test_logins_are_encoded_where_an_address_needs_it(written, opened):
    assert encoded(written) == opened
    assert encoded(opened) == opened


@pytest.mark.parametrize(
    "address",
    [
        "rtsp://10.0.0.1:554/cam@home.org",
        "rtsp://door/cam?mail=me@home.org",
        "rtsp://u:p@10.0.0.1/cam@2",
        "rtsp://u:p@door/cam@2",
        "rtsp://u:p%40s@10.0.0.1/cam",
        "rtsp://u:p@10.0.0.1:554/cam?to=me@home.org:80",
        "rtsp://10.0.0.1/cam",
        "sample_videos/a@b#c.mp4",
    ],
)
def test_addresses_that_can_be_read_stay_as_they_are(address):
    assert encoded(address) == address


@pytest.mark.parametrize("password", PASSWORDS)
def test_any_password_is_taken_as_it_is_written(clip, cameras, password):
    literal = password.replace("%23", "#")  # what is encoded already is read as that
    with RtspServer({"door": clip}, user="admin", password=literal) as server:
        camera = cameras.one(server.address("door", password=password))
        assert min(image_number(frame.image) for frame in frames_of(camera, 2)) >= 0


@pytest.mark.parametrize("password", PASSWORDS[:3])
def test_any_password_is_taken_over_http(cameras, password):
    with MjpegServer(("admin", password)) as server:
        assert len(frames_of(cameras.one(server.address(f"admin:{password}")), 2)) == 2


def test_a_camera_of_two_pictures_a_second_is_live_in_time(cameras, tmp_path):
    """FFmpeg's guess of the rate took eleven pictures, longer than ``connect_s``."""
    clip = write_video(tmp_path / "slow.mp4", frames=40, size=(160, 120), rate=1, gop=40)
    with RtspServer({"door": clip}) as server:
        camera = cameras.one(server.address("door"), stall_s=3.0)
        health = wait_for_state(camera, CameraState.LIVE)
        assert (health.stalls, health.reconnects) == (0, 0)


def test_a_camera_slower_than_the_limit_is_told_what_to_set(cameras, tmp_path):
    clip = write_video(tmp_path / "slow.mp4", frames=4, size=(160, 120), rate=0.1, gop=1)
    with RtspServer({"door": clip}) as server:
        camera = cameras.one(server.address("door"))
        health = wait_for_state(camera, CameraState.STALLED, CameraState.WAITING)
        wait_until(lambda: "if it sends one less often, raise live.source." in health.reason)


def test_a_camera_with_rare_key_frames_is_waited_for_and_told(cameras, tmp_path, caplog):
    clip = write_video(tmp_path / "rare.mp4", frames=150, size=(160, 120), rate=25, gop=150)
    with RtspServer({"door": clip}) as server:
        server.tell("door", skip=5)
        camera = cameras.one(server.address("door"), connect_s=1.0, stall_s=1.0)
        health = wait_for_state(camera, CameraState.LIVE)
        assert (health.stalls, health.reconnects) == (0, 0)
    assert "no key frame came yet" in caplog.text


@pytest.mark.parametrize("kind", ["no_first_boundary", "jpegs", "slow"])
def test_what_a_browser_shows_is_read(cameras, kind):
    with OddHttpCameras() as odd:
        camera = cameras.one(odd.address(kind), stall_s=3.0)
        numbers = [image_number(frame.image) for frame in frames_of(camera, 4)]
        assert min(numbers) >= 0
        assert numbers == sorted(set(numbers))


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("snapshot", "it sends one picture, not a stream"),
        ("page", r"a web page \(text/html\)"),
        ("text", r"no video \(text/plain\)"),
        ("empty", "sends nothing"),
        (503, "the camera is busy"),
        (500, r"an error \(500\)"),
        (404, "no such stream"),
        (403, "does not accept"),
    ],
)
def test_what_is_no_stream_is_named(cameras, kind, reason):
    with OddHttpCameras() as odd:
        camera = cameras.one(odd.address(kind))
        health = wait_for_state(camera, CameraState.WAITING, CameraState.REFUSED)
        assert re.search(reason, health.reason)


def test_no_proxy_is_asked_for_a_camera(cameras, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with OddHttpCameras() as odd:
        assert len(frames_of(cameras.one(odd.address("usual")), 2)) == 2


def test_the_first_picture_of_every_connection_is_handed_on(cameras):
    with OddHttpCameras() as odd:
        camera = cameras.one(odd.address("once"), stall_s=1.0)
        reasons = set()
        for _ in range(4):
            frames_of(camera, 1)
            reasons.add(wait_for_state(camera, CameraState.STALLED).reason.partition(":")[0])
        assert reasons == {"no good picture came for 1 s"}


def test_a_file_with_square_pixels_to_be_made_is_shown_as_offline(cameras, tmp_path):
    path = write_video(tmp_path / "wide.mp4", frames=25, rate=25, aspect=Fraction(2, 1))
    camera = cameras.open(path, realtime=True)[0]
    assert frames_of(camera, 1)[0].image.shape == (48, 128, 3)
    assert camera.health().size == (128, 48)


def test_a_wild_stamp_does_not_stop_a_file(cameras, tmp_path):
    clip = write_video(tmp_path / "clip.mp4", frames=40, rate=25)
    lying = tmp_path / "lying.mkv"
    with av.open(str(clip)) as source, av.open(str(lying), "w") as target:
        stream = source.streams.video[0]
        copied = target.add_stream_from_template(stream)
        for number, packet in enumerate(source.demux(stream)):
            if packet.size:
                packet.pts += round(8520 / packet.time_base) * (number == 15)
                packet.stream = copied
                target.mux(packet)
    camera = cameras.open(lying, realtime=True)[0]
    wait_for_state(camera, CameraState.STOPPED)
    assert camera.health().stalls == 0
