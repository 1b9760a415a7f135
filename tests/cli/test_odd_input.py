"""Odd names, odd files and odd folders, given to every command: one line, and nothing is touched."""

from __future__ import annotations

import os
import struct

import onnx
import pytest

from pipeline.cli import main
from pipeline.errors import SourceError
from pipeline.folders import look_through
from pipeline.sources.camera_names import names_for
from support.assets import REPOSITORY
from support.colour_network import write_colour_network
from support.made_up_run import write_made_up_run
from support.random_weights import write_random_weights
from support.video_files import write_video

DETECTOR = REPOSITORY / "pipeline/detect/weights/person_detector.onnx"
LONG = "x" * 300


@pytest.fixture
def refused(capsys):
    def check(*arguments: object, told: str = "") -> None:
        assert main([str(each) for each in arguments]) == 2
        lines = [line for line in capsys.readouterr().err.splitlines() if line.strip()]
        assert lines[-1].startswith("error: ")
        assert told in lines[-1]
        assert sum(line.startswith(("error", "Traceback")) for line in lines) == 1

    return check


@pytest.fixture
def made_up(tmp_path):
    return write_made_up_run(tmp_path / "run", [(1, "door", 0, 5), (2, "yard", 3, 9)], crops=1)


def a_terabyte_of_nothing(path):
    with path.open("wb") as file:
        file.truncate(1 << 40)


ODD_FILES = {
    "a terabyte of nothing": a_terabyte_of_nothing,
    "nothing": lambda path: path.touch(),
    "a link to itself": lambda path: path.symlink_to(path),
    "a folder": lambda path: path.mkdir(),
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "memory of a process": lambda path: path.symlink_to(f"/proc/{os.getpid()}/mem"),
}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (name, kind)
        for name in ("video.mp4", "boxes.csv", "settings.yaml", "gallery.npz")
        for kind in ODD_FILES
        # Settings of an empty file are the usual ones, and boxes of one are none.
        if kind != "nothing" or name not in {"settings.yaml", "boxes.csv"}
        if kind != "memory of a process" or name != "gallery.npz"  # its lock would lie in /proc
    ],
)
def test_an_odd_file_in_place_of_an_input(name, kind, tmp_path, refused):
    good = write_video(tmp_path / "door.mp4", frames=1)
    (tmp_path / "good.csv").write_text("camera,frame,x,y,w,h\ndoor,0,1,2,30,40\n")
    weights = write_colour_network(tmp_path / "colour.xml")
    odd = tmp_path / name
    ODD_FILES[kind](odd)
    given = {"--cams": good, "--detections": tmp_path / "good.csv", "--weights": weights}
    option = {".mp4": "--cams", ".csv": "--detections", ".yaml": "--config", ".npz": "--gallery"}
    given |= {option[odd.suffix]: odd, "--out": tmp_path / "out"}
    refused("run", *(part for pair in given.items() for part in pair), told=name)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["export", "{run}", "--format", "mot", "--out", LONG],
        ["report", "{run}", "--out", LONG],
        ["report", LONG],
        ["edit", LONG, "undo"],
        ["forget", LONG, "--identity", "1", "--yes"],
        ["prune", LONG, "--keep-days", "1", "--yes"],
        ["evaluate", "{run}", "--ground-truth", LONG],
        ["crops", LONG, "--out", "crops"],
        ["crops", "{video}", "--out", LONG],
        ["batch", LONG, "--out", "archive"],
        ["batch", "{folder}", "--out", LONG],
        ["run", "--cams", "{video}", "--out", LONG],
        ["run", "--cams", LONG],
        ["run", "--cams", "{video}", "--weights", LONG],
        ["run", "--cams", "{video}", "--config", LONG],
        ["run", "--cams", "{video}", "--detections", LONG],
        ["run", "--cams", "{video}", "--gallery", f"{LONG}.npz"],
        ["live", "--cams", "rtsp://127.0.0.1:9/x", "--out", LONG],
        ["live", "--cams", "rtsp://127.0.0.1:9/x", "--config", LONG],
        ["search", "{run}", LONG],
        ["calibrate", LONG],
    ],
    ids=lambda each: " ".join(each).replace(LONG, "LONG"),
)
def test_a_name_that_is_too_long(arguments, made_up, tmp_path, monkeypatch, refused):
    monkeypatch.chdir(tmp_path)
    footage = tmp_path / "footage"
    footage.mkdir()
    video = write_video(footage / "door_20260105_080000.mp4", frames=1)
    refused(*(each.format(run=made_up, video=video, folder=footage) for each in arguments))


def test_names_of_videos_become_safe_names_of_cameras():
    names = ["it's", "line\nbreak", '"q"', "-dash", "con", ".", "1", "nan", "ü" * 60, "a" * 250]
    names += [" x ", "%s", "[b]", "*", "mosaic", "\u202e", "\udcfc"]
    for name in names:
        [made] = names_for([f"/v/{name}.mp4"], taken=())
        assert set(made) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
        assert 1 <= len(made) <= 64


def test_two_names_of_videos_that_become_one_name_of_a_camera_are_refused():
    with pytest.raises(SourceError, match="name the cameras in a camera list"):
        names_for(["/v/a b.mp4", "/v/a_b.mp4"], taken=())


