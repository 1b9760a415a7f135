"""The recorder as a live run uses it: complete, restartable, and never in the way."""

import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from pipeline.datatypes import Event
from pipeline.errors import OutputError
from pipeline.health import RecordingStatus
from pipeline.layout.run import TRACK_COLUMNS
from pipeline.live_settings import RecordingSettings
from pipeline.sinks.live.disk import free_bytes
from pipeline.sinks.live.recorder import LiveRecorder
from support import recordings
from support.recordings import NOON_S, PATIENCE_S, Clock, pictures_of, seen, wait_until

PLENTY = 10**12


class World:
    """A recorder on clocks that the test moves, with as much room as it says."""

    def __init__(self, folder, *, free=lambda _folder: PLENTY, **settings):
        self.folder = folder
        self.wall, self.clock = Clock(), Clock(0.0)
        settings = {"least_free_mb": 0.5, "least_free_log_mb": 0.1, **settings}
        self.recorder = LiveRecorder(
            folder, RecordingSettings(**settings), wall=self.wall, clock=self.clock, free=free
        )
        self.steps = 0

    def step(self, cameras=("cam",), **options):
        """Record one frame of each camera, a tenth of a second after those before."""
        time_s = NOON_S + self.steps / 10
        results = [seen(name, self.steps, time_s=time_s, **options) for name in cameras]
        self.recorder.write(results, pictures_of(results))
        self.steps += 1

    def steps_at_ease(self, count, **options):
        """Record frames no faster than they are encoded."""
        for _ in range(count):
            self.step(**options)
            wait_until(lambda: not self.recorder.figures().get("recording_waiting_frames"))

    def rows(self):
        return [int(row["frame"]) for row in recordings.track_rows(self.folder)]

    def close(self):
        self.recorder.close(timeout_s=PATIENCE_S)


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path / "rec")
    yield world
    world.close()


class LazyPictures(Mapping):
    """Remembers which pictures were asked for."""

    def __init__(self, pictures):
        self._pictures, self.asked = pictures, []

    def __getitem__(self, camera):
        self.asked.append(camera)
        return self._pictures[camera]

    def __iter__(self):
        return iter(self._pictures)

    def __len__(self):
        return len(self._pictures)


def recording_threads():
    return [each.name for each in threading.enumerate() if each.name.startswith("recording-")]


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


@pytest.mark.parametrize(("most_fps", "kept"), [(60, 50), (10, 20), (5, 10)])
def test_video_keeps_no_more_pictures_a_second_than_wanted(tmp_path, most_fps, kept):
    world = World(tmp_path / "rec", video_fps=most_fps)
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


def test_what_is_too_old_is_deleted_and_what_is_written_is_not(tmp_path):
    folder = tmp_path / "rec"
    (folder / "tracks").mkdir(parents=True)
    old = folder / "tracks" / "tracks-20200101T000000.000Z.csv"
    old.write_text("a\n1\n")
    world = World(folder, keep_days=1, rotate_s=86_400)
    wait_until(lambda: not old.exists(), "the old log to go")
    world.step()
    wait_until(lambda: world.rows() == [0])
    world.wall.now += 3600
    world.clock.now += 61
    world.step()
    wait_until(lambda: world.rows() == [0, 1])
    world.close()


def test_old_recordings_make_room_for_new_ones(tmp_path):
    world = World(tmp_path / "rec", keep_gb=2e-5, segment_s=1)
    world.steps_at_ease(100)
    world.close()
    assert len(recordings.videos(world.folder)) == 10
    world = World(tmp_path / "rec", keep_gb=2e-5, segment_s=1)
    wait_until(lambda: len(recordings.videos(world.folder)) < 10, "videos to go")
    world.close()
    names = [path.name for path in recordings.videos(world.folder)]
    assert names[-1] == "cam-20270115T120009.000Z.mp4"
    assert sum(path.stat().st_size for path in world.folder.rglob("*.*")) <= 20_000
    assert len(world.rows()) == 100


