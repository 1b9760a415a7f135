"""A real Redis server."""

import json
import shutil
import socket
import subprocess
import threading
from dataclasses import replace

import numpy as np
import pytest
import redis
from pydantic import SecretStr

from pipeline.notify.courier import NotDeliveredError, RefusedError
from pipeline.notify.redis_stream import RedisStream
from support.notify_events import CANARY, WAIT_S, event


class Server:
    """redis-server on a free port of loopback, started and stopped at will."""

    def __init__(self, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.folder, self.process = folder, None

    def start(self):
        command = ["redis-server", "--port", self.port, "--bind", "127.0.0.1", "--save", ""]
        command += ["--requirepass", CANARY, "--dir", self.folder]
        self.process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL)
        client = redis.Redis(port=self.port, password=CANARY)
        for _ in range(200):
            try:
                client.ping()
            except redis.exceptions.ConnectionError:
                threading.Event().wait(0.05)
            else:
                return client
        raise AssertionError("redis-server does not listen")

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(WAIT_S)
            self.process = None

    def channel(self, *, password=CANARY, **options):
        address = SecretStr(f"redis://:{password}@127.0.0.1:{self.port}/0")
        given = {"stream": "site", "max_entries": 1000, "embeddings": False, "timeout_s": WAIT_S}
        return RedisStream(address, **given | options)


@pytest.fixture
def server(tmp_path):
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed")
    server = Server(tmp_path)
    yield server
    server.stop()


def test_a_stream_gets_each_event_in_order(server):
    client = server.start()
    channel = server.channel()
    channel.deliver([event(1, "new"), event(2, "hand_over")])
    channel.close()
    entries = [fields for _, fields in client.xrange("site")]
    assert [each[b"kind"] for each in entries] == [b"new", b"hand_over"]
    assert json.loads(entries[0][b"event"]) == event(1, "new").as_json()
    assert set(entries[0]) == {b"kind", b"event"}


def test_embeddings_come_where_they_are_asked_for(server):
    client = server.start()
    vector = np.array([0.6, 0.8], "<f4")
    seen = replace(event(1), embedding=vector.tobytes())
    server.channel(embeddings=True).deliver([seen, event(2)])
    server.channel().deliver([seen])
    with_it, without, unasked = (fields for _, fields in client.xrange("site"))
    assert np.frombuffer(with_it[b"embedding"], "<f4").tolist() == vector.tolist()
    assert b"embedding" not in without
    assert b"embedding" not in unasked


def test_a_stream_does_not_grow_forever(server):
    client = server.start()
    channel = server.channel(max_entries=100)
    for first in range(0, 1000, 100):
        channel.deliver([event(n) for n in range(first, first + 100)])
    assert client.xlen("site") < 400


def test_a_server_that_goes_and_comes_back_gets_what_waited(server):
    channel = server.channel()
    with pytest.raises(NotDeliveredError, match="cannot be reached"):
        channel.deliver([event(1)])
    client = server.start()
    channel.deliver([event(1)])
    assert client.xlen("site") == 1


def test_a_wrong_password_and_a_key_of_another_kind_are_told_without_the_password(server):
    client = server.start()
    with pytest.raises(NotDeliveredError) as caught:
        server.channel(password="wrong-" + CANARY).deliver([event(1)])
    assert CANARY not in str(caught.value)
    client.set("site", "text")
    with pytest.raises(RefusedError, match="site is no stream"):
        server.channel().deliver([event(1)])
