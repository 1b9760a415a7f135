"""Passwords of cameras: where they are known, and that they appear nowhere."""

import logging
from pathlib import Path

import pytest

from pipeline.errors import SettingsError
from pipeline.health import CameraState
from pipeline.settings import parse_settings
from pipeline.sources.stream_address import redact, secrets_of
from support.live_cameras import frames_of, reader_pids, wait_for_state


@pytest.mark.parametrize(
    ("address", "secret"),
    [
        ("rtsp://me:canary@host/1", "canary"),
        ("rtsp://me@home:canary@host:554/1", "canary"),
        ("rtsp://:canary@host/1", "canary"),
        ("rtsp://me:can:ary@x@host/1", "can:ary@x"),
        ("rtsp://me:can/ary?x@host/1", "can/ary?x"),
        ("rtsp://me:can%40ary@host/1", "can@ary"),
        ("rtsp://me:can ary@host/1", "can%20ary"),
        ("http://host/video?user=me&token=canary", "canary"),
        ("http://host/video?canary", "canary"),
    ],
)
def test_secrets_of_an_address_are_found(address, secret):
    secrets = secrets_of(address)
    assert secret in secrets
    hidden = redact(f"{address} failed, login {secret}.", secrets)
    assert secret not in hidden
    assert "***" in hidden


@pytest.mark.parametrize("source", ["clip.mp4", "/dev/video0", "rtsp://host/1", ""])
def test_what_has_no_secret_stays_as_it_is(source):
    assert secrets_of(source) == set()
    assert redact(f"{source} failed", secrets_of(source)) == f"{source} failed"


def test_short_values_do_not_garble_texts_and_short_passwords_are_still_hidden():
    address = "rtsp://a:1@host/1?channel=1&subtype=0"
    assert redact("401 Unauthorized", secrets_of(address)) == "401 Unauthorized"
    assert (
        redact(f"no {address}", secrets_of(address)) == "no rtsp://***@host/1?channel=1&subtype=0"
    )


@pytest.mark.parametrize(
    "tree",
    [
        {"cameras": [{"name": "a", "source": "rtsp://me:canary@host/1"}] * 2},
        {"cameras": "rtsp://me:canary@host/1"},
        {"cameras": [{"name": "rtsp://me:canary@host/1", "source": "x"}]},
        {"live": {"web": {"token": "canary"}}},
        {"live": {"web": "canary-in-the-wrong-line"}},
        {"live": {"notify": {"redis": "redis//me:canary@host"}}},
        {"live": {"notify": {"mqtt": ["mqtt://me:canary@host"]}}},
    ],
)
def test_messages_about_settings_do_not_repeat_passwords(tree):
    with pytest.raises(SettingsError) as caught:
        parse_settings({"cameras": [{"name": "a", "source": "a.mp4"}]} | tree)
    assert "canary" not in str(caught.value)


def test_a_token_of_digits_is_one_and_is_not_shown():
    web = {"token": 1234567890123456}
    tree = {"cameras": [{"name": "a", "source": "a.mp4"}], "live": {"web": web}}
    settings = parse_settings(tree)
    assert settings.live.web.token.get_secret_value() == "1234567890123456"
    assert "1234" not in f"{settings} {settings.model_dump_json()}"


def test_the_password_of_a_camera_appears_nowhere(server, cameras, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    secret = server.password
    wrong = "wrong-canary"
    good, refused, unknown, silent = cameras.open(
        server.address("door"),
        server.address("door", password=wrong),
        server.address("attic"),
        server.address("yard"),
        connect_s=2.0,
    )
    seen = []
    frames_of(good, 3)
    for pid in reader_pids():
        files = [Path(f"/proc/{pid}/{name}") for name in ("cmdline", "comm", "environ")]
        seen += [file.read_bytes().decode(errors="replace") for file in files]
    wait_for_state(refused, CameraState.REFUSED)
    wait_for_state(unknown, CameraState.WAITING)
    server.tell("yard", frozen=True)
    wait_for_state(silent, CameraState.STALLED, CameraState.WAITING)
    server.cut("door", reset=True)
    wait_for_state(good, CameraState.WAITING)
    server.kill()
    seen += [repr(camera.health()) + repr(vars(camera)) for camera in cameras.started]
    for camera in cameras.started:
        camera.stop(timeout_s=5.0)
    out, err = capfd.readouterr()
    seen += [out, err, caplog.text]
    assert len(reader_pids()) == 0
    assert any("door" in each for each in seen)
    for text in seen:
        assert secret not in text
        assert "canary" not in text
