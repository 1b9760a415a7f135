"""Forgetting a person while the video runs."""

from dataclasses import replace

from pipeline.match.online import OnlineMatcher
from pipeline.settings import MatchSettings
from support.worlds import DIM, frames_of, looks, walk

CAMERAS = ["a", "b", "c"]
LOOKS = looks(2)


def feed(found, frames):
    for camera, time_s, tracks, evidence in frames:
        found.update(camera, time_s, tracks, evidence)


def test_somebody_who_is_forgotten_is_new_when_they_come_again_and_others_stay_known():
    visits = walk(2, CAMERAS, visits=2)
    found = OnlineMatcher(
        MatchSettings(resolve=False, centre_tracks=0), threshold=lambda _: 0.4, dim=DIM
    )
    frames = frames_of(visits, LOOKS, noise=0.05)
    feed(found, frames)
    found.finish()
    before = dict(found.persons.by_track)
    gone = min(before.values())
    tracks = {key for key, number in before.items() if number == gone}
    found.forget({gone}, tracks)
    assert gone not in found.persons.persons()
    assert gone not in found.gallery().persons()
    assert not tracks & {(each.camera, each.track_id) for each in found.tracklets()}
    next_number, later = found.persons.next_number, 1000.0
    again = [
        replace(e, track_id=e.track_id + 100, first_s=e.first_s + later, last_s=e.last_s + later)
        for e in visits
    ]
    feed(found, frames_of(again, LOOKS, noise=0.05))
    found.finish()
    numbers_again = set(found.persons.by_track.values()) - {gone}
    assert next_number in numbers_again
    assert set(before.values()) - {gone} <= numbers_again
    assert gone not in found.persons.by_track.values()
