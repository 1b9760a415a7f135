"""Files are there whole or not at all, and a full disk is one line."""

import os
import subprocess
import sys

import pytest
import torch

from reid_model.errors import OutputError
from reid_model.training.curves import CurveLog
from reid_model.training.state import RunState, read_state, write_state
from reid_model.writing import make_folder, write_atomically
from support.people import write_people, write_recipe

STATE = RunState(1, {"network": {"w": torch.zeros(4)}}, torch.zeros(2), -1.0, 0.0, "{}")


def fill_disk(path):
    """Let the next writing of a file fail, as on a full disk."""
    path.with_name(f".{path.name}.{os.getpid()}.partial").symlink_to("/dev/full")


def test_a_full_disk_is_one_line_with_the_file_and_the_room(tmp_path):
    path = tmp_path / "weights"
    fill_disk(path)
    with pytest.raises(OutputError) as caught:
        write_atomically(path, b"x" * 3_000_000)
    message = str(caught.value)
    assert str(path) in message
    assert "No space left on device; it needs 3.0 MB; " in message
    assert " MB are free" in message
    assert "\n" not in message
    assert not list(tmp_path.iterdir())


def test_what_was_there_before_stays(tmp_path):
    path = tmp_path / "state.pt"
    write_state(STATE, path)
    fill_disk(path)
    with pytest.raises(OutputError, match=r"state\.pt could not be written"):
        write_state(STATE, path)
    assert read_state(path).step == 1


def test_curves_survive_a_resumption_on_a_full_disk(tmp_path):
    log = CurveLog(tmp_path, after=0)
    log.write(1, {"loss": 2.0})
    log.close()
    before = (tmp_path / "curves.csv").read_text()
    fill_disk(tmp_path / "curves.csv")
    with pytest.raises(OutputError, match=r"curves\.csv could not be written"):
        CurveLog(tmp_path, after=1)
    assert (tmp_path / "curves.csv").read_text() == before == "step,curve,value\n1,loss,2\n"


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match=r"folder .*file/below cannot be made"):
        make_folder(tmp_path / "file" / "below")


def test_a_training_on_a_full_disk_ends_with_one_line(tmp_path):
    recipe = write_recipe(tmp_path / "small.yaml", write_people(tmp_path / "people"), steps=6)
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs -o size=3m tmpfs "$0" && exec "$@"']
    if subprocess.run([*mount, str(disk), "true"], check=False, capture_output=True).returncode:
        pytest.skip("no small disk can be mounted here")
    train = [sys.executable, "-m", "reid_model", "train", "--cpu"]
    train += ["--config", str(recipe), "--out", str(disk / "run")]
    done = subprocess.run(
        [*mount, str(disk), *train], check=False, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    last = " ".join(done.stderr.split("error: ")[-1].split())
    assert "last.safetensors could not be written (No space left on device; it needs" in last
