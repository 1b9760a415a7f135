"""A camera that can be reached again is noticed; one that has other troubles keeps its pause."""

import socket
import threading

import pytest

from pipeline.sources.live.doorbell import Doorbell

LONG_S = 600.0


def listener(port=0):
    opened = socket.create_server(("127.0.0.1", port))
    return opened, opened.getsockname()[1]


def waiting(doorbell, stopping, pause_s=LONG_S):
    thread = threading.Thread(target=doorbell.wait, args=(stopping, pause_s), daemon=True)
    thread.start()
    return thread


def test_an_address_that_begins_to_answer_ends_the_pause():
    closed, port = listener()
    closed.close()
    stopping = threading.Event()
    thread = waiting(Doorbell(f"rtsp://user:p@ss@127.0.0.1:{port}/x?a=1"), stopping)
    thread.join(1.0)
    assert thread.is_alive()
    opened, _ = listener(port)
    with opened:
        thread.join(60.0)
    assert not thread.is_alive()


def test_an_address_that_answered_all_the_time_keeps_its_pause():
    opened, port = listener()
    stopping = threading.Event()
    with opened:
        thread = waiting(Doorbell(f"rtsp://127.0.0.1:{port}/x"), stopping)
        thread.join(5.0)
        assert thread.is_alive()
        stopping.set()
        thread.join(60.0)
    assert not thread.is_alive()


@pytest.mark.parametrize(
    "source", ["usb://0", "/dev/video0", "rtsp://camera.example/x", "rtsp://[/"]
)
def test_what_cannot_be_tried_just_pauses(source):
    Doorbell(source).wait(threading.Event(), 0.01)
    stopping = threading.Event()
    stopping.set()
    Doorbell(source).wait(stopping, LONG_S)
