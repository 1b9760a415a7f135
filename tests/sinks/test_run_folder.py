"""Making the folder of a run, and its record."""

import json
import os

import numpy as np
import pytest

from pipeline.errors import OutputError, SinkError
from pipeline.layout.files import write_atomically
from pipeline.sinks.encoder import VideoWriter
from pipeline.sinks.run_folder import RunFolder


def record(path):
    return json.loads((path / "run.json").read_text())


def test_a_run_is_incomplete_until_it_says_otherwise(tmp_path):
    folder = RunFolder(tmp_path / "runs" / "one", overwrite=False)
    assert not folder.path.exists()
    folder.start({"inputs": [1]})
    assert record(folder.path) == {"status": "incomplete", "inputs": [1]}
    folder.finish("complete", {"identities": 3})
    assert record(folder.path) == {"status": "complete", "inputs": [1], "identities": 3}


def test_an_empty_folder_may_be_used(tmp_path):
    RunFolder(tmp_path, overwrite=False).start({})
    assert record(tmp_path)["status"] == "incomplete"


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "out").write_text("precious")
    with pytest.raises(OutputError, match="is a file"):
        RunFolder(tmp_path / "out", overwrite=True)


def test_overwriting_takes_away_what_the_run_wrote_and_nothing_else(tmp_path):
    first = RunFolder(tmp_path / "out", overwrite=False)
    first.start({"settings": {"cameras": [{"name": "door"}]}})
    for name in ("mosaic.mp4.partial", "tracks.csv", "window.mp4", "notes.txt"):
        (first.path / name).write_text("x")
    with VideoWriter(first.path / "door.mp4") as video:
        video.write(np.zeros((64, 64, 3), np.uint8), 0.0)
    (first.path / "gallery" / "0001").mkdir(parents=True)
    first.close()
    second = RunFolder(first.path, overwrite=True)
    assert (first.path / "tracks.csv").exists()  # nothing goes before the run starts
    second.start({})
    second.close()
    assert {path.name for path in first.path.iterdir()} == {"run.json", "window.mp4", "notes.txt"}


def test_a_record_that_is_damaged_still_marks_a_run(tmp_path):
    (tmp_path / "run.json").write_text("{")
    (tmp_path / "tracks.csv").write_text("x")
    RunFolder(tmp_path, overwrite=True).start({})
    assert not (tmp_path / "tracks.csv").exists()


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    (tmp_path / f".file.{os.getpid()}.partial").symlink_to("/dev/full")
    with pytest.raises(SinkError, match="No space left"):
        write_atomically(path, b"new" * 10_000)
    assert path.read_bytes() == b"old"


def test_private_files_are_for_their_owner_alone(tmp_path):
    write_atomically(tmp_path / "file", b"x", private=True)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600
