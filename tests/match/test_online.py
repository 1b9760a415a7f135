import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.datatypes import UNASSIGNED, CropEvidence, Tracks
from pipeline.match.online import MAX_RECENT, OnlineMatcher
from pipeline.settings import MatchSettings
from support.worlds import DIM, Visit, frames_of, looks, same_partition, truth_of, walk

CAMERAS = ["a", "b", "c"]
LOOKS = looks(6)


def matcher(*, threshold=0.4, known=None, **options):
    options = {"resolve": False, "centre_tracks": 0, **options}
    return OnlineMatcher(
        MatchSettings(**options), threshold=lambda _: threshold, dim=DIM, known=known
    )


def feed(found, frames):
    """Return ``(camera, time, track) -> identity`` as it was given frame by frame."""
    given_ids = {}
    for camera, time_s, tracks, evidence in frames:
        for track_id, number in zip(
            tracks.track_id.tolist(),
            found.update(camera, time_s, tracks, evidence).tolist(),
            strict=True,
        ):
            given_ids[camera, time_s, track_id] = number
    return given_ids


def numbers(identities):
    return {key: identity.global_id for key, identity in identities.by_track.items()}


def kinds(events):
    return [event.kind for event in events]


def test_a_run_without_anybody_ends_without_identities():
    found = matcher()
    empty = CropEvidence(np.zeros(0, np.int64), np.zeros((0, DIM)), np.zeros(0))
    assert found.update("a", 0.0, Tracks.empty(), empty).tolist() == []
    assert found.finish().by_track == {}
    assert found.tracklets() == []
    assert found.drain_events() == []


@pytest.mark.parametrize("shared_views", [False, True])
def test_people_are_found_again_in_all_cameras(shared_views):
    cameras = CAMERAS[:2] if shared_views else CAMERAS
    visits = walk(6, cameras, visits=5, shared_views=shared_views)
    found = matcher()
    feed(found, frames_of(visits, LOOKS, noise=0.05))
    assert same_partition(numbers(found.finish()), truth_of(visits))


def test_a_track_is_undecided_until_it_was_seen_well_three_times():
    found = matcher()
    given_ids = feed(found, frames_of([Visit(0, "a", 1, 0, 4)], LOOKS))
    assert [given_ids["a", t, 1] for t in (0.0, 0.5, 1.0)] == [UNASSIGNED] * 3
    assert given_ids["a", 1.5, 1] == 1


@pytest.mark.parametrize("set_s", [-3600.0, 3600.0])
def test_a_clock_that_is_set_holds_up_no_identity(set_s):
    found = matcher()
    visits = [Visit(0, "a", 1, 10_000, 10_004), Visit(1, "b", 1, 10_000, 10_000.5)]
    feed(found, frames_of(visits, LOOKS))
    start_s = 10_005 + set_s
    later = [Visit(0, "c", 1, start_s, start_s + 4), Visit(2, "a", 2, start_s, start_s + 4)]
    given_ids = feed(found, frames_of(later, LOOKS))
    assert given_ids["c", start_s + 4, 1] == 1
    assert given_ids["a", start_s + 4, 2] == 2


def test_a_track_with_few_crops_is_decided_after_a_while():
    found = matcher(decide_crops=100)
    given_ids = feed(found, frames_of([Visit(0, "a", 1, 0, 4)], LOOKS))
    assert given_ids["a", 1.0, 1] == UNASSIGNED
    assert given_ids["a", 2.5, 1] == 1


@pytest.mark.parametrize("resolve", [False, True])
def test_a_glimpse_is_nobody_new_but_may_be_somebody_known(resolve):
    # A frame is half a second: too short, too short again, and just long enough.
    strangers = [Visit(0, "a", 1, 0, 0.5), Visit(1, "b", 1, 0, 0.5), Visit(2, "c", 1, 0, 1)]
    found = matcher(resolve=resolve)
    feed(found, frames_of([*strangers, Visit(2, "c", 2, 20, 20.5)], LOOKS))
    persons = found.finish()
    assert persons.global_id("a", 1) == persons.global_id("b", 1) == UNASSIGNED
    assert persons.global_id("c", 1) == persons.global_id("c", 2) == 1
    assert kinds(found.drain_events()) == ["new", "sighting"]


