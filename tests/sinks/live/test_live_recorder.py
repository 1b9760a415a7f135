"""The recorder as a live run uses it: complete, restartable, and never in the way."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.datatypes import Event
from pipeline.health import RecordingStatus
from pipeline.layout.run import TRACK_COLUMNS
from support import recordings
from support.recorder_world import LazyPictures, World, recording_threads
from support.recordings import NOON_S, pictures_of, seen, wait_until


def test_tracks_events_and_video_of_all_cameras_are_recorded(world):
    world.steps_at_ease(20, cameras=("a", "b"), persons=2)
    new = Event(1.5, "new", 1, name="=1+1 ü")
    world.recorder.event(new)
    world.close()
    rows = recordings.track_rows(world.folder)
    assert [(r["camera"], int(r["frame"]), int(r["track_id"])) for r in rows] == [
        (camera, frame, track) for frame in range(20) for camera in "ab" for track in (1, 2)
    ]
    assert recordings.events(world.folder) == [new.as_json()]
    for camera in "ab":
        (path,) = recordings.videos(world.folder, camera)
        assert len(recordings.frame_times(path)) == 20


def test_rows_have_the_columns_of_a_run_and_the_time_of_the_calendar(world):
    world.step()
    world.close()
    (row,) = recordings.track_rows(world.folder)
    assert list(row) == [*TRACK_COLUMNS, "time", "run"]
    assert float(row["time_s"]) == NOON_S
    assert row["time"] == row["run"] == "2027-01-15T12:00:00.000Z"


@pytest.mark.parametrize("camera", ["-x", "=cmd", "+1", "@SUM"])
def test_no_cell_is_a_formula(world, camera):
    world.step(cameras=(camera,))
    world.close()
    assert recordings.track_rows(world.folder)[0]["camera"] == f"'{camera}"


def test_nothing_found_and_nothing_shown_is_recorded_as_nothing(world):
    world.recorder.write([], {})
    world.step(persons=0)
    world.recorder.tick()
    world.close()
    assert recordings.track_rows(world.folder) == []


def test_everything_is_for_the_owner_alone(world):
    world.step()
    world.recorder.event(Event(0.0, "new", 1))
    world.close()
    modes = {recordings.mode(path) for path in world.folder.rglob("*") if path.is_file()}
    folders = {recordings.mode(p) for p in [world.folder, *world.folder.rglob("*")] if p.is_dir()}
    assert (modes, folders) == ({"0o600"}, {"0o700"})


def test_no_thread_is_left_and_closing_twice_or_writing_late_does_nothing(world):
    assert sorted(recording_threads()) == ["recording-logs", "recording-video"]
    assert world.recorder.state.status is RecordingStatus.RECORDING
    world.close()
    assert recording_threads() == []
    world.step()
    world.recorder.event(Event(0.0, "new", 1))
    world.recorder.tick()
    world.close()
    assert str(world.recorder.state) == "off"
    assert world.rows() == []


def test_without_video_there_is_no_thread_for_it_and_no_picture_is_asked_for(tmp_path):
    world = World(tmp_path / "rec", video=False)
    results = [seen(time_s=NOON_S)]
    pictures = LazyPictures(pictures_of(results))
    world.recorder.write(results, pictures)
    assert recording_threads() == ["recording-logs"]
    assert world.recorder.state.video is RecordingStatus.OFF
    assert "recording_video" not in world.recorder.figures()
    world.close()
    assert pictures.asked == []
    assert world.rows() == [0]
    assert not (world.folder / "video").exists()


def test_a_slow_encoder_costs_pictures_and_no_rows_and_those_dropped_are_not_drawn(tmp_path):
    world = World(tmp_path / "rec", video_fps=60)
    asked = []
    for index in range(60):
        results = [seen(index=index, time_s=NOON_S + index / 10, size=(1920, 1080))]
        pictures = LazyPictures(pictures_of(results))
        world.recorder.write(results, pictures)
        asked += pictures.asked
    dropped = world.recorder.figures()["unrecorded_frames_total"]
    world.close()
    (path,) = recordings.videos(world.folder)
    assert dropped > 0
    assert len(recordings.frame_times(path)) == len(asked) == 60 - dropped
    assert world.rows() == list(range(60))


@pytest.mark.parametrize(("max_fps", "kept"), [(60, 50), (10, 20), (5, 10)])
def test_video_keeps_no_more_pictures_a_second_than_wanted(tmp_path, max_fps, kept):
    world = World(tmp_path / "rec", video_fps=max_fps)
    for index in range(50):
        results = [seen(index=index, time_s=NOON_S + index / 25)]
        world.recorder.write(results, pictures_of(results))
        wait_until(lambda: not world.recorder.figures()["recording_waiting_frames"])
    world.close()
    assert len(recordings.frame_times(recordings.videos(world.folder)[0])) == kept


def test_a_camera_that_falls_silent_has_its_segment_finished(world):
    world.steps_at_ease(3)
    world.clock.now += 11
    wait_until(lambda: recordings.videos(world.folder), "the segment")
    assert len(recordings.frame_times(recordings.videos(world.folder)[0])) == 3


def test_all_but_the_last_second_survives_kill_9_and_the_next_run_goes_on(tmp_path):
    folder = tmp_path / "rec"
    command = [sys.executable, "-m", "support.recording_child", str(folder), "45"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=Path(recordings.__file__).parents[1]
    ) as child:
        try:
            assert child.stdout.readline() == "written\n"
            wait_until(lambda: len(recordings.track_rows(folder)) == 45, "the rows")
            wait_until(lambda: len(recordings.events(folder)) == 45, "the events")
        finally:
            child.send_signal(signal.SIGKILL)
    (partial,) = recordings.videos(folder, pattern="*")
    assert partial.name.endswith(".partial")
    assert len(recordings.frame_times(partial)) == 43
    (newest,) = (folder / "tracks").glob("*.csv")
    with newest.open("a") as file:
        file.write("cam,45,18000")

    world = World(folder)
    (adopted,) = recordings.videos(folder, pattern="*")
    assert adopted.name == partial.name.removesuffix(".partial")
    assert len(recordings.frame_times(adopted)) == 43
    world.steps_at_ease(2)
    world.close()
    assert world.rows() == [*range(45), 0, 1]
    assert len({row["run"] for row in recordings.track_rows(folder)}) == 2
    assert len(recordings.videos(folder)) == 2
