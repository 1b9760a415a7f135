"""Machines that lack what libraries take for granted: a home, a user's name, libGL."""

import os
import subprocess
import sys

import pytest

from support.assets import REPOSITORY
from support.small_runs import write_scene

UNKNOWN = "54321"
"""A user who has no name, may read everything (the interpreter too), and write nowhere."""
AS_UNKNOWN = [
    *("setpriv", "--reuid", UNKNOWN, "--regid", UNKNOWN, "--clear-groups"),
    *("--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search"),
]
TIMEOUT_S = 300


def call(*arguments, cwd, wrapper=(), **environment):
    """Call a command with an environment of its own; return its exit code, output and errors."""
    given = {"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY), **environment}
    done = subprocess.run(
        [*wrapper, sys.executable, "-m", *arguments],
        check=False,
        cwd=cwd,
        env=given | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def place(tmp_path):
    """A folder that everybody may write, below folders that everybody may enter."""
    if subprocess.run([*AS_UNKNOWN, "true"], check=False, capture_output=True).returncode:
        pytest.skip("only the administrator can be somebody else")
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_mode & 0o055 != 0o055:
            folder.chmod(0o755)
    (tmp_path / "place").mkdir()
    (tmp_path / "place").chmod(0o777)
    return tmp_path / "place"


def test_a_user_without_a_name_and_a_home_can_run(place, tmp_path):
    scene = write_scene(tmp_path / "scene", cameras=1)
    code, _, err = call(
        *("pipeline", "run", "--cams", str(scene / "cam1.mp4"), "--out", "out"),
        cwd=place,
        wrapper=AS_UNKNOWN,
        TMPDIR=str(place),
    )
    assert code == 0, err
    # No folder called `~`, and one for caches.
    assert {each.name for each in place.iterdir()} == {"out", f"reid-pipeline-{UNKNOWN}"}


def test_matplotlib_does_not_warn_of_a_home_that_cannot_be_written(place):
    program = (
        "from reid_model.home import ensure_home; ensure_home();"
        "from matplotlib.figure import Figure; Figure().savefig('plot.png')"
    )
    (place / "home").mkdir(mode=0o755)
    done = subprocess.run(
        [*AS_UNKNOWN, sys.executable, "-c", program],
        check=False,
        cwd=place,
        env={"HOME": str(place / "home"), "TMPDIR": str(place), "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (place / "plot.png").is_file()


NEED_OPENCV = [
    ("pipeline", "run", "--help"),
    ("reid_model", "train", "--config", "a", "--out", "b"),
]


@pytest.mark.parametrize("command", NEED_OPENCV)
def test_a_machine_without_libgl_gets_one_line(command, tmp_path):
    # OpenCV as it fails where its libraries are not installed.
    (tmp_path / "cv2.py").write_text(
        "raise ImportError('libxcb.so.1: cannot open shared object file: No such file')"
    )
    code, _, err = call(*command, cwd=tmp_path, PYTHONPATH=f"{tmp_path}:{REPOSITORY}", CI="true")
    assert code == 2
    assert err.count("\n") == 1
    assert "apt-get install libgl1 libglib2.0-0 libxcb1" in err


def test_too_little_memory_for_a_library_is_one_line(tmp_path):
    # OpenCV as it fails under `ulimit -v`.
    (tmp_path / "cv2.py").write_text(
        "raise ImportError('libQt5Core.so.5: failed to map segment from shared object')"
    )
    path = f"{tmp_path}:{REPOSITORY}"
    code, _, err = call("pipeline", "report", "x", cwd=tmp_path, PYTHONPATH=path, CI="true")
    assert code == 2
    assert err.count("\n") == 1
    assert "libQt5Core.so.5 cannot be loaded: allow more memory" in err
