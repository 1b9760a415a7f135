"""The live loop: fair, on time, and not to be stopped by one camera."""

import itertools
import threading

import numpy as np
import pytest

from pipeline.datatypes import Event
from pipeline.errors import OutputError
from pipeline.track.restarting import RestartingTracker
from support import builders
from support.fakes import FakeTracker
from support.live_fakes import PatientTracker, World


def rates(world):
    return [each.processed_fps for each in world.run.health()]


@pytest.mark.parametrize("cameras", [1, 4, 20])
def test_a_fast_machine_processes_every_frame_of_every_camera(cameras):
    world = World(cameras=cameras, fps=10)
    world.go(12)
    handed_out = sum(each.index for each in world.cameras.values())
    assert len(world.recorder.results) == handed_out
    assert rates(world) == pytest.approx([10] * cameras, rel=0.1)


@pytest.mark.parametrize("batch_size", [1, 3, 8])
def test_a_slow_detector_lowers_the_rate_of_all_cameras_evenly(batch_size):
    world = World(cameras=4, fps=25, frame_s=0.1, batch_size=batch_size)
    world.go(40)
    assert rates(world) == pytest.approx([2.5] * 4, rel=0.1)
    assert world.run.figures()["detector_fps"] == pytest.approx(10, rel=0.05)


