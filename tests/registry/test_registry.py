"""What a registry keeps over restarts, kills, full disks and time."""

import shutil
import sqlite3
import stat
from dataclasses import replace

import numpy as np
import pytest

from pipeline.datatypes import UNASSIGNED, CropEvidence
from pipeline.errors import InputError
from pipeline.jobs.live_registry import LiveRegistry as Registry
from pipeline.layout.database import open_reader
from pipeline.layout.edit_log import EditLog, Editor
from pipeline.layout.recording import REGISTRY
from support.registry_feed import (
    START,
    Feed,
    event,
    frame_result,
    people,
    spans,
)


def test_everything_is_there_after_a_restart(feed, path):
    told, _ = feed.see((1, 1), (2, 2), events=[event("new", 1, "lobby", 1)])
    feed.registry.merge(1, 2)
    feed.registry.rename(1, "Anna")
    feed.registry.close()
    again = Feed(path, clock=feed.clock, earlier=told)
    assert again.records.person(2).name == "Anna"
    assert again.registry.next_matcher_number == 3
    assert again.registry.next_track == 1001
    # The matcher still knows its people.
    _, shown = again.see((1001, 2), at=60)
    assert shown == [1]
    _, shown = again.see((1002, 3), at=61)
    assert shown == [3]
    again.stored()
    assert people(again.records) == {1: 3, 3: 1}
    assert [(e.number, e.name) for e in again.records.events(limit=9)] == [(1, "Anna")]
    assert again.registry.rename(3, "Ben").number == 4
    again.registry.close()


def test_what_was_edited_while_no_run_was_there_is_shown(feed, path):
    feed.see((1, 1), (2, 2), (3, 2))
    feed.registry.merge(1, 2)
    feed.registry.close()
    log = EditLog(path)
    owned = {1: ["lobby/1"], 2: ["lobby/2", "lobby/3"]}
    editor = Editor(log, sightings_of=lambda n: owned.get(n, []), new_identity=lambda: 70)
    editor.undo()
    editor.split(2, ["lobby/3"])
    again = Feed(path, clock=feed.clock).stored()
    assert people(again.records) == {1: 1, 2: 1, 70: 1}
    assert again.see((9, 44), at=5)[1] == [71]
    assert again.registry.rename(70, "Ben").edit == log.edits.last_number + 1
    again.registry.close()


def test_embeddings_are_kept_as_unit_means_weighted_by_quality(feed, path):
    def stored():
        with open_reader(path / REGISTRY) as reader:
            rows = reader.execute("SELECT vector, weight FROM embeddings").fetchall()
        return [(np.frombuffer(row["vector"], np.float32), row["weight"]) for row in rows]

    def see(vector, quality, *, at, number=1):
        rows = np.array([0], np.int64)
        evidence = CropEvidence(rows, np.array([vector], np.float32), np.float32([quality]))
        feed.clock.now = START + at
        feed.registry.write(
            [replace(frame_result([(1, number)], "lobby", START + at), evidence=evidence)], []
        )

    see((1, 0), 0.5, at=0, number=UNASSIGNED)
    feed.stored()
    assert stored() == []
    see((1, 0), 0.5, at=3)
    ((vector, weight),) = feed.stored() and stored()
    assert (vector.tolist(), weight) == ([1, 0], 1)
    see((0, 1), 1.0, at=6)
    feed.stored()
    ((vector, weight),) = stored()
    np.testing.assert_allclose(vector, [0.5**0.5, 0.5**0.5], rtol=1e-6)
    assert weight == 2
    see((0, 1), 0.1, at=9)
    feed.registry.close()
    assert stored()[0][1] == pytest.approx(2.1)


def test_what_was_written_a_second_ago_outlives_a_kill(feed, path, tmp_path):
    feed.see((1, 1), at=0, events=[event("new", 1, "lobby", 1)])
    feed.see((1, 1), at=1.5)
    shutil.copytree(path, tmp_path / "copy")
    killed = Feed(tmp_path / "copy")
    assert spans(killed.records) == [(1, "lobby", 0, 1.5, 2)]
    killed.registry.close()


def test_only_the_owner_may_read_it(feed, path):
    feed.see((1, 1), at=3)
    feed.registry.rename(1, "Anna")
    for file in path.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_people_are_found_by_name_number_and_page(feed):
    for n in range(1, 6):
        feed.see((n, n), at=n)
    feed.registry.rename(2, "Ünal 100%")
    find = feed.records.people
    assert [p.identity for p in find(limit=9)] == [5, 4, 3, 2, 1]
    assert [p.identity for p in find(limit=2)] == [5, 4]
    assert [p.identity for p in find(limit=2, seen_before_s=START + 4)] == [3, 2]
    assert [p.identity for p in find(limit=9, search="üNAL")] == [2]
    assert [p.identity for p in find(limit=9, search="%")] == [2]
    assert [p.identity for p in find(limit=9, search="#3")] == [3]
    assert find(limit=9, search="nobody") == []