def test_a_track_without_embeddings_stays_undecided():
    found = matcher()
    camera, time_s, tracks, _ = frames_of([Visit(0, "a", 1, 0, 4)], LOOKS)[0]
    nothing = CropEvidence(np.zeros(0, np.int64), np.zeros((0, DIM), np.float32), np.zeros(0))
    found.update(camera, time_s, tracks, nothing)
    assert numbers(found.finish()) == {("a", 1): UNASSIGNED}


def test_events_tell_of_new_people_sightings_and_hand_overs():
    visits = [Visit(0, "a", 1, 0, 4), Visit(0, "a", 2, 6, 10), Visit(0, "b", 1, 12, 16)]
    found = matcher()
    feed(found, frames_of(visits, LOOKS))
    found.finish()
    events = found.drain_events()
    assert kinds(events) == ["new", "sighting", "hand_over"]
    assert [(e.global_id, e.camera, e.track_id) for e in events] == [
        (1, "a", 1), (1, "a", 2), (1, "b", 1),
    ]  # fmt: skip
    assert found.drain_events() == []


def test_an_ambiguous_track_waits_and_then_takes_the_better_person():
    between = LOOKS[0] * 0.72 + LOOKS[1] * 0.69
    people = np.stack([LOOKS[0], LOOKS[1], between / np.linalg.norm(between)])
    visits = [Visit(0, "a", 1, 0, 4), Visit(1, "b", 1, 0, 4), Visit(2, "c", 1, 6, 14)]
    found = matcher(margin=0.1, review_s=1000)
    given_ids = feed(found, frames_of(visits, people))
    assert given_ids["c", 10.5, 1] == UNASSIGNED
    assert given_ids["c", 11.5, 1] == given_ids["a", 4.0, 1]


def test_two_look_alikes_of_one_camera_are_assigned_jointly():
    # Both are nearest to person 1; only together the second can be told to be person 2.
    one, two = LOOKS[0], (0.75 * LOOKS[0] + 0.66 * LOOKS[1])
    closer = 0.9 * LOOKS[0] + 0.43 * LOOKS[1]
    people = np.stack([one, two / np.linalg.norm(two), closer / np.linalg.norm(closer)])
    visits = [
        Visit(0, "a", 1, 0, 4), Visit(1, "a", 2, 0, 4),
        Visit(0, "b", 1, 6, 10), Visit(2, "b", 2, 6, 10),
    ]  # fmt: skip
    found = matcher(margin=0.0)
    feed(found, frames_of(visits, people))
    ids = numbers(found.finish())
    assert ids["b", 1] == ids["a", 1]
    assert ids["b", 2] == ids["a", 2]


def test_a_review_merges_persons_who_prove_to_be_one():
    # The first crops of the second track mislead, the later ones do not.
    frames = frames_of([Visit(0, "a", 1, 0, 4), Visit(1, "b", 1, 6, 8)], LOOKS)
    frames += [
        (c, t, tracks, e) for c, t, tracks, e in
        frames_of([Visit(0, "a", 9, 0, 1), Visit(0, "b", 1, 8.5, 30)], LOOKS) if t > 8
    ]  # fmt: skip
    found = matcher()
    feed(found, frames)
    ids = numbers(found.finish())
    assert ids["a", 1] == ids["b", 1] == 1
    merges = [event for event in found.drain_events() if event.kind == "merge"]
    assert [(event.global_id, event.other_id) for event in merges] == [(1, 2)]


def test_a_track_that_comes_back_beside_its_successor_loses_nothing_to_it():
    visits = [Visit(0, "a", 1, 0, 4), Visit(0, "a", 2, 5, 12)]
    frames = frames_of(visits, LOOKS)
    late = frames_of([Visit(0, "a", 1, 9, 12), Visit(0, "a", 2, 5, 12)], LOOKS)
    frames = [f for f in frames if f[1] < 9] + [f for f in late if f[1] >= 9]
    found = matcher()
    given_ids = feed(found, frames)
    assert given_ids["a", 8.0, 2] == 1
    assert given_ids["a", 9.0, 1] == 1
    assert given_ids["a", 9.0, 2] == UNASSIGNED
    ids = numbers(found.finish())
    assert ids["a", 1] != ids["a", 2]


