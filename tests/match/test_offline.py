from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.datatypes import UNASSIGNED
from pipeline.match.offline import count_people, resolve
from pipeline.match.persons import Person
from pipeline.match.spans import Spans
from pipeline.settings import MatchSettings
from support.worlds import looks, same_partition, tracklet, tracklets_of, truth_of, walk

CAMERAS = ["a", "b", "c"]
LOOKS = looks(6)
OVERLAP_S = MatchSettings().overlap_s


def numbers(identities):
    return {key: identity.global_id for key, identity in identities.by_track.items()}


def resolved(tracklets, *, threshold=0.4, earlier=None, first_free=1, **options):
    return resolve(
        tracklets,
        MatchSettings(**options),
        threshold=threshold,
        earlier=earlier or {},
        first_free=first_free,
    )


def test_no_tracklets_have_no_identities():
    assert resolved([]).by_track == {}


def test_one_tracklet_is_one_person():
    only = resolved([tracklet(LOOKS[0])]).by_track["a", 1]
    assert (only.global_id, only.similarity, only.frames) == (1, 1.0, 50)


@pytest.mark.parametrize("shared_views", [False, True])
def test_people_are_found_again_in_all_cameras(shared_views):
    cameras = CAMERAS[:2] if shared_views else CAMERAS
    visits = walk(6, cameras, visits=5, shared_views=shared_views)
    found = resolved(tracklets_of(visits, LOOKS, noise=0.05), centre_tracks=0)
    assert same_partition(numbers(found), truth_of(visits))


def test_a_tracklet_without_embeddings_names_nobody():
    found = resolved(
        [tracklet(LOOKS[0]), tracklet(np.zeros(32), track_id=2, first_s=8, last_s=9, weight=0)]
    )
    assert found.by_track["a", 2].global_id == UNASSIGNED
    assert found.by_track["a", 2].similarity == 0
    assert found.global_id("a", 1) == 1


def test_a_glimpse_does_not_part_a_person_from_themself():
    def seen(looks, camera, first_s, weight):
        vector = np.zeros_like(LOOKS[0])
        vector[: len(looks)] = looks
        return tracklet(
            vector,
            camera=camera,
            track_id=1 + first_s,
            first_s=first_s,
            last_s=first_s + 5,
            weight=weight,
        )

    clear, elsewhere = seen([1, 0], "a", 0, 8.0), seen([0.5, 0.866], "b", 20, 8.0)
    for weight, people in ((0.2, 1), (8.0, 2)):
        mean = seen([0.6, -0.346, 0.721], "a", 10, weight)  # like the first, not like the second
        found = numbers(resolved([clear, mean, elsewhere], centre_tracks=0))
        assert len(set(found.values())) == people


def test_seconds_count_as_much_as_the_detector_was_sure():
    ghost = replace(tracklet(LOOKS[1], track_id=2, first_s=30, last_s=31.4), visible_s=1.4 * 0.4)
    assert numbers(resolved([tracklet(LOOKS[0]), ghost])) == {("a", 1): 1, ("a", 2): UNASSIGNED}


def test_who_was_seen_for_a_moment_only_is_nobody_unless_known():
    glimpses = [
        tracklet(LOOKS[0]),
        tracklet(LOOKS[0], camera="b", first_s=20, last_s=20.2),
        tracklet(LOOKS[1], track_id=2, first_s=30, last_s=30.9),
        tracklet(LOOKS[2], track_id=3, first_s=40, last_s=40.6),
        tracklet(LOOKS[2], camera="b", track_id=2, first_s=50, last_s=50.6),
    ]
    assert numbers(resolved(glimpses)) == {
        ("a", 1): 1, ("b", 1): 1, ("a", 2): UNASSIGNED, ("a", 3): 2, ("b", 2): 2,
    }  # fmt: skip
    assert resolved(glimpses, min_duration_s=0).global_id("a", 2) == 2
    known = {7: Person(LOOKS[1].copy())}
    known[7].add_past(LOOKS[1], 1, 50, Spans.of([]))
    found = resolve(glimpses, MatchSettings(), threshold=0.4, earlier={}, known=known)
    assert found.global_id("a", 2) == 7