@pytest.mark.parametrize(("free_gb", "warned"), [(1, True), (100, False)])
def test_a_disk_smaller_than_what_is_to_be_kept_is_told_at_the_start(
    tmp_path, caplog, free_gb, warned
):
    World(tmp_path / "rec", free=lambda _folder: free_gb * 10**9, keep_gb=50).close()
    assert ("lower keep_gb" in caplog.text) is warned


def test_two_runs_do_not_record_into_one_folder(world):
    with pytest.raises(OutputError, match="another run records into"):
        World(world.folder)
    world.close()
    World(world.folder).close()


def test_a_folder_that_cannot_be_read_is_told_at_the_start_and_not_held(tmp_path):
    folder = tmp_path / "rec"
    folder.mkdir()
    (folder / "video").symlink_to(folder / "video")
    with pytest.raises(OutputError, match="symbolic links"):
        World(folder)
    (folder / "video").unlink()
    World(folder).close()


def test_a_folder_that_cannot_be_made_is_told_at_the_start(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="choose another folder"):
        World(tmp_path / "file" / "rec")


def test_video_pauses_first_then_the_logs_and_both_go_on_when_there_is_room(tmp_path):
    free = [PLENTY]
    world = World(
        tmp_path / "rec", free=lambda _folder: free[0], least_free_mb=200, least_free_log_mb=20
    )
    shown = []
    for megabytes in (1000, 150, 12, 24, 26, 240, 260):
        free[0] = megabytes * 1_000_000
        world.clock.now += 5
        world.recorder.tick()
        wait_until(lambda: world.recorder.figures()["disk_free_bytes"] == free[0])
        world.steps_at_ease(1)
        shown.append(str(world.recorder.state).replace(str(world.folder), "DIR"))
        if megabytes == 150:
            wait_until(lambda: recordings.videos(world.folder), "the segment to be finished")
    assert shown == [
        "recording",
        "video paused: disk full: 150 MB free under DIR, needs 250",
        "paused: disk full: 12 MB free under DIR, needs 25",
        "paused: disk full: 24 MB free under DIR, needs 25",
        "video paused: disk full: 26 MB free under DIR, needs 250",
        "video paused: disk full: 240 MB free under DIR, needs 250",
        "recording",
    ]
    world.close()
    assert world.rows() == list(range(7))
    assert [len(recordings.frame_times(p)) for p in recordings.videos(world.folder)] == [1, 1]


def test_a_disk_that_is_really_full_pauses_raises_nothing_and_loses_no_line(tmp_path):
    with recordings.small_disk(tmp_path / "disk", "4m") as disk:
        world = World(disk / "rec")
        world.steps_at_ease(15)
        wait_until(lambda: len(world.rows()) == 15)
        filler = recordings.fill(disk, leave=0)
        for _ in range(100):
            world.step(persons=20)
        wait_until(lambda: world.recorder.state.logs is RecordingStatus.PAUSED)
        assert "No space left on device" in str(world.recorder.state)
        assert world.recorder.figures()["recording"] == 0
        world.steps_at_ease(15)
        filler.unlink()
        world.clock.now += 31
        wait_until(lambda: str(world.recorder.state.logs) == "recording")
        world.steps_at_ease(15)
        world.close()
        assert world.rows() == [
            *range(15),
            *[frame for frame in range(15, 115) for _ in range(20)],
            *range(115, 145),
        ]
        for path in recordings.videos(world.folder):
            assert len(recordings.frame_times(path)) > 0
        assert recordings.videos(world.folder, pattern="*.partial") == []


def test_a_start_on_a_full_disk_waits_for_room(tmp_path):
    with recordings.small_disk(tmp_path / "disk", "4m") as disk:
        World(disk / "rec").close()
        filler = recordings.fill(disk, leave=0)
        world = World(disk / "rec", free=free_bytes)
        assert "disk full: 0 MB free under" in str(world.recorder.state)
        world.steps_at_ease(3)
        filler.unlink()
        world.clock.now += 5
        world.recorder.tick()
        wait_until(lambda: world.recorder.state.status is RecordingStatus.RECORDING)
        world.close()
        assert world.rows() == [0, 1, 2]


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
