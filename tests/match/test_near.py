"""Who is near the recent tracks: searched a part at a time, complete whenever it is asked for."""

import numpy as np
import pytest

from pipeline.match.evidence import TrackEvidence
from pipeline.match.near import NEAR_PERSONS, NearPersons
from pipeline.match.persons import Person, PersonBook
from pipeline.match.view import View
from pipeline.settings import MatchSettings
from support.worlds import DIM, looks

CAMERAS = {"a": 0}
LEAST = -1.0
VIEW = View.of([], CAMERAS, MatchSettings(centre_tracks=0), DIM, threshold=0.5)


class Counted(PersonBook):
    """Counts the tracks that are searched."""

    searched = 0

    def nearest(self, features, count, *, least):
        self.searched += len(features)
        return super().nearest(features, count, least=least)


def world(tracks, persons=12):
    """A gallery, and tracks that look like its persons one after the other."""
    people = looks(persons)
    book, evidence = Counted(DIM), {}
    for number, look in enumerate(people, start=1):
        book.add(number, Person(look, 1, 60))
    for track in range(1, tracks + 1):
        key = "a", track
        evidence[key] = TrackEvidence("a", track, 0.0, 1.0, np.zeros(DIM, np.float32))
        evidence[key].add(people[track % persons], 1.0)
        book.join(key, book.open(), 1.0)
    return book, evidence


def searched_at_once(book, evidence):
    book.refresh(evidence, VIEW)
    features = VIEW.features([evidence[key] for key in book.recent()])
    return set().union(*PersonBook.nearest(book, features, NEAR_PERSONS, least=LEAST))


@pytest.mark.parametrize("tracks", [0, 1, 9])
@pytest.mark.parametrize("ticks", [0, 1, 3, 20])
def test_a_union_is_that_of_one_search_for_all_tracks(tracks, ticks):
    book, evidence = world(tracks)
    near = NearPersons(book, evidence)
    for _ in range(ticks):
        near.renew(0.1, VIEW, least=LEAST)
    assert near.union(VIEW, least=LEAST) == (searched_at_once(book, evidence) if tracks else set())


def test_the_work_is_spread_over_the_ticks():
    book, evidence = world(20)
    near = NearPersons(book, evidence)
    spent = []
    for _ in range(10):
        before = book.searched
        near.renew(0.1, VIEW, least=LEAST)
        spent.append(book.searched - before)
    assert spent == [2] * 10
    before = book.searched
    near.union(VIEW, least=LEAST)
    assert book.searched == before  # nothing is left to search
    near.renew(0.1, VIEW, least=LEAST)
    assert book.searched == before + 2  # those of the longest ago, over and over


def test_persons_that_are_gone_are_near_nobody():
    book, evidence = world(3)
    near = NearPersons(book, evidence)
    gone = min(near.union(VIEW, least=LEAST) - {13, 14, 15})
    book.drop(most=len(book) - 1, unseen_since_s=float("-inf"))
    while gone in book.persons():
        book.drop(most=len(book) - 1, unseen_since_s=float("-inf"))
    assert near.union(VIEW, least=LEAST) <= book.persons().keys()
