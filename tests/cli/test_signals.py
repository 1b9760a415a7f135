"""SIGTERM and Ctrl-C in the middle of real commands."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from support.assets import REPOSITORY
from support.colour_network import write_colour_network
from support.people import write_people, write_recipe
from support.small_archives import arguments, write_footage
from support.small_runs import write_scene

TIMEOUT_S = 300


def interrupt(command, number, *, when):
    """Send a signal to a command once something is there; return exit code and errors."""
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY), "CI": "true"},
    )
    end_s = time.monotonic() + TIMEOUT_S
    while not when() and process.poll() is None and time.monotonic() < end_s:
        time.sleep(0.02)
    process.send_signal(number)
    _, err = process.communicate(timeout=TIMEOUT_S)
    assert "Traceback" not in err
    assert err.rstrip().endswith("error: interrupted")
    assert err.count("error: ") == 1
    return process.returncode


def status_of(path):
    return json.loads(path.read_text())["status"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_interrupted_run_says_so_and_leaves_no_halves(number, tmp_path):
    scene = write_scene(tmp_path / "scene", frames=600)
    out = tmp_path / "out"
    run = ["pipeline", "run", "--cams", *map(str, sorted(scene.glob("*.mp4"))), "--out", str(out)]
    tracks = out / "tracks.csv"
    assert interrupt(run, number, when=tracks.exists) == 128 + number
    assert status_of(out / "run.json") == "interrupted"
    assert not [each for each in out.rglob("*") if "partial" in each.name or "lock" in each.name]
    assert tracks.read_text().startswith("camera,frame,")


@pytest.mark.parametrize("engine", ["process", "processes", "ray"])
def test_an_interrupted_batch_says_so(engine, tmp_path):
    weights = write_colour_network(tmp_path / "colour.xml")
    footage = write_footage(tmp_path / "footage", cameras=2, frames=200)
    out = tmp_path / "archive"
    workers = [] if engine == "process" else ["--workers", "2"]
    batch = ["pipeline", *arguments(footage, weights, out, "--engine", engine, *workers)]
    code = interrupt(batch, signal.SIGTERM, when=(out / "archive.json").exists)
    assert code == 128 + signal.SIGTERM
    assert status_of(out / "archive.json") == "interrupted"
    assert not (out / "work" / "lock").exists()


def test_an_interrupted_training_can_go_on(tmp_path):
    recipe = write_recipe(tmp_path / "small.yaml", write_people(tmp_path / "people"), steps=5000)
    out = tmp_path / "run"
    train = ["reid_model", "train", "--cpu", "--config", str(recipe), "--out", str(out)]
    code = interrupt(train, signal.SIGTERM, when=(out / "state.pt").exists)
    assert code == 128 + signal.SIGTERM
    assert not list(out.glob("*.partial"))
    assert (out / "last.safetensors").is_file()
