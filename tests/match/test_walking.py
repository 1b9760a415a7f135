"""Walking times between cameras: what is learned of them, and whom they tell apart."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.datatypes import CropEvidence, Tracklet, Tracks
from pipeline.match.offline import resolve
from pipeline.match.online import OnlineMatcher
from pipeline.match.spans import Spans
from pipeline.match.walking import learn_walking
from pipeline.settings import MatchSettings
from support.worlds import looks, unit

WALK_S, IN_VIEW_S = 20.0, 4.0


def corridor(people, *, twins=0, walk_s=(WALK_S, 1.0), noise=0.2, every_s=9.0, seed=0):
    """Return tracklets of cameras a and b: each person is in a, and some time later in b; and who is who.

    The first ``twins`` people look like those who come after them.
    """
    random = np.random.default_rng(seed)
    appearance = looks(people, seed=seed)
    appearance[:twins:2] = appearance[1 : twins + 1 : 2]
    found, owner = [], {}
    for person in range(people):
        left_s = every_s * person + IN_VIEW_S
        entered_s = random.uniform(0, every_s * people)  # any time at all
        if walk_s is not None:
            entered_s = left_s + max(random.normal(*walk_s), 0.5)
        for camera, first_s in (("a", left_s - IN_VIEW_S), ("b", entered_s)):
            key = camera, person + 1
            owner[key] = person
            vector = unit(appearance[person] + noise * unit(random.normal(size=32)))
            span = first_s, first_s + IN_VIEW_S
            found.append(Tracklet(*key, *span, 40, vector * np.float32(3), 3.0, IN_VIEW_S, None))
    return sorted(found, key=lambda t: (t.first_s, t.camera, t.track_id)), owner


def learned(tracklets):
    spans = Spans.of([(t.first_s, t.last_s, "ab".index(t.camera)) for t in tracklets])
    features = np.stack([unit(t.embedding_sum) for t in tracklets])
    return learn_walking(features, spans, 2, threshold=0.5, cosine_per_nat=0.04)


def nats(walking, gap_s, *, cameras=(0, 1)):
    spans = Spans.of([(0.0, 5.0, cameras[0]), (5.0 + gap_s, 9.0 + gap_s, cameras[1])])
    forth = walking.nats(spans, np.array([0]), np.array([1]))
    back = walking.nats(spans, np.array([1]), np.array([0]))
    assert forth == back  # the order of a pair means nothing, that of the tracks does
    return float(forth[0])


def test_usual_walking_times_speak_for_one_person_and_others_against():
    walking = learned(corridor(40)[0])
    assert nats(walking, WALK_S) > 1
    assert nats(walking, 100) < -0.5
    assert nats(walking, WALK_S, cameras=(1, 0)) == 0  # nobody was seen to go back
    assert nats(walking, -1) == 0
    assert nats(walking, WALK_S, cameras=(-1, 1)) == 0
    assert walking.reach == pytest.approx(0.04 * 3, abs=0.08)


def test_more_hand_overs_say_more():
    few, many = (nats(learned(corridor(people)[0]), 90) for people in (12, 80))
    assert many < few < 0


def test_too_few_hand_overs_say_nothing():
    assert learned(corridor(7)[0]) is None
    assert learned(corridor(1)[0]) is None
    assert learned(corridor(40)[0][:40:40]) is None


@pytest.mark.parametrize("seed", range(4))
def test_gaps_that_follow_no_rule_say_nothing(seed):
    assert learned(corridor(40, walk_s=None, seed=seed)[0]) is None


def test_no_weight_no_walking_times():
    features, spans = np.eye(2, dtype=np.float32), Spans.of([(0, 1, 0), (2, 3, 1)])
    assert learn_walking(features, spans, 2, threshold=0.5, cosine_per_nat=0) is None


def right(given, owner):
    """Return the share of people whose two tracks have one identity that nobody else has."""
    pairs = {}
    for key, person in owner.items():
        pairs.setdefault(person, []).append(given[key])
    own = [numbers for numbers in pairs.values() if len(set(numbers)) == 1]
    shared = [number for number, *_ in own]
    return sum(shared.count(number) == 1 for number in shared) / len(pairs)


def offline(tracklets, **settings):
    settings = MatchSettings(views="disjoint", place_margin=0, centre_tracks=0, **settings)
    found = resolve(tracklets, settings, threshold=0.5, earlier={})
    return {key: each.global_id for key, each in found.by_track.items()}


def online(tracklets, **settings):
    settings = MatchSettings(views="disjoint", resolve=False, centre_tracks=0, **settings)
    matcher = OnlineMatcher(settings, threshold=lambda _: 0.5, dim=32)
    steps = [(t.first_s + s, t) for t in tracklets for s in np.arange(0, IN_VIEW_S + 0.1, 0.5)]
    for time_s, tracklet in sorted(steps, key=lambda step: (step[0], step[1].camera)):
        box = np.array([[100 * (time_s % 7), 0, 100 * (time_s % 7) + 50, 150]], np.float32)
        tracks = Tracks(box, np.array([0.9], np.float32), np.array([tracklet.track_id]))
        vector = unit(tracklet.embedding_sum)[None]
        evidence = CropEvidence(np.array([0]), vector, np.ones(1, np.float32))
        matcher.update(tracklet.camera, float(time_s), tracks, evidence)
    found = matcher.finish()
    return {key: each.global_id for key, each in found.by_track.items()}


@pytest.mark.parametrize("match", [offline, online])
def test_people_who_look_alike_are_told_apart_by_when_they_arrive(match):
    tracklets, owner = corridor(60, twins=30, noise=0.9, every_s=25.0)
    blind, seeing = match(tracklets, place_weight=0), match(tracklets)
    assert right(seeing, owner) > right(blind, owner) + 0.05


@pytest.mark.parametrize("match", [offline, online])
@pytest.mark.parametrize("people", [6, 40])
def test_where_nothing_is_to_be_learned_identities_are_as_before(match, people):
    tracklets, _ = corridor(people, twins=people // 2, walk_s=None, noise=0.9, every_s=12.0)
    assert match(tracklets) == match(tracklets, place_weight=0)
