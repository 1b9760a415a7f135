"""What is deleted: what is too old or too much, oldest first, and nothing that is not ours."""

import subprocess
from pathlib import Path

import pytest

from pipeline.layout.recording import Kind, Recorded, iso_utc, recorded_files
from pipeline.sinks.live.retention import Retention, expired
from support.recordings import NOON_S, small_disk

FOR_EVER = Retention(logs_s=None, video_s=None, max_bytes=None)


def recorded(kind, age_s, *, size=10, partial=False):
    path = Path(f"{kind}-{age_s}-{partial}")
    return Recorded(path, kind, NOON_S - age_s, size, partial)


def ages(files, keep, in_use=()):
    return [
        (each.kind.value, NOON_S - each.begun_s)
        for each in expired(files, keep, now_s=NOON_S, in_use=in_use)
    ]


def test_nothing_is_deleted_where_nothing_is_or_all_is_kept():
    many = [recorded(kind, age) for kind in Kind for age in (1, 10, 1e9)]
    assert ages([], Retention(logs_s=1, video_s=1, max_bytes=1)) == []
    assert ages(many, FOR_EVER) == []


def test_logs_and_videos_have_ages_of_their_own():
    files = [recorded(kind, age) for kind in Kind for age in (5, 15, 25)]
    keep = Retention(logs_s=20, video_s=10, max_bytes=None)
    assert sorted(ages(files, keep)) == [
        ("events", 25),
        ("tracks", 25),
        ("video", 15),
        ("video", 25),
    ]


@pytest.mark.parametrize(
    ("max_bytes", "left"), [(100, 6), (60, 6), (59, 5), (35, 3), (20, 2), (5, 0)]
)
def test_the_oldest_videos_go_first_and_then_the_oldest_logs(max_bytes, left):
    order = [
        ("video", 3),
        ("video", 2),
        ("video", 1),
        ("tracks", 9),
        ("events", 8),
        ("tracks", 7),
    ]
    files = [recorded(Kind(kind), age) for kind, age in reversed(order)]
    keep = Retention(logs_s=None, video_s=None, max_bytes=max_bytes)
    assert ages(files, keep) == order[: 6 - left]


def test_files_being_written_count_but_are_never_deleted():
    files = [
        recorded(Kind.TRACKS, 99),
        recorded(Kind.VIDEO, 98, size=1000, partial=True),
        recorded(Kind.VIDEO, 1),
    ]
    keep = Retention(logs_s=5, video_s=5, max_bytes=50)
    assert ages(files, keep, in_use={files[0].path}) == [("video", 1)]


def test_only_recorded_files_are_seen_and_deleted(tmp_path):
    ours = [
        "tracks/tracks-20200101T000000.000Z.csv",
        "events/events-20200101T000000.000Z.jsonl",
        "video/cam-1/cam-1-20200101T000000.000Z.mp4",
    ]
    theirs = [
        "notes.txt",
        "tracks/notes.csv",
        "tracks/tracks-20200101T000000.000Z.jsonl",
        "tracks/tracks-20209999T000000.000Z.csv",
        "tracks/tracks-20200101T000000.000Z.csv.bak",
        "events/tracks-20200101T000000.000Z.csv",
        "video/cam-20200101T000000.000Z.mp4",
        "video/cam-1/cam-2-20200101T000000.000Z.mp4",
        "video/cam-1/holiday.mp4",
        "video/cam-1/more/cam-1-20200101T000000.000Z.mp4",
    ]
    for name in [*ours, *theirs]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / "video/cam-1/cam-1-20200102T000000.000Z.mp4").symlink_to(tmp_path / "notes.txt")
    (tmp_path / "video/link").symlink_to(tmp_path / "video/cam-1")
    assert {str(each.path.relative_to(tmp_path)) for each in recorded_files(tmp_path)} == set(ours)
    keep = Retention(logs_s=1, video_s=1, max_bytes=1)
    assert keep.apply(tmp_path, now_s=NOON_S, in_use=()) == 3
    assert not any((tmp_path / name).exists() for name in ours)
    assert all((tmp_path / name).exists() for name in theirs)
    assert keep.apply(tmp_path, now_s=NOON_S, in_use=()) == 0


def test_a_file_that_cannot_be_deleted_keeps_no_other_one(tmp_path):
    with small_disk(tmp_path / "disk", "1m") as disk:
        (disk / "tracks").mkdir()
        paths = [disk / "tracks" / f"tracks-2020010{day}T000000.000Z.csv" for day in (1, 2)]
        for path in paths:
            path.write_text("x")
        # What is mounted cannot be deleted, whoever tries.
        subprocess.run(["mount", "--bind", str(paths[0]), str(paths[0])], check=True)
        keep = Retention(logs_s=1, video_s=1, max_bytes=1)
        assert keep.apply(disk, now_s=NOON_S, in_use=()) == 1
        assert [path.exists() for path in paths] == [True, False]
        subprocess.run(["umount", str(paths[0])], check=True)


def test_a_folder_that_is_not_there_has_no_files(tmp_path):
    assert FOR_EVER.apply(tmp_path / "none", now_s=NOON_S, in_use=()) == 0


def test_the_time_of_a_file_is_that_in_its_name(tmp_path):
    (tmp_path / "tracks").mkdir()
    (tmp_path / "tracks/tracks-20270115T120000.250Z.csv").write_text("x")
    (file,) = recorded_files(tmp_path)
    assert (file.begun_s, file.size, file.kind) == (NOON_S + 0.25, 1, Kind.TRACKS)
    assert iso_utc(file.begun_s) == "2027-01-15T12:00:00.250Z"
