"""`forget`, `prune` and edits, killed before each change that they make on the disk."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import sys
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from pipeline.errors import InputError
from pipeline.jobs.edit import editing
from pipeline.jobs.forget import forget
from pipeline.jobs.prune import prune
from pipeline.layout.files import partial_of
from pipeline.results import open_results
from pipeline.results.erasure import find_person
from pipeline.results.traces import refuse_traces
from support.made_up_archive import write_made_up
from support.made_up_run import write_made_up_run
from support.small_recordings import write_recording

CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.truncate"}
WRITES = os.O_WRONLY | os.O_RDWR
FORK = multiprocessing.get_context("fork")
MANY = 200
"""More changes than any of these jobs makes."""


def kill_at(number):
    """Have this process killed before its change of that number, as the power would end it."""
    left = [number]

    def look(event, arguments):
        opens = event == "open" and bool((arguments[2] or 0) & WRITES)
        is_change = opens or event in CHANGES
        left[0] -= is_change
        if is_change and not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(look)


def ended_at(number, job):
    """Do a job in a process of its own that is killed at a change; return whether it was."""

    def child():
        kill_at(number)
        job()

    process = FORK.Process(target=child)
    process.start()
    process.join(120)
    assert process.exitcode in {0, -signal.SIGKILL}
    return process.exitcode != 0


def of_run(folder):
    return write_made_up_run(folder, [(1, "door", 0, 5), (2, "yard", 3, 9)], crops=1)


def of_archive(folder):
    return write_made_up(folder, tracklets=12, people=3)


KINDS = {"run": of_run, "archive": of_archive, "recording": write_recording}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder of each kind, which tests copy."""
    folder = tmp_path_factory.mktemp("made")
    for kind, make in KINDS.items():
        make(folder / kind)
    return folder


def readable(folder):
    """All of it can be read, or is refused."""
    with suppress(InputError):
        results = open_results(folder)
        results.sightings()
        results.embeddings()
    return [path for path in folder.rglob("*") if partial_of(path) is not None]


@pytest.mark.parametrize("kind", KINDS)
def test_forget_killed_at_any_change_is_finished_by_the_same_call(kind, made, tmp_path):
    theirs = find_person(open_results(made / kind), 1).sightings
    for number in range(1, MANY):
        folder = shutil.copytree(made / kind, tmp_path / str(number))
        if not ended_at(number, lambda folder=folder: forget(folder, 1)):
            break
        readable(folder)
        with suppress(InputError):  # nobody of that number any more
            forget(folder, 1)
        refuse_traces(open_results(folder), theirs, 1)
        assert 1 not in set(open_results(folder).sightings()["global_id"])
        assert readable(folder) == []
    assert 5 < number < MANY - 1


@pytest.mark.parametrize("kind", KINDS)
def test_an_edit_killed_at_any_change_counts_or_does_not(kind, made, tmp_path):
    def rename(folder):
        with editing(folder) as edit:
            edit.rename(1, "Anna")

    for number in range(1, MANY):
        folder = shutil.copytree(made / kind, tmp_path / str(number))
        if not ended_at(number, lambda folder=folder: rename(folder)):
            break
        assert open_results(folder).edits().name(1) in {"", "Anna"}
        rename(folder)
        assert open_results(folder).edits().name(1) == "Anna"
    assert 1 < number < MANY - 1


@pytest.mark.parametrize("kind", ["archive", "recording"])
def test_prune_killed_at_any_change_is_finished_by_the_same_call(kind, made, tmp_path):
    for number in range(1, MANY):
        folder = shutil.copytree(made / kind, tmp_path / str(number))
        if not ended_at(number, lambda folder=folder: prune(folder, keep_days=1)):
            break
        readable(folder)
        prune(folder, keep_days=1)
        assert readable(folder) == []
        kept = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        assert (open_results(folder).sightings()["last_time"] >= kept).all()
    assert 1 < number < MANY - 1
