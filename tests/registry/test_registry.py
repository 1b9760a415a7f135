"""The registry, fed as a live run feeds it."""

import shutil
import sqlite3
import stat
import tempfile
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.datatypes import UNDECIDED, CropEvidence, Event, FrameResult
from pipeline.errors import EditError, InputError
from pipeline.layout.database import open_reader
from pipeline.layout.edit_log import EditLog, Editor
from pipeline.layout.recording import REGISTRY
from pipeline.registry.registry import Registry
from support import builders

BOX = (4.0, 4.0, 20.0, 44.0)
START = 1_800_000_000.0


class Clock:
    def __init__(self):
        self.now = START

    def __call__(self):
        return self.now


class Feed:
    """A registry, and a core before it that sees who it is told to see."""

    def __init__(self, path, *, keep_s=None, clock=None, earlier=()):
        self.clock = clock or Clock()
        self.registry = Registry(path, keep_s=keep_s, earlier=earlier, clock=self.clock)
        self.records = self.registry.records

    def see(self, *people, camera="lobby", at=0.0, events=(), quality=0.8):
        """One frame with ``(track, matcher's number)`` each; returns (told, shown ids)."""
        self.clock.now = START + at
        result = frame_result(people, camera, START + at, quality)
        told = self.registry.write([result], events)
        return told, self.registry.show([result])[0].global_id.tolist()

    def stored(self):
        """Have everything stored that waits for its second to pass."""
        self.clock.now += 2
        self.registry.write([], [])
        return self


def frame_result(people, camera, time_s, quality=0.8):
    boxes = [BOX] * len(people)
    tracks = builders.tracks(*boxes, ids=[track for track, _ in people])
    frame = builders.frame(camera, time_s=time_s, shade=90)
    ids = np.array([number for _, number in people], np.int64)
    return FrameResult(frame, tracks, ids, np.full(len(people), quality, np.float32))


def event(kind, number, camera="", track=UNDECIDED, *, other=UNDECIDED, at=0.0):
    return Event(START + at, kind, number, camera, track, other)


