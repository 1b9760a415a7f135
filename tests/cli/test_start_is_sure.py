"""A run that cannot start leaves the earlier one as it was."""

import errno
import os
import resource
import shutil
from pathlib import Path

import numpy as np
import pytest

from pipeline.cli import main
from pipeline.detect import replay
from pipeline.errors import OutputError
from pipeline.jobs.start import check_open_files
from pipeline.sinks import run_folder
from support.colour_network import write_colour_network
from support.small_runs import run, write_scene


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    weights = write_colour_network(folder / "colour.xml")
    scene = write_scene(folder / "scene", cameras=1, frames=8, people=1)
    assert run(scene, weights, folder / "run") == 0
    return folder


@pytest.fixture
def work(made, tmp_path):
    shutil.copytree(made, tmp_path / "work")
    return tmp_path / "work"


def again(work, *flags):
    return run(
        work / "scene",
        work / "colour.xml",
        work / "run",
        "--overwrite",
        "--no-video",
        *flags,
    )


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class BrokenDetector:
    name = "broken"

    def __init__(self, *_, **__):
        self.frames = 0

    def detect(self, frames):
        self.frames += len(frames)
        raise RuntimeError("Check failed\n4 channels expected, 3 given")


def test_a_detector_that_fails_on_a_black_frame_removes_nothing(work, monkeypatch, capsys):
    monkeypatch.setattr(replay, "ReplayDetector", BrokenDetector)
    before = contents(work / "run")
    assert again(work) == 2
    error = capsys.readouterr().err.strip()
    assert error.startswith("error: the detector or the embedder fails on a black picture")
    assert "4 channels expected" in error
    assert contents(work / "run") == before


def test_a_record_that_cannot_be_written_removes_nothing(work, monkeypatch, capsys):
    before = contents(work / "run")

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(run_folder, "write_atomically", full)
    assert again(work) == 2
    assert "make room" in capsys.readouterr().err
    after = contents(work / "run")
    assert {path: after[path] for path in before} == before


@pytest.mark.parametrize("name", ["scene/cam1.mp4", "scene/boxes.csv", "scene/settings.yaml", "w"])
def test_a_named_pipe_is_refused_and_never_waited_for(name, work, capsys):
    pipe = work / "pipe"
    os.mkfifo(pipe)
    flags = {
        "scene/cam1.mp4": ["--cams", str(pipe)],
        "scene/boxes.csv": ["--detections", str(pipe)],
        "scene/settings.yaml": ["--config", str(pipe)],
        "w": ["--gallery", str(pipe)],
    }
    given = ["run", "--cams", str(work / "scene" / "cam1.mp4"), "--out", str(work / "new")]
    given += ["--weights", str(work / "colour.xml"), "--no-video"]
    if name == "scene/cam1.mp4":
        given = ["run", "--out", str(work / "new")]
    assert main([*given, *flags[name]]) == 2
    assert "is a named pipe" in capsys.readouterr().err
    assert not (work / "new").exists()


def test_the_limit_on_open_files_is_named_before_anything_is_removed(work, monkeypatch, capsys):
    before = contents(work / "run")
    monkeypatch.setattr(resource, "getrlimit", lambda _: (4, 4))
    assert again(work) == 2
    error = capsys.readouterr().err
    assert "may have 4" in error
    assert "ulimit -n" in error
    assert contents(work / "run") == before


def test_without_video_half_as_many_files_are_needed(monkeypatch):
    open_now = len(list(Path("/proc/self/fd").iterdir()))
    monkeypatch.setattr(resource, "getrlimit", lambda _: (open_now + 60, open_now + 60))
    check_open_files(40, video=False)
    with pytest.raises(Exception, match="--no-video"):
        check_open_files(40, video=True)


def test_two_runs_may_not_meet_in_one_folder(tmp_path):
    first = run_folder.RunFolder(tmp_path / "out", overwrite=False)
    second = run_folder.RunFolder(tmp_path / "out", overwrite=False)
    first.start({"settings": np.zeros(0).tolist()})
    with pytest.raises(OutputError, match=r"another command works|exists already"):
        second.start({})
    first.close()
