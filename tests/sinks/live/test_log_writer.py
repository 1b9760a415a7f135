"""The thread that writes logs: nobody waits for it, and it loses nothing it could keep."""

import threading

import pytest

from pipeline.errors import SinkError
from pipeline.sinks.live.disk import Gate
from pipeline.sinks.live.log_writer import MAX_WAITING_BYTES, LogWriter
from support.recordings import PATIENCE_S, Clock, wait_until


class FakeLog:
    """Keeps lines in a list; fails, or takes for ever, while it is told to."""

    def __init__(self, folder):
        self.folder, self.path = folder, None
        self.lines, self.synced, self.closed = [], 0, False
        self.trouble: Exception | None = None
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.entered = threading.Event()

    def append(self, lines, now_s):
        self.entered.set()
        assert self.may_go_on.wait(PATIENCE_S)
        if self.trouble is not None:
            raise self.trouble
        self.lines += lines.decode().splitlines()

    def sync(self):
        self.synced += 1

    def close(self):
        self.closed = True


class World:
    def __init__(self, folder):
        self.clock = Clock(0.0)
        self.log = FakeLog(folder)
        self.gate = Gate("the track log", folder, min_bytes=100, clock=self.clock)
        self.rounds = 0
        self.upkeep_error: Exception | None = None
        self.writer = LogWriter({"tracks": self.log}, self.gate, self._upkeep)

    def add(self, *lines):
        for line in lines:
            self.writer.add("tracks", f"{line}\n".encode(), 1)

    def round(self):
        """Let the thread work through one round that begins after this call."""
        for _ in range(2):
            before = self.rounds
            self.writer.wake()
            wait_until(lambda before=before: self.rounds > before, "a round")

    def _upkeep(self):
        self.rounds += 1
        if self.upkeep_error is not None:
            raise self.upkeep_error


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    yield world
    world.log.may_go_on.set()
    world.writer.stop()
    assert world.writer.join(PATIENCE_S)


def test_lines_are_written_in_order_without_being_asked_and_synced(world):
    world.add(*range(50))
    wait_until(lambda: len(world.log.lines) == 50)
    world.add(50)
    wait_until(lambda: len(world.log.lines) == 51)
    assert world.log.lines == [str(number) for number in range(51)]
    wait_until(lambda: world.log.synced >= 2)


def test_the_end_writes_what_waits_and_closes_the_logs(world):
    world.add("last")
    world.writer.stop()
    assert world.writer.join(PATIENCE_S)
    assert world.log.lines == ["last"]
    assert world.log.closed


def test_a_disk_that_hangs_makes_nobody_wait_and_the_oldest_lines_go(world):
    world.log.may_go_on.clear()
    world.add("stuck")
    assert world.log.entered.wait(PATIENCE_S)
    block = "x" * (MAX_WAITING_BYTES // 4)
    world.add(*[f"{number}{block}" for number in range(6)])
    assert world.writer.figures()["unrecorded_lines_total"] == 3
    assert world.writer.figures()["recording_waiting_bytes"] <= MAX_WAITING_BYTES
    world.log.may_go_on.set()
    wait_until(lambda: len(world.log.lines) == 4)
    assert [line[:1] for line in world.log.lines] == ["s", "3", "4", "5"]


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), ValueError("odd")])
def test_lines_that_could_not_be_written_are_written_later_once_and_in_order(world, error):
    world.log.trouble = error
    world.add(1, 2)
    wait_until(lambda: world.gate.reason)
    world.add(3)
    world.log.trouble = None
    world.round()
    assert world.log.lines == []
    world.clock.now += 31
    world.round()
    assert world.log.lines == ["1", "2", "3"]
    assert world.gate.reason == ""


def test_lines_wait_while_there_is_no_room(world):
    world.gate.look(99)
    world.add(1, 2)
    world.round()
    assert world.log.lines == []
    world.gate.look(125)
    world.round()
    assert world.log.lines == ["1", "2"]


def test_upkeep_that_fails_does_not_stop_the_writing(world):
    world.upkeep_error = ValueError("odd")
    world.add(1)
    world.round()
    assert world.log.lines == ["1"]


def test_the_end_tries_once_more_and_counts_what_is_lost(world):
    world.gate.look(99)
    world.log.trouble = OSError(28, "No space left on device")
    world.add(1, 2)
    world.writer.stop()
    assert world.writer.join(PATIENCE_S)
    assert world.log.lines == []
    assert world.writer.figures()["unrecorded_lines_total"] == 2


def test_the_end_writes_what_waited_for_room_where_it_fits_after_all(world):
    world.gate.look(99)
    world.add(1, 2)
    world.writer.stop()
    assert world.writer.join(PATIENCE_S)
    assert world.log.lines == ["1", "2"]


def test_logs_are_at_rest_also_while_lines_come_in(world):
    wrote = world.log.close

    def close_as_a_line_comes():
        wrote()
        world.add(2)

    world.log.close = close_as_a_line_comes
    world.add(1)
    with world.writer.at_rest():
        assert world.log.lines == ["1"]
    wait_until(lambda: world.log.lines == ["1", "2"])


def test_logs_that_cannot_be_written_are_not_at_rest(world):
    world.log.trouble = OSError(28, "No space left on device")
    world.add(1)
    with pytest.raises(SinkError, match="make room"), world.writer.at_rest():
        pass
