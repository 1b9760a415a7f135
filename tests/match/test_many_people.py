"""The more people, the more alike a track must be to be one of them."""

import pytest

from pipeline.match.online import OnlineMatcher
from pipeline.settings import MatchSettings
from support.worlds import DIM, frames_of, looks, walk

CAMERAS = ["a", "b", "c"]


def run(people, visits, *, resolve, threshold=lambda _: 0.5):
    """Match visits; return the persons, and by how many tracklets a threshold was asked for."""
    counts = []

    def asked(tracklets):
        counts.append(tracklets)
        return threshold(tracklets)

    found = OnlineMatcher(MatchSettings(resolve=resolve), threshold=asked, dim=DIM)
    for frame in frames_of(walk(people, CAMERAS, visits=visits), looks(people), noise=0.05):
        found.update(*frame)
    found.finish()
    return found.persons, counts


@pytest.mark.parametrize("resolve", [False, True])
def test_the_threshold_is_that_for_as_many_tracklets_as_there_are(resolve):
    persons, counts = run(6, 3, resolve=resolve)
    assert len(persons) == 6
    assert counts[0] == 0
    assert counts[-1] == max(counts) == len(persons.by_track)


def test_those_who_come_again_and_again_are_not_many():
    persons, counts = run(3, 9, resolve=True)
    assert len(persons) == 3
    assert counts[-1] == max(counts) == 6 * 3
    assert len(persons.by_track) > 8 * 3


def test_among_many_a_track_must_be_more_alike_to_be_somebody_known():
    persons, _ = run(6, 4, resolve=False, threshold=lambda tracklets: 0.5 if tracklets < 12 else 2)
    assert len(persons) > 6
