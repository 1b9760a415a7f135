"""Which frames the detector looks at, and what is found in the others."""

import numpy as np
import pytest

from pipeline.core import Pipeline
from pipeline.datatypes import Frame
from pipeline.detection_pace import DetectionPace, Look
from pipeline.errors import SettingsError
from pipeline.settings import DetectSettings, TrackSettings, parse_settings
from pipeline.track.restarting import RestartingTracker
from pipeline.track.tracker import SingleCameraTracker
from support.builders import detections, frame, tracks
from support.fakes import FakeDetector, FakeEmbedder, FakeMatcher, FakePolicy, FakeTracker

SIZE = (320, 240)


def scene(index, *, left, rate, seed=0, camera="cam"):
    """A bright box of 20 x 60 pixels before a noisy, grey wall."""
    image = np.random.default_rng(seed + index).normal(120, 2, (SIZE[1], SIZE[0], 3))
    image[80:140, round(left) : round(left) + 20] = 220
    return Frame(camera, index, index / rate, image.clip(0, 255).astype(np.uint8))


def looks(frames, every="auto"):
    pace = DetectionPace(every)
    return [pace.choose(each) for each in frames]


def looked_at(frames, every="auto"):
    chosen = looks(frames, every)
    return [each.index for each, look in zip(frames, chosen, strict=True) if look is Look.DETECT]


def test_a_number_takes_every_so_many_frames_of_each_camera():
    frames = [frame(camera, index) for index in range(7) for camera in "ab"]
    chosen = looks(frames, 3)
    assert [look is Look.DETECT for look in chosen[::2]] == [i % 3 == 0 for i in range(7)]
    assert chosen[::2] == chosen[1::2]
    assert set(chosen) == {Look.DETECT, Look.CARRY}


@pytest.mark.parametrize(("rate", "step"), [(10, 1), (12.5, 1), (25, 2), (30, 3), (60, 5)])
def test_a_walker_is_looked_at_every_eighty_milliseconds(rate, step):
    frames = [scene(i, left=20 + 60 * i / rate, rate=rate) for i in range(40)]
    assert np.diff(looked_at(frames)).max() == step
    assert Look.REPEAT not in looks(frames)[step:]


@pytest.mark.parametrize("rate", [5, 25])
def test_a_still_picture_is_looked_at_once_a_second_whatever_its_noise(rate):
    frames = [scene(i, left=50, rate=rate) for i in range(3 * rate + 1)]
    assert looked_at(frames) == [0, rate, 2 * rate, 3 * rate]
    assert set(looks(frames)) == {Look.DETECT, Look.REPEAT}


def test_somebody_who_comes_is_looked_at_at_once():
    frames = [scene(i, left=50 if i < 14 else 80, rate=10) for i in range(20)]
    assert 14 in looked_at(frames)


def test_a_clock_that_is_set_back_does_not_stop_the_detector():
    pace = DetectionPace("auto")
    assert pace.choose(frame("a", 5)) is Look.DETECT
    assert pace.choose(frame("a", 6, time_s=0.1)) is Look.DETECT


def pipeline_of(every, detector, tracker):
    return Pipeline(
        detector=detector,
        trackers={"cam": tracker},
        policy=FakePolicy(),
        embedder=FakeEmbedder(),
        matcher=FakeMatcher(),
        every=every,
    )


class Watching(FakeDetector):
    """Finds one walker, who makes 4 pixels a frame; remembers the frames it looked at."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def _of(self, each):
        self.seen.append(each.index)
        left = 20 + 4 * each.index
        return detections((left, 80, left + 20, 140))


def tracker():
    return SingleCameraTracker(TrackSettings(min_hits=1))


def walk(count, *, rate=10):
    return [scene(i, left=20 + 4 * i, rate=rate) for i in range(count)]


def test_tracks_are_carried_on_by_their_motion_with_score_0():
    detector = Watching()
    results = pipeline_of(2, detector, tracker()).step(walk(20))
    assert detector.seen == list(range(0, 20, 2))
    for each in results[6:]:
        assert each.tracks.track_id.tolist() == each.global_id.tolist() == [1]
        left = 20 + 4 * each.frame.index
        np.testing.assert_allclose(each.tracks.xyxy, [[left, 80, left + 20, 140]], atol=1.5)
        assert each.is_carried == bool(each.frame.index % 2)
        assert (each.tracks.score[0] == 0) == each.is_carried


def test_the_matcher_is_told_of_frames_that_were_looked_at():
    pipeline = pipeline_of(3, Watching(), tracker())
    pipeline.step(walk(9))
    assert [round(call[1], 1) for call in pipeline._matcher.calls] == [0.0, 0.3, 0.6]


@pytest.mark.parametrize("every", [2, 3, "auto"])
@pytest.mark.parametrize("size", [1, 2, 7])
def test_how_frames_are_cut_into_steps_changes_nothing(every, size):
    frames = [*walk(15, rate=25), *(scene(i, left=76, rate=25) for i in range(15, 50))]
    whole = pipeline_of(every, Watching(), tracker()).step(frames)
    cut = pipeline_of(every, Watching(), tracker())
    parts = [r for i in range(0, len(frames), size) for r in cut.step(frames[i : i + size])]
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_array_equal(one.tracks.xyxy, other.tracks.xyxy)
        np.testing.assert_array_equal(one.global_id, other.global_id)
        assert one.is_carried == other.is_carried


def test_what_was_found_holds_while_nothing_moves():
    still = [scene(i, left=50, rate=10) for i in range(8)]
    results = pipeline_of("auto", Watching(), tracker()).step(still)
    assert not any(each.is_carried for each in results)
    assert all(each.tracks.score.tolist() == pytest.approx([0.9]) for each in results)
    assert len({each.tracks.xyxy.tobytes() for each in results}) == 1


def test_who_walks_out_of_the_picture_is_not_carried_on():
    class Carrying(FakeTracker):
        def carried(self, time_s):
            return tracks((310, 80, 330, 140), (318, 80, 338, 140), score=0.0)

    results = pipeline_of(2, Watching(), Carrying()).step(walk(2))
    assert results[1].tracks.xyxy.tolist() == [[310, 80, 320, 140]]
    assert results[1].tracks.track_id.tolist() == [1]


def test_a_tracker_of_others_that_cannot_carry_has_no_tracks_in_between():
    results = pipeline_of(2, Watching(), FakeTracker()).step(walk(4))
    assert [len(each.tracks) for each in results] == [1, 0, 1, 0]


def test_a_tracker_that_began_anew_carries_nothing_of_before_and_keeps_its_numbers():
    restarting = RestartingTracker(tracker)
    pipeline = pipeline_of(2, Watching(), restarting)
    assert [r.tracks.track_id.tolist() for r in pipeline.step(walk(4))] == [[1]] * 4
    restarting.restart()
    rest = [r.tracks.track_id.tolist() for r in pipeline.step(walk(8)[3:])]
    assert rest == [[], [2], [2], [2], [2]]


def test_heads_would_stay_unblurred():
    tree = {"cameras": [{"name": "a", "source": "a.mp4"}], "output": {"blur_heads": True}}
    assert parse_settings(tree).detect.every == 1
    with pytest.raises(SettingsError, match=r"detect\.every auto would leave heads unblurred"):
        parse_settings({**tree, "detect": {"every": "auto"}})


@pytest.mark.parametrize("every", [0, -1, 1.5, "often", None])
def test_nonsense_is_refused(every):
    with pytest.raises(ValueError, match="every"):
        DetectSettings(every=every)
