from __future__ import annotations

import logging
import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import SettingsError, SourceError
from pipeline.settings import CAMERA_NAME, RESERVED_CAMERA_NAMES
from pipeline.sources import resolve_cameras
from pipeline.sources.camera_names import names_for
from pipeline.sources.stream_address import public_part


@pytest.fixture
def folder(tmp_path):
    """Makes empty files: resolving looks at names alone."""

    def make(*names):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return tmp_path

    return make


def names(*specs):
    return [camera.name for camera in resolve_cameras([str(spec) for spec in specs])]


def refusal(*specs, kind=SourceError):
    with pytest.raises(kind) as caught:
        resolve_cameras([str(spec) for spec in specs])
    assert "\n" not in str(caught.value)
    return str(caught.value)


def write_list(path, text):
    path.write_text(textwrap.dedent(text))
    return path


def test_files_are_named_by_their_stem_and_keep_their_order(folder):
    root = folder("b.mp4", "a.mkv", "no_suffix")
    cameras = resolve_cameras([str(root / name) for name in ("b.mp4", "a.mkv", "no_suffix")])
    assert [camera.name for camera in cameras] == ["b", "a", "no_suffix"]
    assert [Path(camera.source) for camera in cameras] == [
        root / "b.mp4",
        root / "a.mkv",
        root / "no_suffix",
    ]


def test_a_folder_gives_its_own_videos_in_counting_order(folder):
    root = folder(
        "cam10.mp4", "cam2.mp4", "cam1.MP4", "ground_truth.csv", "._cam1.mp4", "deeper/cam3.mp4"
    )
    assert names(root) == ["cam1", "cam2", "cam10"]


def test_a_glob_gives_the_videos_among_its_matches(folder):
    root = folder("cam1.mp4", "cam2.mp4", "cam1.csv", "other.mp4", "cam3.mp4/inside.txt")
    assert names(root / "cam*") == ["cam1", "cam2"]
    assert names(root / "cam[2-9].mp4") == ["cam2"]


def test_two_stars_look_into_folders(folder):
    root = folder("top.mp4", "a/one.mp4", "a/b/two.mp4")
    assert sorted(names(root / "**/*.mp4")) == ["one", "top", "two"]


def test_a_relative_glob_counts_from_the_working_folder(folder, monkeypatch):
    monkeypatch.chdir(folder("cam1.mp4", "cam2.mp4"))
    assert names("*.mp4") == ["cam1", "cam2"]


def test_a_file_whose_name_looks_like_a_glob_is_a_file(folder):
    root = folder("cam[1].mp4", "cam1.mp4")
    assert names(root / "cam[1].mp4") == ["cam_1_"]


def test_several_kinds_of_values_go_together(folder):
    root = folder("x.mp4", "more/y1.mp4", "more/y2.mp4")
    assert names(root / "x.mp4", root / "more", "rtsp://host/z") == ["x", "y1", "y2", "host_z"]


def test_unsafe_characters_become_underscores_and_are_announced(folder, caplog):
    root = folder("front door (1)é.mp4")
    with caplog.at_level(logging.INFO, logger="pipeline.sources"):
        assert names(root) == ["front_door__1__"]
    assert "front_door__1__" in caplog.text


def test_names_of_the_run_folder_are_avoided(folder):
    root = folder("mosaic.mp4", "Run.mp4")
    assert names(root / "mosaic.mp4", root / "Run.mp4") == ["mosaic_camera", "Run_camera"]


def test_files_of_one_name_get_their_folders_in_front(folder):
    root = folder("a/cam.mp4", "b/cam.mp4", "b/other.mp4")
    assert names(root / "a", root / "b") == ["a_cam", "b_cam", "other"]


def test_as_many_folders_as_it_takes(folder):
    root = folder("x/day/cam.mp4", "y/day/cam.mp4")
    assert names(root / "x/day/cam.mp4", root / "y/day/cam.mp4") == ["x_day_cam", "y_day_cam"]


def test_names_that_differ_in_case_alone_are_told_apart(folder):
    root = folder("a/Cam.mp4", "b/cam.mp4")
    assert names(root / "a", root / "b") == ["a_Cam", "b_cam"]


def test_a_derived_name_makes_way_for_an_explicit_one(folder):
    root = folder("a/cam.mp4", "b/cam.mp4")
    cameras = write_list(root / "list.yaml", "cameras: [{name: cam, source: a/cam.mp4}]")
    assert names(cameras, root / "b") == ["cam", "b_cam"]


def test_names_that_cannot_be_told_apart_are_refused(folder):
    root = folder("a.mp4", "a.mkv")
    assert "camera list" in refusal(root)


