import numpy as np
import pytest

from pipeline.build_calibration import matching_thresholds
from pipeline.match.constraints import SpatialRules, estimate_overlaps
from pipeline.match.spans import Spans
from pipeline.settings import CameraPairSettings, MatchSettings, parse_settings
from support.worlds import clash, looks, tracklets_of, walk

CAMERAS = ["a", "b", "c"]


def rules(**settings):
    return SpatialRules(CAMERAS, MatchSettings(**settings))


def spans(first, last, camera=0):
    return Spans.of([(first, last, camera)])


@pytest.mark.parametrize(
    ("first", "last", "expected"), [(2, 8, True), (5, 8, True), (5.1, 8, False), (-4, -1, False)]
)
def test_one_camera_holds_a_person_once(first, last, expected):
    for views in ("auto", "disjoint", "overlapping"):
        found = rules(views=views, overlap_s=0)
        assert clash(found, spans(0, 5), spans(first, last)) is expected


def test_tolerance_lets_tracks_of_one_camera_share_a_moment():
    assert not clash(rules(overlap_s=0.3), spans(0, 5), spans(4.8, 8))
    assert clash(rules(overlap_s=0.3), spans(0, 5), spans(4.6, 8))


def test_views_say_whether_somebody_can_be_in_two_cameras():
    assert clash(rules(views="disjoint"), spans(0, 5), spans(2, 8, camera=1))
    assert not clash(rules(views="overlapping"), spans(0, 5), spans(2, 8, camera=1))
    assert not clash(rules(views="auto"), spans(0, 5), spans(2, 8, camera=1))  # nothing learned


def test_settings_of_a_pair_override_the_views():
    pairs = [
        CameraPairSettings(cameras=("a", "b"), overlap=True),
        CameraPairSettings(cameras=("c", "a"), min_travel_s=10),
        CameraPairSettings(cameras=("a", "elsewhere")),
    ]
    found = rules(views="disjoint", camera_pairs=pairs)
    assert not clash(found, spans(0, 5), spans(2, 8, camera=1))
    assert clash(found, spans(0, 5, camera=1), spans(2, 8, camera=2))
    assert clash(found, spans(0, 5), spans(14, 20, camera=2))
    assert clash(found, spans(14, 20, camera=2), spans(0, 5))
    assert not clash(found, spans(0, 5), spans(15.5, 20, camera=2))


def test_any_two_tracks_of_two_groups_can_clash():
    one = spans(0, 5).joined(spans(20, 25))
    assert clash(rules(), one, spans(22, 23).joined(spans(50, 60)))
    assert not clash(rules(), one, spans(7, 9).joined(spans(50, 60)))
    assert not clash(rules(), one, Spans.of([]))


def test_pairs_of_rows_clash_as_single_spans_do():
    random = np.random.default_rng(0)
    rows = [
        (float(s), float(s) + 4, int(c))
        for s, c in zip(random.uniform(0, 30, 20), random.integers(3, size=20), strict=True)
    ]
    a, b = np.triu_indices(20, k=1)
    found = rules(views="disjoint").clashing(Spans.of(rows), a, b)
    expected = [
        clash(rules(views="disjoint"), Spans.of([rows[i]]), Spans.of([rows[j]]))
        for i, j in zip(a, b, strict=True)
    ]
    assert found.tolist() == expected
    assert 0 < found.sum() < len(found)


AT_ONCE = Spans.of([(0, 60, 0)]), Spans.of([(0, 60, 1)])
"""Two tracks of the first two cameras at one time."""


@pytest.mark.parametrize("shared_views", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_overlap_of_views_is_learned_from_look_alikes(shared_views, seed):
    # Two of the cameras are enough for a shared view, everybody is always in both.
    cameras = CAMERAS[:2] if shared_views else CAMERAS
    visits = walk(12, cameras, visits=8, seed=seed, shared_views=shared_views)
    tracklets = tracklets_of(visits, looks(12), noise=0.12, seed=seed)
    place = Spans.of((t.first_s, t.last_s, CAMERAS.index(t.camera)) for t in tracklets)
    features = np.stack([t.embedding_sum / t.weight for t in tracklets])
    counts = estimate_overlaps(features, place, overlap_s=0.0)
    found = SpatialRules(CAMERAS, MatchSettings(), counts)
    assert clash(found, *AT_ONCE) is not shared_views


def test_nothing_is_learned_from_two_tracks():
    place = Spans.of([(0, 5, 0), (20, 25, 1)])
    counts = estimate_overlaps(looks(2), place, overlap_s=0.0)
    assert not clash(SpatialRules(CAMERAS, MatchSettings(), counts), *AT_ONCE)


def test_a_pair_is_of_two_cameras_that_are_there():
    with pytest.raises(ValueError, match="got a twice"):
        CameraPairSettings(cameras=("a", "a"))
    cameras = [{"name": name, "source": f"{name}.mp4"} for name in CAMERAS]
    match = {"threshold": 0.5, "camera_pairs": [{"cameras": ["a", "door"], "overlap": True}]}
    thresholds = matching_thresholds(parse_settings({"cameras": cameras, "match": match}), None)
    assert thresholds.warnings == (
        "match.camera_pairs names cameras that are not among these: door",
    )
