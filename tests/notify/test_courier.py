"""A channel's queue: retries, order, bounds and the end."""

import threading
from itertools import chain

import pytest

from pipeline.datatypes import Event
from pipeline.notify.courier import Courier, NotDeliveredError, RefusedError

WAIT_S = 20


class FakeChannel:
    """Answers what it is told to, then takes everything; ``gate`` can hold it up."""

    name = "fake"

    def __init__(self, *answers, batch=100):
        self.batch = batch
        self.calls = []
        self.closed = 0
        self.entered = threading.Semaphore(0)
        self.gate = threading.Event()
        self.gate.set()
        self._answers = list(answers)

    def deliver(self, events):
        self.entered.release()
        assert self.gate.wait(WAIT_S)
        self.calls.append([event.number for event in events])
        answer = self._answers.pop(0) if self._answers else None
        if answer is not None:
            raise answer

    def close(self):
        self.closed += 1


def courier(channel, *, most=100):
    return Courier(channel, max_waiting=most, max_backoff_s=0.02, min_backoff_s=0.01)


def events(*numbers):
    return [Event(0.0, "new", 1, number=n) for n in numbers]


def figures(courier, *names):
    counts = courier.figures()
    return [counts[name] for name in names]


def test_events_arrive_in_order_and_the_end_waits_for_them():
    channel = FakeChannel()
    sender = courier(channel)
    for n in range(50):
        sender.send(events(n))
    sender.close(timeout_s=WAIT_S)
    assert [*chain(*channel.calls)] == list(range(50))
    assert figures(sender, "sent_total", "dropped_total", "waiting") == [50, 0, 0]
    assert channel.closed == 1


def test_nothing_to_send_ends_at_once():
    channel = FakeChannel()
    sender = courier(channel)
    sender.send([])
    sender.close(timeout_s=WAIT_S)
    assert channel.calls == []


def test_what_fails_is_tried_again_before_anything_newer():
    channel = FakeChannel(NotDeliveredError("down"), NotDeliveredError("down"))
    sender = courier(channel)
    sender.send(events(1, 2))
    for _ in range(3):
        assert channel.entered.acquire(timeout=WAIT_S)
    sender.send(events(3))
    sender.close(timeout_s=WAIT_S)
    assert channel.calls[:2] == [[1, 2], [1, 2]]
    assert [*chain(*channel.calls[2:])] == [1, 2, 3]
    assert figures(sender, "failed_attempts_total", "failing") == [2, 0]


def test_what_is_refused_is_not_tried_again():
    channel = FakeChannel(RefusedError("no"), batch=1)
    sender = courier(channel)
    sender.send(events(1, 2))
    sender.close(timeout_s=WAIT_S)
    assert channel.calls == [[1], [2]]
    assert figures(sender, "refused_total", "sent_total") == [1, 1]


def test_a_full_queue_drops_the_oldest_and_counts():
    channel = FakeChannel(batch=1)
    channel.gate.clear()
    sender = courier(channel, most=3)
    sender.send(events(1))
    assert channel.entered.acquire(timeout=WAIT_S)
    sender.send(events(2, 3, 4, 5))
    assert figures(sender, "dropped_total", "waiting") == [2, 3]
    channel.gate.set()
    sender.close(timeout_s=WAIT_S)
    # The first was on its way when it was overtaken, so only the second was lost.
    assert channel.calls == [[1], [3], [4], [5]]
    assert figures(sender, "sent_total", "dropped_total") == [4, 1]


def test_the_end_tries_once_more_and_gives_up():
    channel = FakeChannel(*[NotDeliveredError("down")] * 1000)
    sender = Courier(channel, max_waiting=9, max_backoff_s=3600, min_backoff_s=3600)
    sender.send(events(1, 2))
    assert channel.entered.acquire(timeout=WAIT_S)
    sender.close(timeout_s=WAIT_S)
    assert len(channel.calls) <= 3
    assert channel.closed == 1
    assert figures(sender, "dropped_total", "waiting", "failing") == [2, 0, 1]


def test_a_channel_that_hangs_does_not_hold_up_the_end():
    channel = FakeChannel()
    channel.gate.clear()
    sender = courier(channel)
    sender.send(events(1))
    assert channel.entered.acquire(timeout=WAIT_S)
    sender.close(timeout_s=0.01)
    assert figures(sender, "dropped_total") == [1]
    channel.gate.set()


def test_a_failure_is_logged_once_until_it_is_over(caplog):
    caplog.set_level("INFO")
    channel = FakeChannel(*[NotDeliveredError("down")] * 3)
    sender = courier(channel)
    sender.send(events(1))
    for _ in range(4):
        assert channel.entered.acquire(timeout=WAIT_S)
    sender.close(timeout_s=WAIT_S)
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


@pytest.mark.parametrize("count", [0, 1, 250])
def test_batches_are_no_larger_than_the_channel_takes(count):
    channel = FakeChannel(batch=100)
    sender = courier(channel, most=1000)
    sender.send(events(*range(count)))
    sender.close(timeout_s=WAIT_S)
    assert [*chain(*channel.calls)] == list(range(count))
    assert all(1 <= len(call) <= 100 for call in channel.calls)
