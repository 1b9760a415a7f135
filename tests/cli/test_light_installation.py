"""The light installation: everything with the built-in networks on a CPU, without torch."""

import os
import shutil
import subprocess
import sys

import pytest

from reid_model.installation import FULL_ONLY, missing_package
from support.assets import REPOSITORY, SAMPLE_VIDEOS
from support.small_runs import write_scene

TIMEOUT_S = 300
WITHOUT = f"""
import sys
from importlib.machinery import PathFinder

class Without(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.split(".")[0] in {FULL_ONLY!r} else super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Without
"""
"""Read by every interpreter that starts, so by workers and camera readers too."""
COMMANDS = """
import sys
from {package}.cli import main
from reid_model.program import run_program

def all_of_them():
    for arguments in {commands!r}:
        if code := main(arguments):
            return code
    return 0

if __name__ == "__main__":
    sys.exit(run_program(lambda: all_of_them))
"""


@pytest.fixture
def call(tmp_path):
    """Run commands one after the other without torch; give exit code and errors."""
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "sitecustomize.py").write_text(WITHOUT)

    def run(*commands, package="pipeline"):
        program = tmp_path / "commands.py"
        texts = [[str(each) for each in command] for command in commands]
        program.write_text(COMMANDS.format(package=package, commands=texts))
        done = subprocess.run(
            [sys.executable, program],
            check=False,
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": f"{tmp_path / 'path'}:{REPOSITORY}", "CI": "true"},
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
        )
        return done.returncode, done.stderr

    return run


def test_what_blocks_them_blocks_them(call):
    for name in FULL_ONLY:
        code, errors = call(["train"], package=name)
        assert code == 1
        assert f"No module named '{name}'" in errors


def test_files_are_processed_searched_reported_exported_and_scored(call, tmp_path):
    truth = SAMPLE_VIDEOS / "ground_truth.csv"
    code, errors = call(
        ["run", "--cams", SAMPLE_VIDEOS / "lobby.mp4", "--max-seconds", 2, "--out", "run"],
        ["search", "run", "--identity", 1, "--json", "found.json"],
        ["report", "run"],
        ["export", "run", "--format", "mot", "--out", "mot"],
        [
            *("evaluate", "run", "--ground-truth", truth, "--camera", "lobby"),
            "--json",
            "scores.json",
        ],
    )
    assert code == 0, errors
    for written in ("run/lobby.mp4", "run/report.html", "found.json", "scores.json", "mot"):
        assert (tmp_path / written).exists()


def test_archives_and_live_cameras_are_processed(call, tmp_path):
    scene = write_scene(tmp_path / "scene", cameras=2, frames=15)
    for camera in ("cam1", "cam2"):
        (tmp_path / "footage" / camera).mkdir(parents=True)
        file = tmp_path / "footage" / camera / "20260105_080000.mp4"
        shutil.copy(scene / f"{camera}.mp4", file)
    workers = ["--engine", "processes", "--workers", 2]
    code, errors = call(
        ["batch", "footage", "--out", "archive", *workers],
        ["live", "--cams", scene / "cam1.mp4", "--realtime", "--no-serve", "--out", "recording"],
    )
    assert code == 0, errors
    assert (tmp_path / "archive" / "report.html").exists()
    assert (tmp_path / "recording" / "recording.json").exists()


VIDEO = SAMPLE_VIDEOS / "lobby.mp4"
NEED_TORCH = {
    "a GPU": ("pipeline", ["run", "--cams", VIDEO, "--device", "cuda"]),
    "a detector of ultralytics": ("pipeline", ["run", "--cams", VIDEO, "--detector", "no.pt"]),
    "a GPU for cameras": ("pipeline", ["live", "--cams", "usb://7", "--device", "cuda"]),
    "training": (
        "reid_model",
        ["train", "--config", REPOSITORY / "configs/train_paper.yaml", "--out", "trained"],
    ),
}


@pytest.mark.parametrize("what", NEED_TORCH)
def test_what_needs_torch_says_in_one_line_what_to_install(call, what):
    package, arguments = NEED_TORCH[what]
    code, errors = call(arguments, package=package)
    assert code == 2, errors
    assert errors.count("\n") == 1
    assert "which the light installation leaves out" in errors
    assert "pip install reid-pipeline\n" in errors


def test_other_imports_that_fail_are_left_alone():
    assert missing_package(ModuleNotFoundError("No module named 'x'", name="x")) is None
    assert missing_package(ImportError("torch")) is None