def test_resolving_keeps_the_numbers_that_were_given():
    visits = walk(6, CAMERAS, visits=4)
    found = matcher(resolve=True)
    given_ids = feed(found, frames_of(visits, LOOKS, noise=0.02))
    ids = numbers(found.finish())
    for (camera, _, track_id), number in given_ids.items():
        assert number in (UNASSIGNED, ids[camera, track_id])


worlds = st.tuples(st.integers(0, 1000), st.floats(0, 0.4), st.booleans())


def world(parameters):
    seed, noise, shared_views = parameters
    visits = walk(5, CAMERAS, visits=3, seed=seed, shared_views=shared_views)
    return visits, frames_of(visits, LOOKS, noise=noise, seed=seed)


@settings(max_examples=25, deadline=None)
@given(worlds, st.floats(-0.5, 0.9))
def test_nobody_is_twice_in_one_frame(parameters, threshold):
    _, frames = world(parameters)
    found = matcher(threshold=threshold)
    for camera, time_s, tracks, evidence in frames:
        ids = [n for n in found.update(camera, time_s, tracks, evidence).tolist() if n > 0]
        assert len(ids) == len(set(ids))
    final = numbers(found.finish())
    for camera, _, tracks, _ in frames:
        ids = [final[camera, t] for t in tracks.track_id.tolist() if final[camera, t] > 0]
        assert len(ids) == len(set(ids))


@settings(max_examples=25, deadline=None)
@given(worlds, st.randoms(use_true_random=False))
def test_the_order_of_cameras_in_a_step_changes_nothing(parameters, random):
    _, frames = world(parameters)
    shuffled = sorted(frames, key=lambda frame: (frame[1], random.random()))
    one, other = matcher(), matcher()
    assert feed(one, frames) == feed(other, shuffled)
    assert numbers(one.finish()) == numbers(other.finish())
    assert one.drain_events() == other.drain_events()


@settings(max_examples=25, deadline=None)
@given(worlds)
def test_numbers_are_never_used_again(parameters):
    _, frames = world(parameters)
    found = matcher(review_s=1.0, max_identities=3)
    for frame in frames:
        found.update(*frame)
    found.finish()
    events = found.drain_events()
    gone = set()
    for event in events:
        assert event.global_id not in gone
        if event.kind == "merge":
            gone.add(event.other_id)
    born = [event.global_id for event in events if event.kind == "new"]
    assert born
    assert len(born) == len(set(born))


@settings(max_examples=25, deadline=None)
@given(worlds, st.randoms(use_true_random=False))
def test_other_track_numbers_only_rename(parameters, random):
    visits, frames = world(parameters)
    others = list(range(1, 1 + max(visit.track_id for visit in visits)))
    random.shuffle(others)
    new_id = np.array([0, *others])
    renamed = [
        (camera, time_s, Tracks(t.xyxy, t.score, new_id[t.track_id]), evidence)
        for camera, time_s, t, evidence in frames
    ]
    one, other = matcher(), matcher()
    feed(one, frames)
    feed(other, renamed)
    ids = numbers(one.finish())
    found = numbers(other.finish())
    assert set(ids) == set(truth_of(visits))
    assert same_partition(ids, {(c, t): found[c, int(new_id[t])] for c, t in ids})


@settings(max_examples=5, deadline=None)
@given(
    st.integers(0, 1000),
    st.integers(290, 400),
    st.floats(0.5, 4),
    st.integers(1, 30),
    st.one_of(st.none(), st.floats(5, 100)),
)
def test_memory_is_bounded_however_long_a_run_is(seed, people, pause_s, most, forget_after_s):
    visits = [
        Visit(p, CAMERAS[p % 3], p + 1, pause_s * p, pause_s * p + 2.5) for p in range(people)
    ]
    found = matcher(max_identities=most, forget_after_s=forget_after_s, review_s=4.0, threshold=0.9)
    # Besides the recent tracks there are those in view and those that ended since a review.
    room = MAX_RECENT + (2.5 + 2 * 4.0) / pause_s + len(CAMERAS)
    for position, frame in enumerate(frames_of(visits, looks(people, seed=seed))):
        found.update(*frame)
        if position % 50:
            continue
        assert len(found.tracklets()) <= room
        assert len(found.persons) <= most + room
    assert found.persons.next_number > people * 0.9
