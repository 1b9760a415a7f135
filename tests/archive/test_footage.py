"""Cameras and start times learnt from names, or from a manifest."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest

from pipeline.archive.footage import find_footage, read_manifest
from pipeline.errors import SourceError


def touch(folder, *files):
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).touch()


def find(folder, pattern=None):
    return find_footage(folder, suffixes={".mp4"}, pattern=pattern)


@pytest.mark.parametrize(
    "file",
    [
        "gate/20260105_235959.mp4",
        "gate/2026-01-05_23-59-59.MP4",
        "gate/2026-01-05/23-59-59.mp4",
        "gate_20260105_235959.mp4",
        "20260105_235959_gate.mp4",
    ],
)
def test_usual_names_are_guessed(file, tmp_path):
    touch(tmp_path, file)
    (found,) = find(tmp_path).recordings
    assert (found.file, found.camera) == (file, "gate")
    assert found.start == datetime(2026, 1, 5, 23, 59, 59, tzinfo=UTC)


def test_a_given_pattern_may_name_the_suffix(tmp_path):
    touch(tmp_path, "rec/05.01.2026 23h59 gate.mp4")
    pattern = "rec/{start:%d.%m.%Y %Hh%M} {camera}.mp4"
    (found,) = find(tmp_path, pattern).recordings
    assert found.camera == "gate"
    assert found.start == datetime(2026, 1, 5, 23, 59, tzinfo=UTC)


def test_what_disks_keep_of_deleted_files_is_passed_over_and_told(tmp_path):
    touch(tmp_path, "gate/20260105_235959.mp4")
    for name in ("#recycle", "@eaDir/x", "$RECYCLE.BIN", "lost+found", "@Recycle/gate"):
        touch(tmp_path, f"{name}/20260105_080000.mp4")
    found = find(tmp_path)
    assert [each.camera for each in found.recordings] == ["gate"]
    assert len(found.notes) == 5
    assert "#recycle is passed over: it holds deleted files of a disk" in found.notes


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("{camera}.mp4", "must hold"),
        ("{camera}_{start:%Q}", "%Q is not known"),
        ("{camera}_{start:%Y%m%d}", "fit"),
        ("{camera}/{start:%H%M%S}", "no date"),
        ("{camera}/{start:%Y%m%d%Y}", "%Y twice"),
    ],
)
def test_a_wrong_pattern_is_refused(pattern, reason, tmp_path):
    touch(tmp_path, "gate/20260105_235959.mp4")
    with pytest.raises(SourceError, match=reason):
        find(tmp_path, pattern)


def test_a_file_that_fits_no_pattern_is_named(tmp_path):
    touch(tmp_path, "gate/20260105_235959.mp4", "gate/holiday.mp4")
    with pytest.raises(SourceError, match=r"gate/holiday.mp4 does not fit .* \(1 of 2"):
        find(tmp_path)


def test_hidden_files_and_other_files_are_left_out(tmp_path):
    touch(tmp_path, ".trash/a.mp4", "gate/._20260105_235959.mp4", "notes.txt")
    with pytest.raises(SourceError, match="holds no video"):
        find(tmp_path)


def test_a_manifest_names_files_cameras_and_times_with_an_offset(tmp_path):
    touch(tmp_path, "a.mp4", "b.mp4")
    path = tmp_path / "list.csv"
    path.write_text(
        "path,camera,start\nb.mp4,door,2026-01-05T12:00:00+02:00\na.mp4,gate,2026-01-05\n"
    )
    found = read_manifest(path, tmp_path).recordings
    assert [(each.file, each.camera, each.start.hour) for each in found] == [
        ("a.mp4", "gate", 0),
        ("b.mp4", "door", 10),
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("path,camera\na.mp4,gate\n", "lacks the columns start"),
        ("path,camera,start\n", "names no file"),
        ("path,camera,start\nmissing.mp4,gate,2026-01-05\n", "line 2: missing.mp4"),
        ("path,camera,start\na.mp4,my gate,2026-01-05\n", "line 2: camera 'my gate'"),
        ("path,camera,start\na.mp4,gate,noon\n", "line 2: start 'noon'"),
        ("path,camera,start\n../a.mp4,gate,2026-01-05\n", "line 2: path '../a.mp4'"),
        ("path,camera,start\na.mp4,gate,2026-01-05\na.mp4,gate,2026-01-05\n", "named twice"),
    ],
)
def test_a_fault_in_a_manifest_is_told_with_its_line(text, reason, tmp_path):
    touch(tmp_path, "a.mp4")
    path = tmp_path / "list.csv"
    path.write_text(text)
    with pytest.raises(SourceError, match=reason):
        read_manifest(path, tmp_path)


def test_two_files_of_one_camera_never_begin_at_once(tmp_path):
    touch(tmp_path, "gate/20260105_235959.mp4", "gate/20260105_235959.mkv")
    with pytest.raises(SourceError, match=r"both of camera gate from 2026-01-05 23:59:59"):
        find_footage(tmp_path, suffixes={".mp4", ".mkv"}, pattern=None)


def test_linked_folders_are_read_once_and_circles_end(tmp_path):
    touch(tmp_path / "footage", "gate/20260105_235959.mp4")
    touch(tmp_path / "elsewhere", "20260105_080000.mp4")
    (tmp_path / "footage" / "yard").symlink_to("../elsewhere")
    (tmp_path / "footage" / "again").symlink_to("gate")
    (tmp_path / "footage" / "circle").symlink_to(".")
    found = find(tmp_path / "footage")
    assert [each.file for each in found.recordings] == [
        "yard/20260105_080000.mp4",
        "gate/20260105_235959.mp4",
    ]
    assert list(found.notes) == [
        "again leads to a folder that was read under another name",
        "circle leads to a folder that was read under another name",
    ]


def test_what_is_passed_over_is_told(tmp_path):
    touch(tmp_path, "gate/20260105_235959.mp4", "gate/a.mpg", "gate/b.MPG", "gate/.hidden.dav")
    touch(tmp_path, "gate/notes")
    (tmp_path / "gate" / "20260105_000000.mp4").symlink_to("/nowhere.mp4")
    os.mkfifo(tmp_path / "gate" / "20260105_000001.mp4")
    assert list(find(tmp_path).notes) == [
        "gate/20260105_000000.mp4 is a link that leads nowhere",
        "gate/20260105_000001.mp4 is no regular file",
        "files with other suffixes were passed over: 2 .mpg, 1 none",
    ]
    touch(tmp_path / "other", "gate/a.dav")
    with pytest.raises(SourceError, match=r"holds no video \(files with other suffixes .* 1 \.dav"):
        find(tmp_path / "other")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (["Front Door/20260105_080000.mp4"], "a camera 'Front Door' has characters beyond"),
        (["yard/20260230_080000.mp4"], "there is no date or time 20260230_080000"),
        (["yard/20260105_080000.mp4", "Yard/20260105_090000.mp4"], "differ in case alone"),
        ([os.fsdecode(b"gate/20260105_080000 b\xfcro.mp4")], "is no UTF-8"),
    ],
)
def test_the_part_of_a_name_that_does_not_fit_is_told(files, said, tmp_path):
    touch(tmp_path, *files)
    pattern = "{camera}/{start:%Y%m%d_%H%M%S} " + os.fsdecode(b"b\xfcro")
    with pytest.raises(SourceError, match=said):
        find(tmp_path, pattern if "UTF" in said else None)


def test_a_manifest_of_a_spreadsheet_is_read(tmp_path):
    touch(tmp_path, "a b.mp4")
    manifest = tmp_path / "m.csv"
    manifest.write_bytes("\ufeffpath;camera;start\r\na b.mp4;NA;2026-01-05T08:00\r\n".encode())
    (found,) = read_manifest(manifest, tmp_path).recordings
    assert (found.file, found.camera) == ("a b.mp4", "NA")


@pytest.mark.parametrize(
    "start",
    [
        "2026-01-05T08:00:00+25:00",
        "2026-01-05 08:00 Europe/Berlin",
        "2026-02-30T08:00:00",
        "2016-12-31T23:59:60",
        "0000-01-05T08:00:00",
        "9999-12-31T23:59:59",
        "1767600000",
        "05.01.2026 08:00",
        "01/05/2026 8:00 AM",
        "",
    ],
)
def test_a_manifest_with_a_time_that_cannot_be_is_one_line(start, tmp_path):
    touch(tmp_path, "a.mp4")
    path = tmp_path / "list.csv"
    path.write_text(f"path,camera,start\na.mp4,gate,{start}\n")
    with pytest.raises(SourceError, match=r"list.csv, line 2: ") as caught:
        read_manifest(path, tmp_path)
    assert "\n" not in str(caught.value)


def test_a_time_zone_fourteen_hours_ahead_is_the_day_before(tmp_path):
    touch(tmp_path, "a.mp4")
    path = tmp_path / "list.csv"
    path.write_text("path,camera,start\na.mp4,gate,2026-01-05T08:00:00+14:00\n")
    [recording] = read_manifest(path, tmp_path).recordings
    assert recording.start.isoformat() == "2026-01-04T18:00:00+00:00"
