"""A run folder belongs to one command that writes into it."""

import json

import pytest

from pipeline.errors import OutputError
from pipeline.sinks.run_folder import RunFolder, run_lock


def test_of_two_runs_that_start_together_one_is_refused(tmp_path):
    first, second = (RunFolder(tmp_path / "out", overwrite=False) for _ in range(2))
    first.start({})
    with pytest.raises(OutputError, match="another command works on"):
        second.start({})
    first.finish("complete", {})
    first.close()
    # It was checked when nothing was there yet.
    with pytest.raises(OutputError, match="exists already"):
        second.start({})
    assert json.loads((tmp_path / "out" / "run.json").read_text())["status"] == "complete"


def test_a_run_is_not_overwritten_while_it_goes_on(tmp_path):
    first = RunFolder(tmp_path / "out", overwrite=False)
    first.start({})
    second = RunFolder(tmp_path / "out", overwrite=True)
    with pytest.raises(OutputError, match="another command works on"):
        second.start({})
    first.close()
    with run_lock(tmp_path / "out"), pytest.raises(OutputError, match="another command"):
        second.start({})
    second.start({})
    second.close()


def test_a_run_that_ended_early_leaves_no_halves(tmp_path):
    folder = RunFolder(tmp_path / "out", overwrite=False)
    folder.start({"settings": {"cameras": [{"name": "door"}]}})
    for name in ("tracks.csv", "tracks.csv.partial", "door.mp4.partial", "notes.partial"):
        (folder.path / name).write_text("x")
    folder.finish("interrupted", {"reason": "a signal"})
    folder.close()
    left = {each.name for each in folder.path.iterdir()}
    assert left == {"run.json", "tracks.csv", "notes.partial"}
    assert json.loads((folder.path / "run.json").read_text())["status"] == "interrupted"