def test_sightings_are_found_by_time(feed):
    feed.see((1, 1), at=0)
    feed.see((1, 1), at=10)
    feed.see((2, 2), at=20)
    feed.stored()
    find = feed.records.sightings
    assert [s.identity for s in find(limit=9, since_s=START + 5, until_s=START + 15)] == [1]
    assert [s.identity for s in find(limit=9, since_s=START + 11)] == [2]
    assert find(limit=9, until_s=START - 1) == []


def test_what_is_too_old_is_forgotten(path):
    feed = Feed(path, keep_s=3600)
    feed.see((1, 1), at=0, events=[event("new", 1, "lobby", 1)])
    feed.registry.rename(1, "Anna")
    feed.see((2, 2), at=3000, events=[event("new", 2, "lobby", 2, at=3000)])
    feed.see((1, 2), camera="yard", at=3000)
    feed.stored()
    old = feed.records.person(1).portrait
    feed.see(at=4000)
    feed.stored()
    assert people(feed.records) == {2: 2}
    assert feed.records.thumbnail(old) is None
    assert [e.global_id for e in feed.records.events(limit=9)] == [2]
    assert feed.records.edits(limit=9) == []
    # Back after so long, the person is somebody new, under a new number.
    assert feed.see((9, 1), at=4100)[1] == [3]
    assert feed.registry.name(3) == ""
    feed.registry.close()


def test_merged_people_are_forgotten_together(path):
    feed = Feed(path, keep_s=3600)
    feed.see((1, 1), (2, 2), at=0)
    feed.registry.merge(1, 2)
    feed.see((5, 2), at=3000)
    feed.stored()
    feed.see(at=4000)
    feed.stored()
    assert people(feed.records) == {1: 1}
    assert feed.see((6, 2), at=4001)[1] == [1]
    feed.see(at=9000)
    feed.stored()
    assert people(feed.records) == {}
    assert feed.see((7, 2), at=9001)[1] == [3]
    feed.registry.close()


def test_merges_by_the_matcher_do_not_pile_up(path):
    feed = Feed(path, keep_s=600)
    for n in range(2, 40):
        feed.see((1, 1), (n, n), at=100 * n)
        feed.see((1, 1), (n, 1), at=100 * n + 1, events=[event("merge", 1, other=n, at=100 * n)])
    feed.stored()
    assert people(feed.records).keys() == {1}
    assert len(feed.records.edits(limit=1000)) < 12
    feed.registry.close()


def test_a_full_disk_stops_nothing_and_costs_nothing_once_there_is_room(feed, path):
    feed.see((1, 1), at=0)
    feed.stored()
    # Another program that holds the file stands for any reason why it cannot be written.
    feed.registry._database._writer.execute("PRAGMA busy_timeout = 1")
    blocker = sqlite3.connect(path / REGISTRY, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    told, shown = feed.see((1, 1), (2, 2), at=10, events=[event("new", 2, "lobby", 2, at=10)])
    assert (len(told), shown) == (1, [1, 2])
    assert "could not be written" in feed.registry.trouble
    with pytest.raises(Exception, match="could not be written"):
        feed.registry.rename(1, "Anna")
    assert feed.registry.name(1) == ""
    blocker.execute("ROLLBACK")
    blocker.close()
    feed.see((1, 1), at=12)
    assert feed.registry.trouble == ""
    assert people(feed.stored().records) == {1: 1, 2: 1}
    assert len(feed.records.events(limit=9)) == 1


def test_memory_does_not_grow_with_the_days(feed):
    for n in range(300):
        feed.see((n, n % 3), at=100 * n)
    assert feed.registry.figures()["registry_open_tracks"] <= 2
    assert feed.registry.figures()["registry_identities_total"] == 3
    assert feed.registry.figures()["identities"] == len(feed.registry.records.people(limit=1000))


def test_a_file_that_is_no_registry_is_refused(tmp_path):
    path = tmp_path / REGISTRY
    path.write_text("not a database, but long enough to be read as the header of one " * 20)
    with pytest.raises(InputError, match=REGISTRY):
        Registry(tmp_path, keep_s=None)


def test_a_registry_of_a_newer_version_is_refused(feed, path):
    feed.registry._database._writer.execute("PRAGMA user_version = 99")
    with pytest.raises(InputError, match="format 99"):
        Registry(path, keep_s=None)