def test_every_frame_is_shown_and_those_that_were_looked_at_count():
    world = World(cameras=1, fps=10, every=2)
    world.go(4)
    assert len(world.recorder.results) == world.cameras["c0"].index
    carried = [each.is_carried for each in world.recorder.results]
    assert carried == [False, True] * (len(carried) // 2) + [False] * (len(carried) % 2)
    registered = sum(count for kind, count in world.registry.calls if kind == "write")
    assert registered == carried.count(False)


@pytest.mark.parametrize("frame_s", [0.1, 0.3, 0.9])
def test_latency_stays_below_the_limit_however_slow_the_detector_is(frame_s):
    world = World(cameras=8, fps=25, frame_s=frame_s)
    world.go(30)  # the first step of all cameras still has to teach what a frame costs
    world.go(60)
    assert 0 < world.run.figures()["latency_p95_s"] <= 2.0
    assert min(rates(world)) > 0


def test_a_machine_with_hiccups_keeps_its_latency_too():
    """Every fifth step takes five times as long as the others."""
    world = World(cameras=8, fps=25, frame_s=0.1)
    steps = itertools.count()
    world.detector.frame_cost = lambda: 0.1 if next(steps) % 5 else 0.5
    world.go(30)
    latest = 0.0
    for _ in range(60):
        world.go(1)
        latest = max(latest, world.run.figures()["latency_p95_s"])
    assert 0 < latest <= 2.0


def test_frames_older_than_the_limit_are_never_processed_and_are_counted():
    world = World(cameras=2, fps=10)
    world.cameras["c1"].delay_s = 3.0
    world.go(5)
    assert {each.frame.camera for each in world.recorder.results} == {"c0"}
    health = world.run.health()[1]
    assert health.dropped == 3 + world.cameras["c1"].index
    assert health.dropped_fps > 5


def test_a_camera_whose_clock_is_behind_is_not_taken_for_late():
    world = World(cameras=1, fps=10)
    world.cameras["c0"].delay_s, world.cameras["c0"].skew_s = 1.9, -1.9
    world.go(12)
    assert rates(world) == pytest.approx([10], rel=0.1)
    assert world.run.health()[0].latency_p95_s < 0.5


def test_a_camera_that_raises_does_not_slow_the_others():
    world = World(cameras=3, fps=10)
    world.cameras["c1"].trouble = OSError("gone")
    world.go(12)
    assert rates(world) == pytest.approx([10, 0, 10], rel=0.1)
    world.cameras["c1"].trouble = None
    world.go(12)
    assert rates(world) == pytest.approx([10] * 3, rel=0.1)


def test_a_camera_whose_frames_break_the_detector_costs_the_others_one_step():
    world = World(cameras=3, fps=10, fails_for=["c1"])
    world.go(12)
    assert rates(world) == pytest.approx([10, 0, 10], rel=0.1)
    assert world.run.figures()["failed_steps_total"] > 0


def test_a_pipeline_that_always_fails_ends_the_run():
    world = World(cameras=1, fails_for=["c0"])
    with pytest.raises(RuntimeError, match="in a row"):
        world.go(60)


@pytest.mark.parametrize("blur_heads", [False, True])
def test_blurred_heads_are_all_that_is_kept_and_shown_but_not_what_is_embedded(blur_heads):
    world = World(cameras=1, fps=10, blur_heads=blur_heads)
    world.go(1)
    world.run.picture("c0")
    kept = world.recorder.results
    left, top, right, bottom = kept[-1].tracks.xyxy[0].astype(int)
    for image in [kept[-1].frame.image, *world.drawn_images]:
        person = image[top:bottom, left + 1 : right - 1]
        assert (person[: len(person) // 4].std() > 50) != blur_heads
        assert person[len(person) // 2 :].std() > 50
    assert len(world.drawn_images) == 1
    assert world.embedder.crops
    assert all(crop[: len(crop) // 4].std() > 50 for crop in world.embedder.crops)


def test_heads_are_blurred_before_there_is_a_track():
    world = World(cameras=1, fps=10, blur_heads=True, tracker=PatientTracker)
    world.go(1)
    kept = world.recorder.results[-1]
    assert not len(kept.tracks)
    left, top, right, bottom = kept.detected[0].astype(int)
    person = kept.frame.image[top:bottom, left + 1 : right - 1]
    assert person[: len(person) // 4].std() < 50
    assert person[len(person) // 2 :].std() > 50


def test_a_new_epoch_begins_new_tracks_and_reuses_no_number():
    world = World(cameras=2, fps=10)
    world.go(1)
    world.cameras["c0"].epoch += 1
    world.go(1)
    seen = {"c0": [], "c1": []}
    for each in world.recorder.results:
        seen[each.frame.camera] += each.tracks.track_id.tolist()
    assert seen["c0"] == sorted(seen["c0"])
    assert set(seen["c0"]) == {1, 2}
    assert set(seen["c1"]) == {1}


def test_time_that_jumps_back_restarts_the_tracker_and_disorder_drops_the_frame():
    world = World(cameras=1, fps=10)
    world.go(1)
    count = len(world.recorder.results)
    world.cameras["c0"].delay_s = 0.5
    world.go(0.15)
    assert len(world.recorder.results) == count
    world.cameras["c0"].delay_s = 1.8
    world.go(0.5)
    assert len(world.recorder.results) > count
    assert world.recorder.results[-1].tracks.track_id.tolist() == [2]


def test_a_restarted_tracker_without_tracks_goes_on_with_its_numbers():
    tracker = RestartingTracker(FakeTracker)
    none, one = builders.detections(), builders.detections((0, 0, 8, 20))
    nothing = (np.zeros(0, np.int64), np.zeros((0, 5), np.float32))
    tracker.update(one, 0.0, *nothing)
    tracker.restart()
    assert len(tracker.update(none, 1.0, *nothing)) == 0
    tracker.restart()
    assert tracker.update(one, 2.0, *nothing).track_id.tolist() == [2]


def test_a_tracker_goes_on_with_the_numbers_of_an_earlier_run():
    tracker = RestartingTracker(FakeTracker)
    tracker.number_from(1001)
    one, nothing = builders.detections((0, 0, 8, 20)), np.zeros(0, np.int64)
    assert tracker.update(one, 0.0, nothing, np.zeros((0, 5))).track_id.tolist() == [1001]
    tracker.restart()
    assert tracker.update(one, 1.0, nothing, np.zeros((0, 5))).track_id.tolist() == [1002]


def test_results_are_stored_before_they_are_shown_and_shown_ids_are_recorded():
    world = World(cameras=2, fps=10)
    world.go(0.05)
    assert world.registry.calls[:2] == [("write", 2), ("show", 2)]
    assert [each.global_id.tolist() for each in world.recorder.results] == [[11], [11]]
    assert world.outbox.events == world.recorder.events == [Event(0.0, "seen", 2)]


def test_the_keepers_are_called_each_second_also_without_frames():
    world = World(cameras=1)
    world.cameras["c0"].trouble = OSError("gone")
    world.go(5.5)
    assert world.recorder.ticks == 5
    assert world.registry.calls == [("write", 0)] * 5


def test_an_edit_by_hand_is_sent_once_and_logged():
    world = World(cameras=1)
    renamed = Event(0.0, "rename", 4)
    world.run.say(renamed)
    assert world.outbox.events == [renamed]
    world.cameras["c0"].trouble = OSError("gone")
    world.go(1.5)
    assert world.recorder.events == [renamed]
    assert len(world.outbox.events) == 1


def test_pictures_are_drawn_and_encoded_only_when_asked_for_and_once():
    world = World(cameras=1, fps=10)
    assert world.run.picture("c0") is None
    assert world.run.picture("nobody") is None
    world.go(1)
    assert world.drawn == world.encoded == 0
    first = world.run.picture("c0")
    assert world.run.picture("c0") == first
    assert (world.drawn, world.encoded) == (1, 1)
    world.go(0.2)
    number, jpeg = world.run.picture("c0")
    assert number > first[0]
    assert jpeg != first[1]


def test_the_gallery_is_saved_now_and_then_and_at_the_end_and_failures_do_not_stop_the_run():
    world = World(cameras=1, fps=10, gallery_interval_s=10)
    world.go(35)
    assert world.saved == 3
    world.save_error = OutputError("disk full")
    world.go(10)
    assert world.saved == 4
    assert rates(world) == pytest.approx([10], rel=0.1)
    stop = threading.Event()
    stop.set()
    world.run.run(stop)
    assert world.saved == 5


def test_doubts_of_the_matching_are_told_while_it_runs():
    world = World(cameras=1, fps=10)
    assert world.run.warnings() == []
    world.matcher.warnings = ["yard: people would be 5.6 m tall"]
    assert world.run.warnings() == ["yard: people would be 5.6 m tall"]
