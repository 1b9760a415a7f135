"""Room to write: when it stops, why, and when it goes on."""

import logging
from pathlib import Path

import pytest

from pipeline.sinks.live.disk import Gate, free_bytes
from support.recordings import Clock

MB = 1_000_000
FILE = Path("folder/file")


@pytest.fixture
def clock():
    return Clock(0.0)


@pytest.fixture
def gate(tmp_path, clock):
    return Gate("video", tmp_path, min_bytes=200 * MB, clock=clock)


def test_it_is_open_until_something_is_known(gate):
    assert gate.is_open()
    assert gate.reason == ""


def test_it_says_how_much_is_free_where_and_how_much_is_needed(gate, tmp_path):
    gate.look(12 * MB + 5)
    assert not gate.is_open()
    assert gate.reason == f"disk full: 12 MB free under {tmp_path}, needs 250"


def test_it_opens_again_only_with_room_to_spare(gate):
    opened = []
    for free in (200, 199, 200, 249, 250, 200, 199):
        gate.look(free * MB)
        opened.append(gate.is_open())
    assert opened == [True, False, False, False, True, True, False]


def test_after_a_fault_it_is_tried_again_after_a_while_and_paused_until_that_worked(gate, clock):
    gate.failed(FILE, OSError(5, "Input/output error"))
    assert not gate.is_open()
    assert gate.reason == f"{FILE} could not be written (Input/output error)"
    clock.now += 31
    assert gate.is_open()
    assert gate.reason
    gate.worked()
    assert gate.reason == ""
    assert gate.is_open()


def test_room_after_a_full_disk_ends_the_wait_after_a_fault(gate):
    gate.failed(FILE, OSError(28, "No space left on device"))
    gate.look(0)
    assert "disk full" in gate.reason
    gate.look(300 * MB)
    assert gate.is_open()
    assert gate.reason == ""


def test_a_change_is_logged_once(gate, caplog):
    caplog.set_level(logging.INFO)
    for free in (300, 100, 90, 80, 300, 300):
        gate.look(free * MB)
    for _ in range(3):
        gate.failed(FILE, OSError(5, "Input/output error"))
    gate.worked()
    gate.worked()
    assert [record.message.split(":")[0].split(" could")[0] for record in caplog.records] == [
        "video paused",
        "video goes on",
        "video paused",
        "video goes on",
    ]


def test_free_bytes_are_those_of_the_disk_a_folder_lies_on(tmp_path):
    assert free_bytes(tmp_path) > 0
    with pytest.raises(FileNotFoundError):
        free_bytes(tmp_path / "none")