@pytest.mark.parametrize("name", ["no", "01", "1", "1e3", "0x10", "2026-01-05", "con", "NA"])
def test_a_camera_list_may_call_a_camera_so(name, tmp_path, capsys):
    video = write_video(tmp_path / "a.mp4", frames=1)
    cameras = tmp_path / "cameras.yaml"
    cameras.write_text(f"cameras:\n- name: {name}\n  source: {video}\n")
    boxes = tmp_path / "boxes.csv"
    boxes.write_text("camera,frame,x,y,w,h\nsomebody,0,1,2,30,40\n")
    arguments = ["--cams", str(cameras), "--detections", str(boxes), "--out", str(tmp_path / "o")]
    assert main(["run", *arguments]) == 2
    assert f"the cameras of this run are {name}: rename" in capsys.readouterr().err


HEADERS = {
    "zero bytes": b"",
    "a header of 4 exabytes": struct.pack("<Q", 1 << 62) + b"{}",
    "a header longer than the file": struct.pack("<Q", 10**8) + b"{}",
    "a header that is nested": struct.pack("<Q", 200_000) + b"[" * 200_000,
    "places beyond the end": b'"data_offsets":[9',
    "a shape of more numbers": b'"shape":[9',
}


@pytest.mark.parametrize("kind", HEADERS)
def test_weights_with_a_lying_header(kind, tmp_path, refused):
    content = HEADERS[kind]
    path = write_random_weights(tmp_path / "w.safetensors")
    if content.startswith(b'"'):
        content = path.read_bytes().replace(content[:-1], content, 1)
    path.write_bytes(content)
    video = write_video(tmp_path / "a.mp4", frames=1)
    refused("run", "--cams", video, "--weights", path, "--out", tmp_path / "o", told=str(path))


@pytest.mark.parametrize("place", ["gone.data", "../../../../../../../etc/passwd"])
def test_an_onnx_detector_whose_weights_are_elsewhere(place, tmp_path, refused):
    model = onnx.load(str(DETECTOR))
    path = tmp_path / "d.onnx"
    onnx.save_model(model, str(path), save_as_external_data=True, location="d.data")
    model = onnx.load(str(path), load_external_data=False)
    for tensor in model.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == "location":
                entry.value = place
    path.write_bytes(model.SerializeToString())
    (tmp_path / "d.data").unlink()
    video = write_video(tmp_path / "a.mp4", frames=1)
    refused("run", "--cams", video, "--detector", path, "--out", tmp_path / "o", told=str(path))


def to_folder(path):
    path.unlink()
    path.mkdir()


BROKEN_RUNS = {
    "a record nested without end": ("run.json", lambda path: path.write_text("[" * 10**5)),
    "a record with a number of 5,000 digits": (
        "run.json",
        lambda path: path.write_text('{"status": "complete", "frames": ' + "9" * 5000 + "}"),
    ),
    "an empty record": ("run.json", lambda path: path.write_bytes(b"")),
    "a folder in place of the record": ("run.json", to_folder),
    "numbers of 30 digits": (
        "identities.csv",
        lambda path: path.write_text(path.read_text().replace("\n1,", f"\n{'9' * 30},")),
    ),
    "a folder in place of boxes": ("tracks.csv", to_folder),
    "an empty file of boxes": ("tracks.csv", lambda path: path.write_bytes(b"")),
}


@pytest.mark.parametrize("kind", BROKEN_RUNS)
def test_a_run_whose_files_are_not_what_they_are_called(kind, made_up, tmp_path, refused):
    name, spoil = BROKEN_RUNS[kind]
    spoil(made_up / name)
    refused("export", made_up, "--format", "csv", "--out", tmp_path / "e", told=name)
    assert not (tmp_path / "e").exists()


@pytest.mark.parametrize("number", ["9" * 30, "0", "-1", "1.5", "one"])
def test_an_identity_that_cannot_be(number, made_up, refused):
    refused("forget", made_up, "--identity", number, "--yes")
    refused("edit", made_up, "rename", number, "Anna")


@pytest.mark.parametrize("name", ["x" * 5000, "\u202ebill", "\udcfc", "a\0b"])
def test_a_name_that_changes_how_others_are_read(name, made_up, refused):
    refused("edit", made_up, "rename", "1", name, told="a name ")
    assert not (made_up / "edits.jsonl").exists()


def test_so_many_days_that_no_calendar_has_them(made_up, refused):
    refused("prune", made_up, "--keep-days", "99999999999", "--yes", told="--keep-days")


def test_a_device_in_place_of_a_photograph(tmp_path, refused):
    refused("crops", "/dev/null", "--out", tmp_path / "c", told="a device")


def test_a_link_into_what_may_not_be_looked_at_is_passed_over(tmp_path, monkeypatch):
    class Locked:
        name = "there.mp4"

        def is_symlink(self):
            return True

        def is_dir(self):
            raise PermissionError(13, "Permission denied")

        is_file = is_dir

    monkeypatch.setattr(os, "scandir", lambda _path: [Locked()])
    content = look_through(tmp_path, suffixes={".mp4"}, below=True)
    assert content.files == []
    assert content.notes == ["there.mp4 is a link that leads nowhere"]
