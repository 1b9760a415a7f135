"""Pipes in the place of models, tables and records: refused, and never waited for."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from pipeline.cli import main
from support.made_up_run import write_made_up_run
from support.video_files import write_video


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    write_made_up_run(folder / "run", [(1, "door", 0, 5), (2, "yard", 3, 9)])
    write_video(folder / "door.mp4", frames=2)
    return folder


@pytest.fixture
def work(made, tmp_path, monkeypatch):
    shutil.copytree(made, tmp_path / "work")
    monkeypatch.chdir(tmp_path / "work")


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("d.xml", ["run", "--cams", "door.mp4", "--detector", "d.xml", "--out", "new"]),
        ("d.onnx", ["run", "--cams", "door.mp4", "--detector", "d.onnx", "--out", "new"]),
        ("d.pt", ["run", "--cams", "door.mp4", "--detector", "d.pt", "--out", "new"]),
        ("w.safetensors", ["search", "run", "--image", "w.safetensors"]),
        ("w.xml", ["calibrate", "run", "--weights", "w.xml"]),
        ("truth.xml", ["evaluate", "run", "--ground-truth", "truth.xml"]),
        ("ids.json", ["calibrate", ".", "--identities", "ids.json"]),
        ("run/run.json", ["report", "run"]),
        ("run/run.json", ["run", "--cams", "door.mp4", "--out", "run", "--overwrite"]),
        ("run/identities.csv", ["report", "run"]),
        ("run/edits.jsonl", ["edit", "run", "rename", "1", "Anna"]),
        ("run/tracks.csv", ["forget", "run", "--identity", "1", "--yes"]),
        ("run/events.jsonl", ["forget", "run", "--identity", "1", "--yes"]),
        ("run/embeddings.parquet", ["search", "run", "--identity", "1"]),
    ],
    ids=lambda each: each if isinstance(each, str) else each[0],
)
def test_a_pipe_is_refused(name, arguments, work, capsys):
    if os.path.lexists(name):
        Path(name).unlink()
    os.mkfifo(name)
    assert main(arguments) == 2
    error = capsys.readouterr().err.strip()
    assert error.splitlines()[-1].startswith("error: ")
    assert not os.path.lexists("new")
