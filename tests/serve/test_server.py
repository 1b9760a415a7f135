"""The server on a real port: streams, addresses, certificates, and an end that ends."""

import json
import socket
import subprocess
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import httpx
import numpy as np
import pytest
from fastapi import FastAPI
from pydantic import ValidationError

from pipeline.errors import SettingsError
from pipeline.jobs.live_registry import LiveRegistry as Registry
from pipeline.live_settings import WebSettings
from pipeline.serve.server import WebServer, open_web
from support.api_client import FakeEraser, FakeLookup, floor_of
from support.live_view import NOW, FakeView, event, walk

WAIT_S = 30
TOKEN = "correct-horse-battery"


@contextmanager
def serving(**settings):
    """Yield ``(server, view, registry)``; checks that nothing is left behind."""
    before = set(threading.enumerate())
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        registry = Registry(Path(folder), keep_s=None)
        view = FakeView("lobby")
        server = open_web(
            view,
            registry,
            FakeLookup(),
            FakeEraser(),
            WebSettings(**{"port": 0} | settings),
            floor=floor_of(SimpleNamespace(view=view, registry=registry)),
        )
        server.start()
        try:
            yield server, view, registry
        finally:
            server.stop(timeout_s=WAIT_S)
            registry.close()
    assert not [t for t in set(threading.enumerate()) - before if t.name == "web-server"]
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.url, verify=False)


def test_a_server_answers_and_ends_with_streams_open():
    with serving() as (server, view, _):
        assert httpx.get(server.url + "healthz", timeout=WAIT_S).status_code == 200
        view.show("lobby", np.zeros((40, 60, 3), np.uint8))
        with httpx.stream(
            "GET", server.url + "api/cameras/lobby/stream.mjpeg", timeout=WAIT_S
        ) as a:
            chunks = a.iter_bytes()
            assert b"image/jpeg" in next(chunks)
            with httpx.stream("GET", server.url + "api/events/stream", timeout=WAIT_S) as b:
                assert b"retry" in next(b.iter_bytes())
                server.stop(timeout_s=WAIT_S)


def test_moving_pictures_come_as_they_change():
    with serving() as (server, view, _):
        view.show("lobby", np.zeros((40, 60, 3), np.uint8))
        path = "api/cameras/lobby/stream.mjpeg"
        with httpx.stream("GET", server.url + path, timeout=WAIT_S) as answer:
            assert answer.headers["content-type"].startswith("multipart/x-mixed-replace")
            chunks = answer.iter_bytes()
            first = next(chunks)
            view.show("lobby", np.full((40, 60, 3), 200, np.uint8))
            second = b""
            while b"\xff\xd9" not in second:
                second += next(chunks)
        assert first.count(b"\xff\xd8") == second.count(b"\xff\xd8") == 1
        assert first != second
        assert view.encoded >= 2


def told(lines, count):
    found = []
    for line in lines:
        if line.startswith("data: "):
            found.append(json.loads(line[6:]))
            if len(found) == count:
                return found
    raise AssertionError(f"the stream ended after {found}")


def test_events_come_as_they_happen_and_none_is_missed_after_a_break():
    with serving() as (server, _, registry):
        path = server.url + "api/events/stream"
        registry.write(
            [walk(0, "lobby", 0, NOW, [(1, 1, 200, 480, 300)])], [event("new", 1, "lobby", 1)]
        )
        with httpx.stream("GET", path, timeout=WAIT_S) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            lines = answer.iter_lines()
            assert next(lines) == "retry: 2000"
            registry.rename(1, "Anna")
            (first,) = told(lines, 1)
        assert (first["event"], first["kind"], first["name"]) == (2, "rename", "Anna")
        registry.rename(1, "Ben")
        registry.rename(1, "Cleo")
        with httpx.stream("GET", path, timeout=WAIT_S, headers={"Last-Event-ID": "2"}) as answer:
            assert [e["name"] for e in told(answer.iter_lines(), 2)] == ["Ben", "Cleo"]
        with httpx.stream("GET", path + "?after=0", timeout=WAIT_S) as answer:
            assert [e["event"] for e in told(answer.iter_lines(), 4)] == [1, 2, 3, 4]


def test_a_port_that_is_taken_is_told():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = WebServer(FastAPI(), WebSettings(port=port))
        with pytest.raises(SettingsError, match=f"127.0.0.1:{port}.*choose another"):
            server.start()
        server.stop(timeout_s=WAIT_S)


def test_listening_to_others_needs_a_token():
    for host in ("0.0.0.0", "192.168.0.5", "::", "cameras.example"):
        with pytest.raises(ValidationError, match="needs a token"):
            WebSettings(host=host)
        assert WebSettings(host=host, token=TOKEN).token is not None
    for host in ("127.0.0.1", "127.0.0.2", "::1", "localhost"):
        assert WebSettings(host=host).token is None


def test_a_short_token_is_refused_without_repeating_it():
    with pytest.raises(ValidationError, match="at least 16") as caught:
        WebSettings(token="hunter2")
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr([fault["input"] for fault in caught.value.errors()])


def test_on_all_addresses_the_one_that_was_connected_to_is_answered():
    with serving(host="0.0.0.0", token=TOKEN, allowed_hosts=["cameras.example"]) as (server, *_):
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        url = server.url + "api/status"
        for host, status in [("127.0.0.1", 200), ("cameras.example", 200), ("evil.example", 421)]:
            answer = httpx.get(url, headers=bearer | {"Host": host}, timeout=WAIT_S)
            assert answer.status_code == status
        assert httpx.get(url, timeout=WAIT_S).status_code == 401


def test_https_is_served_with_a_certificate(tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = (
        f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 "
        f"-subj /CN=localhost -keyout {key} -out {certificate}"
    )
    try:
        subprocess.run(command.split(), check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    with serving(certificate=certificate, private_key=key) as (server, *_):
        assert server.url.startswith("https://")
        answer = httpx.get(server.url + "healthz", verify=False, timeout=WAIT_S)
        assert answer.status_code == 200


def test_a_certificate_that_is_none_is_told(tmp_path):
    file = tmp_path / "certificate.pem"
    file.write_text("no certificate")
    for path in (file, tmp_path / "missing.pem"):
        settings = WebSettings(port=0, certificate=path, private_key=path)
        with pytest.raises(SettingsError, match="certificate"):
            WebServer(FastAPI(), settings).start()
