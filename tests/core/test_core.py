"""The synchronous core: who is called with what, and that steps do not matter."""

import numpy as np
import pytest

from pipeline.core import Pipeline
from pipeline.datatypes import Detections
from support.builders import frame
from support.fakes import FakeDetector, FakeEmbedder, FakeMatcher, FakePolicy, FakeTracker


def build(cameras=("a", "b"), *, keep=None, ask_every=0, boxes=2):
    parts = {
        "detector": FakeDetector(boxes),
        "trackers": {camera: FakeTracker(ask_every) for camera in cameras},
        "policy": FakePolicy(),
        "embedder": FakeEmbedder(),
        "matcher": FakeMatcher(),
    }
    return Pipeline(**parts, keep=keep), parts


def frames_of(cameras, count):
    return [frame(camera, index, shade=40 * index) for index in range(count) for camera in cameras]


def test_no_frames_call_no_stage():
    pipeline, parts = build()
    assert pipeline.step([]) == []
    assert parts["detector"].batch_sizes == []


def test_results_come_in_the_order_of_the_frames():
    pipeline, _ = build()
    frames = frames_of("ab", 3)
    results = pipeline.step(frames)
    assert [id(r.frame) for r in results] == [id(f) for f in frames]


def test_all_frames_are_detected_and_all_crops_embedded_in_one_call():
    pipeline, parts = build()
    pipeline.step(frames_of("ab", 4))
    assert parts["detector"].batch_sizes == [8]
    assert parts["embedder"].batch_sizes == [16]


def test_matcher_sees_frames_in_order_with_the_vectors_of_their_own_crops():
    pipeline, parts = build(cameras="a", boxes=1)
    frames = frames_of("a", 3)
    pipeline.step(frames)
    calls = parts["matcher"].calls
    assert [(camera, time) for camera, time, _, _ in calls] == [("a", 0.0), ("a", 0.1), ("a", 0.2)]
    for each, (_, _, _, evidence) in zip(frames, calls, strict=True):
        left = each.index % 5
        crop = each.image[4:28, left : left + 8]
        expected = FakeEmbedder().embed([crop])
        np.testing.assert_array_equal(evidence.vectors, expected)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 12])
@pytest.mark.parametrize("ask_every", [0, 1, 2])
def test_the_size_of_a_step_changes_nothing(size, ask_every):
    frames = frames_of("ab", 6)
    whole, whole_parts = build(ask_every=ask_every)
    expected = whole.step(frames)
    cut, cut_parts = build(ask_every=ask_every)
    results = [r for i in range(0, len(frames), size) for r in cut.step(frames[i : i + size])]
    for got, want in zip(results, expected, strict=True):
        np.testing.assert_array_equal(got.tracks.xyxy, want.tracks.xyxy)
        np.testing.assert_array_equal(got.global_id, want.global_id)
    for camera in "ab":
        seen, wanted = cut_parts["trackers"][camera].seen, whole_parts["trackers"][camera].seen
        assert [rows for rows, _ in seen] == [rows for rows, _ in wanted]
        for (_, vectors), (_, expected_vectors) in zip(seen, wanted, strict=True):
            np.testing.assert_array_equal(vectors, expected_vectors)


def test_trackers_that_ask_get_the_crops_of_one_round_in_one_call():
    pipeline, parts = build(ask_every=1)
    pipeline.step(frames_of("ab", 2))
    # Two rounds of two cameras with two boxes each, then all eight chosen crops at once.
    assert parts["embedder"].batch_sizes == [4, 4, 8]


def test_detections_that_a_camera_does_not_count_never_reach_its_tracker():
    def nothing(found: Detections) -> Detections:
        return found.select(np.zeros(len(found), bool))

    pipeline, _ = build(keep={"b": nothing})
    results = pipeline.step(frames_of("ab", 1))
    assert [len(r.tracks) for r in results] == [2, 0]


def test_boxes_beyond_the_image_still_give_a_crop():
    class Outside(FakeDetector):
        def _of(self, each):
            xyxy = np.array([[-20, -20, -5, -5], [60, 40, 200, 300]], np.float32)
            return Detections(xyxy, np.ones(2, np.float32))

    pipeline, parts = build(cameras="a")
    pipeline._detector = Outside()
    pipeline.step(frames_of("a", 1))
    assert parts["embedder"].batch_sizes == [2]
