"""The search done ahead finds what a search at the moment of the decision finds."""

import numpy as np
import pytest

from pipeline.datatypes import CropEvidence, Tracks
from pipeline.match import ahead
from pipeline.match.ahead import CANDIDATES, SearchAhead
from pipeline.match.persons import Person, PersonBook
from pipeline.match.spans import GALLERY_SPAN, Spans
from pipeline.match.track_book import TrackBook
from pipeline.match.view import View
from pipeline.settings import MatchSettings
from support.worlds import unit

DIM = 16
LEAST = 0.2
SETTINGS = MatchSettings(decide_crops=1, centre_tracks=0)
VIEW = View.of([], {"a": 0}, SETTINGS, DIM, threshold=0.5)


class Counted(SearchAhead):
    """Counts the rows that are searched when tracks are decided."""

    def __init__(self, book, tracks):
        super().__init__(book, tracks)
        self.late = 0
        nearest = book.index.nearest

        def counted(features, count, *, least):
            self.late += len(features)
            return nearest(features, count, least=least)

        book.index.nearest = counted


@pytest.fixture(autouse=True)
def _few_are_many(monkeypatch):
    monkeypatch.setattr(ahead, "MIN_PERSONS", 10)


def world(*, persons=200, tracks=6, seed=0):
    rng = np.random.default_rng(seed)
    book, seen = PersonBook(DIM), TrackBook(SETTINGS, DIM)
    for number, look in enumerate(unit(rng.normal(size=(persons, DIM))), start=1):
        book.add(number, Person(look, 1, 60, Spans.of([GALLERY_SPAN])))
    book.refresh(seen.evidence, VIEW)
    looked(seen, unit(rng.normal(size=(tracks, DIM))))
    return book, seen, rng


def looked(seen, vectors, time_s=1.0):
    """Every track is seen with one more crop."""
    count = len(vectors)
    boxes = np.tile(np.array([0, 0, 40, 100], np.float32), (count, 1))
    tracks = Tracks(boxes, np.ones(count, np.float32), np.arange(1, count + 1))
    evidence = CropEvidence(np.arange(count), vectors, np.full(count, 0.8, np.float32))
    seen.see("a", time_s, tracks, evidence)
    seen.now_s = time_s


def found_late(book, seen, least=LEAST):
    keys = seen.ready(at_end=False)
    features = VIEW.features([seen.evidence[key] for key in keys])
    return PersonBook.nearest(book, features, CANDIDATES, least=least)


def found(search, seen, least=LEAST):
    return search.nearest(seen.ready(at_end=False), VIEW, least=least)


@pytest.mark.parametrize("steps", [0, 1, 4])
def test_what_was_found_ahead_need_not_be_searched_again(steps, monkeypatch):
    monkeypatch.setattr(ahead, "TRACKS_A_STEP", 2)
    book, seen, _ = world()
    search = Counted(book, seen)
    for _ in range(steps):
        search.renew(VIEW, least=LEAST)
    assert found(search, seen) == found_late(book, seen)
    assert search.late == max(0, 6 - 2 * steps) + 6  # the last six are the comparison's


def test_persons_who_changed_came_and_went_since_are_taken_into_account():
    book, seen, _ = world()
    search = Counted(book, seen)
    search.renew(VIEW, least=LEAST)
    looks = VIEW.features(list(seen.evidence.values()))
    book.add(7, Person(looks[0], 1, 60))  # now looks like the first track
    book.add(900, Person(looks[1], 1, 60))
    gone = found_late(book, seen)[2] - {7, 900}
    book.forget(gone)
    book.refresh(seen.evidence, VIEW)
    near = found(search, seen)
    assert search.late == 6  # by `found_late` above
    assert near == found_late(book, seen)
    assert 7 in near[0]
    assert 900 in near[1]
    assert not near[2] & gone


def test_a_track_with_a_new_crop_is_searched_anew():
    book, seen, rng = world()
    search = Counted(book, seen)
    search.renew(VIEW, least=LEAST)
    looked(seen, unit(rng.normal(size=(6, DIM))), time_s=1.2)
    assert found(search, seen) == found_late(book, seen)
    assert search.late == 12


@pytest.mark.parametrize("least", [LEAST - 0.1, LEAST + 0.1])
def test_another_threshold_holds_when_it_is_used(least):
    book, seen, _ = world()
    search = SearchAhead(book, seen)
    search.renew(VIEW, least=LEAST)
    assert found(search, seen, least) == found_late(book, seen, least)


def test_another_view_of_the_cameras_is_another_search():
    book, seen, _ = world()
    search = Counted(book, seen)
    search.renew(View.of([], {"a": 0}, SETTINGS, DIM, threshold=0.5), least=LEAST)
    assert found(search, seen) == found_late(book, seen)
    assert search.late == 12


def test_few_persons_are_not_searched_ahead():
    book, seen, _ = world(persons=5)
    search = Counted(book, seen)
    search.renew(VIEW, least=LEAST)
    assert found(search, seen) == found_late(book, seen)
    assert search.late == 12