@pytest.fixture
def path():
    """A place in memory where there is one: each new database waits for a disk four times."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


@pytest.fixture
def feed(path):
    feed = Feed(path)
    yield feed
    feed.registry.close()


def spans(records, identity=None):
    return [
        (s.identity, s.camera, s.first_s - START, s.last_s - START, s.frames)
        for s in records.sightings(identity=identity, limit=100)
    ]


def people(records):
    return {p.identity: p.sightings for p in records.people(limit=100)}


def sighting_ids(records, identity):
    return [s.sighting for s in records.sightings(identity=identity, limit=100)]


def test_an_empty_registry_has_nothing(feed):
    assert feed.registry.write([], []) == []
    assert feed.registry.show([]) == []
    assert feed.records.people(limit=10) == []
    assert feed.records.sightings(limit=10) == []
    assert feed.records.events(limit=10) == []
    assert feed.records.person(1) is None
    assert feed.records.thumbnail(1) is None
    assert feed.registry.next_matcher_number == 1


def test_a_frame_with_nobody_in_it_stores_nothing(feed):
    told, shown = feed.see()
    assert (told, shown) == ([], [])
    assert people(feed.stored().records) == {}


def test_tracks_become_sightings_of_identities(feed):
    feed.see((1, 10), (2, 11), at=0)
    feed.see((1, 10), at=1)
    feed.see((1, 10), camera="yard", at=3)
    feed.stored()
    assert spans(feed.records) == [
        (1, "yard", 3, 3, 1),
        (1, "lobby", 0, 1, 2),
        (2, "lobby", 0, 0, 1),
    ]
    anna = feed.records.person(1)
    assert (anna.first_s - START, anna.last_s - START, anna.sightings) == (0, 3, 2)
    assert (anna.cameras, anna.last_camera) == (("lobby", "yard"), "yard")


def test_undecided_tracks_count_once_they_are_decided(feed):
    _, shown = feed.see((1, UNDECIDED), at=0)
    assert shown == [UNDECIDED]
    assert people(feed.stored().records) == {}
    _, shown = feed.see((1, 7), at=3)
    assert shown == [1]
    feed.stored()
    assert spans(feed.records) == [(1, "lobby", 0, 3, 2)]


def test_thumbnails_are_small_jpegs_of_the_best_crop(feed):
    feed.see((1, 1), at=0, quality=0.2)
    feed.see((1, 1), at=1, quality=0.9)
    feed.see((2, 2), at=1, quality=0.0)
    feed.stored()
    portrait = feed.records.person(1).portrait
    image = cv2.imdecode(
        np.frombuffer(feed.records.thumbnail(portrait), np.uint8), cv2.IMREAD_COLOR
    )
    assert image.shape == (40, 16, 3)
    assert abs(float(image.mean()) - 90) < 3
    assert feed.records.thumbnail(feed.records.person(2).portrait) is None


def test_events_are_told_with_the_registrys_numbers_and_stored(feed):
    told, _ = feed.see((3, 40), events=[event("new", 40, "lobby", 3)])
    assert told == [Event(START, "new", 1, "lobby", 3, number=1)]
    assert feed.records.events(limit=10) == told
    assert feed.records.events(limit=10, after=1) == []


def test_the_newest_events_come_in_order(feed):
    for n in range(5):
        feed.see((n, n), at=n, events=[event("new", n, "lobby", n, at=n)])
    assert [e.number for e in feed.records.events(limit=2, newest=True)] == [4, 5]
    assert [e.number for e in feed.records.events(limit=2)] == [1, 2]


def test_a_hand_over_says_from_where(feed):
    feed.see((1, 1), camera="gate", at=0)
    feed.see((5, 1), camera="lobby", at=9, events=[])
    told, _ = feed.see((5, 1), at=10, events=[event("hand_over", 1, "lobby", 5)])
    assert told[0].from_camera == "gate"
    feed.see((6, 1), camera="yard", at=100)
    feed.stored()
    told, _ = feed.see(
        (7, 1), camera="hall", at=200, events=[event("hand_over", 1, "hall", 7, at=200)]
    )
    assert told[0].from_camera == "yard"


def test_a_merge_by_the_matcher_joins_what_was_stored_and_is_told_once(feed):
    feed.see((1, 1), (2, 2))
    told, shown = feed.see((1, 1), (2, 1), at=1, events=[event("merge", 1, other=2)])
    assert [(e.kind, e.global_id, e.other_id) for e in told] == [("merge", 1, 2)]
    assert shown == [1, 1]
    assert people(feed.stored().records) == {1: 2}
    assert feed.records.person(2).identity == 1
    assert feed.records.person(2).merged == (2,)


def test_a_track_that_the_matcher_moves_after_it_ended_goes_along(feed):
    feed.see((1, 1), (2, 2))
    feed.see((9, 9), at=500)
    feed.see((9, 9), at=501, events=[event("split", 3, "lobby", 2, other=2, at=501)])
    assert people(feed.stored().records) == {1: 1, 3: 1, 4: 1}
    told, _ = feed.see((9, 9), at=502, events=[event("split", 3, "lobby", 2, at=502)])
    assert told[0].other_id == UNDECIDED
    assert people(feed.stored().records) == {1: 1, 3: 1}


def test_a_track_that_is_decided_after_it_ended_is_stored(feed):
    feed.see((1, UNDECIDED))
    feed.see(at=4, events=[event("new", 6, "lobby", 1, at=4)])
    feed.stored()
    assert spans(feed.records) == [(1, "lobby", 0, 0, 1)]


def test_a_name_is_shown_and_told(feed):
    feed.see((1, 1))
    told = feed.registry.rename(1, "  Anna \n Bell ")
    assert (told.kind, told.global_id, told.name) == ("rename", 1, "Anna Bell")
    assert (told.author, told.edit) == ("hand", 1)
    assert feed.records.person(1).name == "Anna Bell"
    assert feed.registry.name(1) == "Anna Bell"
    told, _ = feed.see((1, 1), at=1, events=[event("sighting", 1, "lobby", 1)])
    assert told[0].name == "Anna Bell"
    assert [e.kind for e in feed.records.events(limit=9)] == ["rename", "sighting"]


@pytest.mark.parametrize("name", ["x" * 81, "a\x00b", "safe\u202egpj.exe"])
def test_a_name_that_cannot_be_shown_is_refused(feed, name):
    feed.see((1, 1))
    with pytest.raises(EditError, match="a name"):
        feed.registry.rename(1, name)
    assert feed.records.edits(limit=9) == []


def test_names_in_scripts_with_joiners_are_kept(feed):
    feed.see((1, 1))
    name = "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627"
    assert feed.registry.rename(1, name).name == name


def test_a_merge_by_hand_changes_what_is_stored_and_what_comes(feed):
    feed.see((1, 1), (2, 2))
    told = feed.registry.merge(1, 2)
    assert (told.kind, told.global_id, told.other_id) == ("merge", 1, 2)
    assert people(feed.records) == {1: 2}
    _, shown = feed.see((1, 1), (2, 2), at=1)
    assert shown == [1, 1]
    told, shown = feed.see(
        (7, 2), camera="yard", at=2, events=[event("sighting", 2, "yard", 7, at=2)]
    )
    assert shown == [1]
    assert told[0].global_id == 1
    assert people(feed.stored().records) == {1: 3}


def test_undoing_a_merge_gives_back_what_came_since(feed):
    feed.see((1, 1), (2, 2))
    edit = feed.registry.merge(1, 2).edit
    feed.see((7, 2), camera="yard", at=2)
    told = feed.registry.undo(edit)
    assert (told.kind, told.edit, told.global_id, told.other_id) == ("undo", edit, 1, 2)
    assert people(feed.records) == {1: 1, 2: 2}
    assert feed.see((7, 2), camera="yard", at=3)[1] == [2]


def test_a_merge_by_the_matcher_can_be_undone(feed):
    feed.see((1, 1), (2, 2))
    told, _ = feed.see(at=1, events=[event("merge", 1, other=2)])
    feed.registry.undo(told[0].edit)
    assert people(feed.stored().records) == {1: 1, 2: 1}


def test_a_merge_that_was_made_by_hand_before_is_not_told_again(feed):
    feed.see((1, 1), (2, 2))
    feed.registry.merge(2, 1)
    told, shown = feed.see((1, 1), (2, 1), at=1, events=[event("merge", 1, other=2)])
    assert told == []
    assert shown == [2, 2]


def test_a_split_by_hand_makes_somebody_new_and_holds_for_the_track(feed):
    feed.see((1, 1), at=0)
    feed.see((1, 1), camera="yard", at=1)
    feed.stored()
    (yard, lobby) = sighting_ids(feed.records, 1)
    told = feed.registry.split(1, [yard])
    assert (told.kind, told.global_id, told.other_id) == ("split", 2, 1)
    assert people(feed.records) == {1: 1, 2: 1}
    assert feed.see((1, 1), camera="yard", at=2)[1] == [2]
    assert feed.see((1, 1), camera="lobby", at=2)[1] == [1]
    assert feed.records.sightings(identity=2, limit=1)[0].by_hand
    feed.registry.undo(told.edit)
    assert people(feed.records) == {1: 2}
    assert feed.see((1, 1), camera="yard", at=3)[1] == [1]
    assert sighting_ids(feed.records, 1) == [yard, lobby]


def test_numbers_are_never_used_again(feed):
    feed.see((1, 1), (2, 1))
    feed.stored()
    split = feed.registry.split(1, sighting_ids(feed.records, 1)[:1])
    feed.registry.undo(split.edit)
    assert people(feed.records) == {1: 2}
    assert feed.see((3, 2), at=5)[1] == [3]


def test_edits_are_undone_in_any_order(feed):
    feed.see((1, 1), (2, 2), (3, 3))
    first = feed.registry.merge(1, 2).edit
    feed.registry.rename(1, "Anna")
    feed.registry.merge(3, 1)
    assert people(feed.records) == {3: 3}
    assert feed.records.person(2).name == "Anna"
    feed.registry.undo(first)
    assert people(feed.records) == {2: 1, 3: 2}
    assert feed.records.person(2).name == ""
    assert feed.records.person(1).name == "Anna"
    with pytest.raises(EditError, match="undone before"):
        feed.registry.undo(first)


def test_a_split_of_a_split_is_undone_to_the_first(feed):
    feed.see((1, 1), (2, 1), (3, 1))
    feed.stored()
    a, b, _ = sighting_ids(feed.records, 1)
    feed.registry.split(1, [a, b])
    second = feed.registry.split(2, [a]).edit
    assert people(feed.records) == {1: 1, 2: 1, 3: 1}
    feed.registry.undo(second)
    assert people(feed.records) == {1: 1, 2: 2}


def test_edits_that_make_no_sense_are_refused(feed):
    feed.see((1, 1), (2, 2))
    feed.stored()
    one, two = sighting_ids(feed.records, 1), sighting_ids(feed.records, 2)
    for edit, message in [
        (lambda r: r.rename(9, "x"), "no identity 9"),
        (lambda r: r.merge(1, 1), "same already"),
        (lambda r: r.merge(1, 9), "no identity 9"),
        (lambda r: r.split(1, []), "at least one"),
        (lambda r: r.split(1, two), "not one of identity 1"),
        (lambda r: r.split(1, one), "leave it at least one"),
        (lambda r: r.undo(1), "no edit 1"),
    ]:
        with pytest.raises(EditError, match=message):
            edit(feed.registry)
    assert people(feed.records) == {1: 1, 2: 1}
    assert feed.records.edits(limit=9) == []


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

    see((1, 0), 0.5, at=0, number=UNDECIDED)
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
