"""Old recordings make room, and disks that are full or cannot be written."""

import pytest

from pipeline.errors import OutputError
from pipeline.health import RecordingStatus
from pipeline.sinks.live.disk import free_bytes
from support import recordings
from support.recorder_world import PLENTY, World
from support.recordings import wait_until


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
    with pytest.raises(OutputError, match="another run writes to"):
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
        tmp_path / "rec", free=lambda _folder: free[0], min_free_mb=200, min_free_log_mb=20
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