def test_look_alikes_at_one_time_in_one_camera_stay_two():
    twins = [tracklet(LOOKS[0]), tracklet(LOOKS[0], track_id=2, first_s=1, last_s=6)]
    assert set(numbers(resolved(twins)).values()) == {1, 2}


@pytest.mark.parametrize(("begins_s", "people"), [(9.6, 1), (9.4, 2)])
def test_a_track_that_begins_as_another_ends_may_go_on_with_its_person(begins_s, people):
    broken = [
        tracklet(LOOKS[0], first_s=0, last_s=10),
        tracklet(LOOKS[0], track_id=2, first_s=begins_s, last_s=20),
    ]
    assert len(set(numbers(resolved(broken)).values())) == people


def test_earlier_numbers_stay_with_most_of_their_boxes():
    parts = [
        tracklet(LOOKS[0], track_id=1, first_s=0, last_s=9),
        tracklet(LOOKS[0], track_id=2, first_s=20, last_s=21),
        tracklet(LOOKS[1], track_id=3, first_s=30, last_s=33),
    ]
    earlier = {("a", 1): 7, ("a", 2): 8, ("a", 3): 8}
    found = numbers(resolved(parts, earlier=earlier))
    assert found == {("a", 1): 7, ("a", 2): 7, ("a", 3): 8}


def test_new_numbers_were_never_used():
    parts = [
        tracklet(LOOKS[k], track_id=k + 1, first_s=9.0 * k, last_s=9.0 * k + 5) for k in (0, 1)
    ]
    found = numbers(resolved(parts, earlier={("a", 1): 3, ("a", 2): 3}, first_free=12))
    assert sorted(found.values()) == [3, 12]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.floats(-1, 0.9), st.floats(0, 0.4))
def test_nobody_is_twice_in_one_camera_at_one_time(seed, threshold, noise):
    visits = walk(6, CAMERAS, visits=4, seed=seed)
    tracklets = tracklets_of(visits, LOOKS, noise=noise, seed=seed)
    found = resolved(tracklets, threshold=threshold)
    for one in tracklets:
        for other in tracklets:
            meets = (
                one.camera == other.camera
                and one.track_id < other.track_id
                and min(one.last_s, other.last_s) - max(one.first_s, other.first_s) > OVERLAP_S
            )
            if meets:
                assert found.global_id(one.camera, one.track_id) != found.global_id(
                    other.camera, other.track_id
                )


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.permutations(range(1, 7)))
def test_names_of_tracks_and_cameras_do_not_matter(seed, order):
    visits = walk(6, CAMERAS, visits=3, seed=seed)
    tracklets = tracklets_of(visits, LOOKS, noise=0.2, seed=seed)
    rename = {camera: f"x{order[i]}" for i, camera in enumerate(CAMERAS)}
    renamed = [
        tracklet(
            t.embedding_sum / t.weight,
            camera=rename[t.camera],
            track_id=1000 - t.track_id,
            first_s=t.first_s,
            last_s=t.last_s,
        )
        for t in tracklets
    ]
    one = numbers(resolved(tracklets))
    other = numbers(resolved(renamed))
    back = {(t.camera, t.track_id): other[rename[t.camera], 1000 - t.track_id] for t in tracklets}
    assert same_partition(one, back)


def test_the_count_of_people_falls_as_the_threshold_does():
    tracklets = tracklets_of(walk(6, CAMERAS, visits=5), LOOKS, noise=0.4)
    options = MatchSettings(centre_tracks=0)
    few, many = count_people(tracklets, options, loose=-1.0, strict=0.999)
    found = set(numbers(resolved(tracklets, threshold=0.5, centre_tracks=0)).values())
    assert few <= len(found - {UNASSIGNED}) < many


def test_fragments_that_overlap_are_one_person_at_the_lower_end_of_the_count():
    broken = [
        tracklet(LOOKS[0]),
        tracklet(LOOKS[0], track_id=2, first_s=5 - 2 * OVERLAP_S, last_s=9),
    ]
    assert len(set(numbers(resolved(broken)).values())) == 2
    assert count_people(broken, MatchSettings(), loose=0.4, strict=0.4) == (1, 2)