def test_a_camera_list_gives_everything_a_camera_has(folder):
    root = folder("videos/hall.mp4")
    cameras = write_list(
        root / "cameras.yml",
        """
        cameras:
          - name: hall
            source: videos/hall.mp4
            time_offset_s: -1.5
            region: [[0, 0], [100, 0], [100, 50]]
            min_box_height_px: 40
          - name: gate
            source: rtsp://user:pw@gate/1
        """,
    )
    hall, gate = resolve_cameras([str(cameras)])
    assert Path(hall.source) == root / "videos/hall.mp4"
    assert (hall.name, hall.time_offset_s, hall.min_box_height_px) == ("hall", -1.5, 40)
    assert hall.region == [(0, 0), (100, 0), (100, 50)]
    assert (gate.name, gate.source) == ("gate", "rtsp://user:pw@gate/1")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cameras: [{name: a, source: a.mp4, sauce: 1}]", "cameras.0: unknown setting 'sauce'"),
        ("cameras: [{name: a, source: a.mp4, time_offset_s: soon}]", "cameras.0: time_offset_s"),
        ("cameras: [{name: a b, source: a.mp4}]", "no safe file name"),
        ("cameras: [{name: a, source: a.mp4, region: [[0, 0], [1, 1]]}]", "at least 3 items"),
        ("cameras: [{name: a}]", "cameras.0: source"),
        ("cameras: [a.mp4]", "cameras.0"),
        ("cameras: [{name: a, source: none.mp4}]", "none.mp4 does not exist"),
        ("cameras: [{name: a, source: a.mp4}, {name: A, source: b.mp4}]", "two cameras are named"),
        ("cameras: [{name: a, source: a.mp4}, {name: b, source: ./a.mp4}]", "given twice"),
        ("cameras: []", "at least one camera"),
        ("cameras: {a: a.mp4}", "at least one camera"),
        ("", "at least one camera"),
        ("camera: [{name: a, source: a.mp4}]", "got camera"),
        ("cameras: [{name: a, source: a.mp4}]\nextra: 1", "got cameras, extra"),
    ],
)
def test_what_is_wrong_in_a_camera_list_is_named(folder, text, said):
    root = folder("a.mp4", "b.mp4")
    assert said in refusal(write_list(root / "list.yaml", text))


def test_a_camera_list_that_is_no_yaml(folder):
    path = write_list(folder() / "list.yaml", "cameras: [")
    message = refusal(path, kind=SettingsError)
    assert "camera list" in message
    assert "list.yaml" in message


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("none.mp4", "none.mp4 does not exist"),
        ("none*.mp4", "no file matches"),
        ("*.csv", "none of the 1 files that match"),
        ("texts", "holds no video (files with other suffixes were passed over: 2 .txt)"),
        ("none.yaml", "none.yaml does not exist"),
    ],
)
def test_values_that_match_nothing_are_named(folder, spec, said):
    root = folder("a.csv", "texts/a.txt", "texts/b.txt")
    assert said in refusal(root / spec)


def test_no_value_at_all():
    assert "no camera was given" in refusal()


@pytest.mark.parametrize("second", ["a.mp4", "./a.mp4", ".", "*.mp4", "link.mp4"])
def test_one_file_twice_is_refused(folder, second, monkeypatch):
    root = folder("a.mp4", "links/.keep")
    monkeypatch.chdir(root)
    if second == "link.mp4":
        (root / second).symlink_to(root / "a.mp4")
    assert "twice" in refusal("a.mp4", second)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("rtsp://10.0.0.7:554/main", "10.0.0.7:554/main"),
        ("rtsp://user:pw@host/main", "host/main"),
        ("rtsp://user@domain:pw@host/main", "host/main"),
        ("rtsp://user:p/w@host/main", "host/main"),
        ("rtsp://user:p?w@host/main", "host/main"),
        ("rtsp://user:p#w@host/main", "host/main"),
        ("http://host/video?token=secret", "host/video"),
        ("http://:pw@host/", "host"),
    ],
)
def test_addresses_are_shown_without_secrets(address, shown):
    assert public_part(address) == shown


def test_streams_are_named_by_host_and_path():
    assert names("rtsp://user:pw@10.0.0.7/main?t=1", "http://gate.local/2") == [
        "10_0_0_7_main",
        "gate_local_2",
    ]


@given(st.lists(st.text(min_size=1, max_size=80), min_size=1, max_size=6, unique=True))
def test_derived_names_are_valid_and_unique_or_refused(stems):
    sources = [
        f"/videos/{number}/{stem.replace('/', '-')}.mp4" for number, stem in enumerate(stems)
    ]
    try:
        derived = names_for(sources, taken=[])
    except SourceError:
        return
    assert all(CAMERA_NAME.fullmatch(name) for name in derived)
    assert len({name.lower() for name in derived}) == len(sources)
    assert not RESERVED_CAMERA_NAMES & {name.lower() for name in derived}


def test_a_long_source_that_is_no_address_is_read_in_no_time():
    """Searching for a scheme at every place took seconds for each."""
    assert public_part("rtsp:/" + "A" * 200_000).startswith("rtsp:/A")


def test_cameras_of_one_recorder_are_told_apart_by_their_numbers():
    address = "rtsp://u:p@10.0.0.5/realmonitor?channel={}&subtype=0"
    assert names_for([address.format(1), address.format(2)], taken=[]) == [
        "channel_1_subtype_0_10_0_0_5_realmonitor",
        "channel_2_subtype_0_10_0_0_5_realmonitor",
    ]
