"""Which units come when: one long file keeps all workers busy, and is followed once, at its end."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.archive.footage import Recording
from pipeline.archive.journal import Journal, Unit
from pipeline.archive.schedule import Schedule
from pipeline.layout.archive import ArchiveFolder
from support.builders import detections

LONG = Recording("cam/long.mp4", "cam", datetime(2026, 1, 5, tzinfo=UTC), 1, 1)
CUTS = [(0, 10, 0, 100), (10, 10, 100, 200), (20, 5, 200, None)]


@pytest.fixture
def journal(tmp_path):
    return Journal(ArchiveFolder(tmp_path))


def detect(journal, chunk, cuts=CUTS):
    """What a worker leaves that looked at a chunk."""
    first = cuts[chunk][0]
    journal.write_detections(LONG, (chunk, len(cuts)), [first], [detections((0, 0, 9, 9))])


def test_all_chunks_of_a_file_are_there_to_be_taken_at_once(journal):
    schedule = Schedule([LONG], journal)
    (survey,) = schedule.first()
    journal.write_cuts(LONG, CUTS)
    units = schedule.after(survey, {})
    assert units == [Unit("detect", LONG, chunk) for chunk in range(3)]
    for unit in (units[2], units[0]):
        detect(journal, unit.chunk)
        assert schedule.after(unit, {}) == []
    detect(journal, 1)
    assert schedule.after(units[1], {}) == [Unit("track", LONG)]
    assert sorted(journal.detections(LONG)) == [0, 10, 20]
    assert schedule.after(Unit("track", LONG), {"frames": 25, "tracklets": 1}) == []
    assert schedule.finished[LONG.file]["frames"] == 25


def test_frames_that_nobody_looked_at_are_told_from_those_without_anybody(journal):
    journal.write_cuts(LONG, CUTS[:1])
    found = [detections((0, 0, 9, 9)), None, detections(), None]
    journal.write_detections(LONG, (0, 1), [0, 1, 2, 3], found)
    read = journal.detections(LONG)
    assert {number: each is None for number, each in read.items()} == {0: False, 1: True, 3: True}


def test_after_an_interruption_only_the_chunks_that_lack_are_looked_at(journal):
    journal.write_cuts(LONG, CUTS)
    detect(journal, 1)
    schedule = Schedule([LONG], journal)
    (survey,) = schedule.first()
    units = schedule.after(survey, {})
    assert [unit.chunk for unit in units] == [0, 2]


def test_a_file_that_turns_out_to_be_uncuttable_is_looked_at_as_a_whole(journal):
    schedule = Schedule([LONG], journal)
    (survey,) = schedule.first()
    journal.write_cuts(LONG, CUTS)
    first, second, third = schedule.after(survey, {})
    detect(journal, 0)
    assert schedule.after(first, {}) == []
    whole = [(0, None, 0, None)]
    journal.write_cuts(LONG, whole)  # by the worker that had the second
    assert schedule.after(second, {}) == []
    assert schedule.after(third, {}) == [Unit("detect", LONG, 0)]
    detect(journal, 0, whole)
    assert schedule.after(Unit("detect", LONG, 0), {}) == [Unit("track", LONG)]


def test_a_file_that_was_given_up_gets_no_more_units(journal):
    schedule = Schedule([LONG], journal)
    (survey,) = schedule.first()
    journal.write_cuts(LONG, CUTS)
    first, second, _ = schedule.after(survey, {})
    assert schedule.after(first, {"failure": "it broke"}) == []
    assert schedule.after(second, {}) == []
    assert schedule.failed == {LONG.file: "it broke"}
    assert journal.cuts(LONG) is None
