"""A real file and a real HTTP server; addresses that are none."""

import json
import queue
import socket
import stat
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pydantic import SecretStr, ValidationError

from pipeline.live_settings import NotifySettings
from pipeline.notify.courier import NotDeliveredError, RefusedError
from pipeline.notify.lines_file import LinesFile
from pipeline.notify.outbox import Outbox
from pipeline.notify.webhook import Webhook
from support.notify_events import CANARY, WAIT_S, event, lines


def lines_file(path, *, max_bytes=1_000_000, files=3):
    return LinesFile(path, max_bytes=max_bytes, files=files)


def test_events_are_appended_for_the_owner_alone(path):
    first = lines_file(path)
    first.deliver([event(1), event(2)])
    first.close()
    second = lines_file(path)
    second.deliver([event(3)])
    second.close()
    assert lines(path) == [1, 2, 3]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "Ünal" in path.read_text()


@pytest.mark.parametrize("torn", ['{"event": 2, "ki', "x" * 9000])
def test_half_a_line_that_a_kill_left_is_cut(path, torn):
    path.parent.mkdir()
    path.write_text('{"event": 1}\n' + torn)
    file = lines_file(path)
    file.deliver([event(3)])
    file.close()
    assert lines(path) == [1, 3]


def test_a_file_of_nothing_but_half_a_line_begins_anew(path):
    path.parent.mkdir()
    path.write_text('{"eve')
    file = lines_file(path)
    file.deliver([event(1)])
    file.close()
    assert lines(path) == [1]


def test_a_file_that_has_grown_is_set_aside_and_the_oldest_go(path):
    file = lines_file(path, max_bytes=500, files=2)
    for n in range(7):
        file.deliver([event(n)])
    file.close()
    assert sorted(each.name for each in path.parent.iterdir()) == ["events.jsonl", "events.jsonl.1"]
    kept = lines(path.with_name("events.jsonl.1")) + lines(path)
    assert kept == list(range(7))[-len(kept) :]
    assert path.stat().st_size <= 500


def test_a_place_that_cannot_be_written_is_tried_again(path):
    path.mkdir(parents=True)
    file = lines_file(path)
    with pytest.raises(NotDeliveredError, match="could not be written"):
        file.deliver([event(1)])
    path.rmdir()
    file.deliver([event(1)])
    file.close()
    assert lines(path) == [1]


# A webhook


class Receiver:
    """An HTTP server that gives the answers it is told to, then 204."""

    def __init__(self, *answers):
        self.requests = queue.Queue()
        receiver, left = self, list(answers)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.requests.put((self.path, dict(self.headers), json.loads(body)))
                self.send_response(left.pop(0) if left else 204)
                self.send_header("Location", "http://127.0.0.1:1/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        self.port = self.server.server_port

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def webhook(port, *, token=None, user=""):
    address = SecretStr(f"http://{user}127.0.0.1:{port}/hook?key={CANARY}")
    return Webhook(address, token=token and SecretStr(token), timeout_s=WAIT_S)


def test_a_webhook_gets_events_and_the_token():
    with Receiver() as receiver:
        hook = webhook(receiver.port, token="t" * 16)
        hook.deliver([event(1), event(2)])
        hook.close()
        path, headers, body = receiver.requests.get(timeout=WAIT_S)
    assert body == {"events": [event(1).as_json(), event(2).as_json()]}
    assert path == f"/hook?key={CANARY}"
    assert headers["Authorization"] == "Bearer " + "t" * 16
    assert headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("status", [302, 401, 404, 429, 500, 503])
def test_answers_that_may_change_are_tried_again(status):
    with Receiver(status) as receiver:
        hook = webhook(receiver.port)
        with pytest.raises(NotDeliveredError, match=str(status)):
            hook.deliver([event(1)])
        hook.deliver([event(1)])
        hook.close()


@pytest.mark.parametrize("status", [400, 413, 422])
def test_answers_about_the_events_themselves_are_final(status):
    with Receiver(status) as receiver:
        hook = webhook(receiver.port)
        with pytest.raises(RefusedError, match=str(status)):
            hook.deliver([event(1)])
        hook.close()


def test_a_webhook_that_is_not_there_is_tried_again_and_its_password_is_not_told():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        hook = webhook(taken.getsockname()[1], user=f"me:{CANARY}@")
        with pytest.raises(NotDeliveredError, match="no answer") as caught:
            hook.deliver([event(1)])
        hook.close()
    assert CANARY not in str(caught.value)


def test_an_outbox_delivers_to_a_webhook_that_fails_first(path):
    with Receiver(500, 503) as receiver:
        settings = NotifySettings(
            file=path,
            webhook=f"http://127.0.0.1:{receiver.port}/",
            max_backoff_s=0.05,
        )
        outbox = Outbox(settings)
        outbox.send([event(1), event(2)])
        for _ in range(3):
            assert receiver.requests.get(timeout=WAIT_S)[2] == {
                "events": [event(1).as_json(), event(2).as_json()]
            }
        outbox.close(timeout_s=WAIT_S)
    assert lines(path) == [1, 2]
    figures = outbox.figures()
    assert figures["notify_webhook_failed_attempts_total"] == 2
    assert figures["notify_webhook_sent_total"] == figures["notify_file_sent_total"] == 2


def test_an_outbox_without_channels_takes_everything():
    outbox = Outbox(NotifySettings())
    outbox.send([event(1)])
    outbox.close(timeout_s=0)
    assert outbox.figures() == {}


# Settings


@pytest.mark.parametrize(
    "setting",
    [
        {"webhook": f"ftp://me:{CANARY}@host"},
        {"webhook": CANARY},
        {"mqtt": f"http://{CANARY}@host"},
        {"mqtt": f"mqtt://me:{CANARY}@host:99999"},
        {"mqtt_topic": "all/#"},
    ],
)
def test_addresses_that_are_none_are_refused_without_repeating_them(setting):
    with pytest.raises(ValidationError) as caught:
        NotifySettings(**setting)
    assert CANARY not in str(caught.value)
    assert CANARY not in repr([fault["input"] for fault in caught.value.errors()])
