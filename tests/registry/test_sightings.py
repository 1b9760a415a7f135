"""Tracks become sightings, events get the registry's numbers."""

import cv2
import numpy as np

from pipeline.datatypes import UNASSIGNED, Event
from support.registry_feed import START, event, people, spans


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
    _, shown = feed.see((1, UNASSIGNED), at=0)
    assert shown == [UNASSIGNED]
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
    assert told[0].other_id == UNASSIGNED
    assert people(feed.stored().records) == {1: 1, 3: 1}


def test_a_track_that_is_decided_after_it_ended_is_stored(feed):
    feed.see((1, UNASSIGNED))
    feed.see(at=4, events=[event("new", 6, "lobby", 1, at=4)])
    feed.stored()
    assert spans(feed.records) == [(1, "lobby", 0, 0, 1)]
