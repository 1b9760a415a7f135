"""How a command starts and ends: real processes, real signals."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from reid_model.home import ensure_home
from reid_model.program import missing_library

TIMEOUT_S = 60


def start(work, *, load="return main", before="", wrapper=(), **options):
    """A program whose command line runs ``work`` and says ``ready`` when it is in it."""
    program = f"""
import hashlib, os, signal, sys, time
from reid_model import program

{textwrap.dedent(before)}

def main():
    print("ready", flush=True)
{textwrap.indent(textwrap.dedent(work), "    ")}
    return 0

def load():
{textwrap.indent(textwrap.dedent(load), "    ")}

sys.exit(program.run_program(load))
"""
    return subprocess.Popen(
        [*wrapper, sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def end(process, *signals):
    """Wait until it is ready, send signals; return exit code, further output and errors."""
    assert process.stdout.readline() == "ready\n", process.communicate(timeout=TIMEOUT_S)[1]
    for number in signals:
        time.sleep(0.1)
        process.send_signal(number)
    out, err = process.communicate(timeout=TIMEOUT_S)
    return process.returncode, out, err


SLEEP = "time.sleep(100)"
CLOSE = "try:\n    time.sleep(100)\nfinally:\n    print('closed', flush=True)"
STUCK = "hashlib.pbkdf2_hmac('sha256', b'x', b'y', 10**9)"  # no step of Python for minutes


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_closes_files_and_ends_with_one_line(number):
    assert end(start(CLOSE), number) == (128 + number, "closed\n", "error: interrupted\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_libraries_are_imported_ends_at_once(number):
    load = f"print('ready', flush=True)\n{CLOSE}"
    assert end(start(SLEEP, load=load), number) == (128 + number, "", "error: interrupted\n")


def test_a_second_signal_does_not_wait_for_files():
    work = "try:\n    time.sleep(100)\nfinally:\n    time.sleep(100)"
    found = end(start(work), signal.SIGINT, signal.SIGTERM)
    assert found == (143, "", "error: interrupted\n")


@pytest.mark.parametrize(
    "work", [STUCK, "try:\n    time.sleep(100)\nexcept BaseException:\n    time.sleep(100)"]
)
def test_what_does_not_end_by_itself_is_ended(work):
    code, _, err = end(start(work, before="program.STOP_S = 0.5"), signal.SIGTERM)
    assert code == 143
    assert err == "error: interrupted, and ended as it did not end within 0.5 s\n"


def test_what_a_library_makes_of_an_interruption_is_no_traceback():
    work = "try:\n    time.sleep(100)\nexcept KeyboardInterrupt:\n    raise RuntimeError('broken')"
    assert end(start(work), signal.SIGTERM) == (143, "", "error: interrupted\n")


def test_an_interruption_that_is_lost_in_a_finaliser_is_raised_again():
    finaliser = "class Slow:\n    def __del__(self):\n        time.sleep(100)"
    code, out, err = end(start(f"Slow()\n{CLOSE}", before=finaliser), signal.SIGTERM)
    assert (code, out, err) == (143, "closed\n", "error: interrupted\n")


def test_other_errors_in_finalisers_are_told():
    finaliser = "class Broken:\n    def __del__(self):\n        raise RuntimeError('a bug')"
    code, _, err = end(start("Broken()", before=finaliser))
    assert code == 0
    assert "RuntimeError: a bug" in err


def test_a_signal_that_was_to_be_ignored_is_ignored():
    def ignore():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    work = "time.sleep(1)\nprint('done', flush=True)"
    assert end(start(work, preexec_fn=ignore), signal.SIGHUP) == (0, "done\n", "")


def test_a_signal_for_a_forked_child_is_none_for_its_parent():
    work = """
    child = os.fork()
    if not child:
        time.sleep(100)
    time.sleep(0.3)
    os.kill(child, signal.SIGTERM)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
    time.sleep(1)
    """
    process = start(work, before="program.STOP_S = 0.2")
    assert end(process) == (0, f"{-signal.SIGTERM}\n", "")


def test_errors_of_the_program_keep_their_traceback():
    code, _, err = end(start("raise RuntimeError('a bug')"))
    assert code == 1
    assert "Traceback" in err
    assert "a bug" in err


def test_process_1_of_a_container_heeds_sigterm():
    wrapper = ("unshare", "--fork", "--pid", "--mount-proc")
    if subprocess.run([*wrapper, "true"], check=False, capture_output=True).returncode:
        pytest.skip("no process namespace can be made here")
    process = start(CLOSE, wrapper=wrapper)
    assert process.stdout.readline() == "ready\n"
    first = subprocess.check_output(["ps", "-o", "pid=", "--ppid", str(process.pid)], text=True)
    os.kill(int(first), signal.SIGTERM)
    out, err = process.communicate(timeout=TIMEOUT_S)
    assert (process.returncode, out, err) == (143, "closed\n", "error: interrupted\n")


# System libraries


@pytest.mark.parametrize("library", ["libGL.so.1", "libxcb.so.1", "libgthread-2.0.so.0"])
def test_a_library_that_opencv_lacks_is_one_line_that_names_packages(library):
    problem = f"{library}: cannot open shared object file: No such file or directory"
    code, _, err = end(
        start("pass", load=f"print('ready', flush=True)\nraise ImportError({problem!r})")
    )
    assert code == 2
    assert err.count("\n") == 1
    assert library in err
    assert "apt-get install libgl1 libglib2.0-0 libxcb1" in err


def test_other_failed_imports_are_left_alone():
    assert missing_library(ImportError("no module named x")) is None
    assert missing_library(OSError("x.so: cannot open shared object file")) is None


# Homes


@pytest.fixture
def environment(monkeypatch, tmp_path):
    """An environment that is put back afterwards, with a folder for temporary files."""
    for name in ("XDG_CACHE_HOME", "MPLCONFIGDIR", "TORCHINDUCTOR_CACHE_DIR"):
        monkeypatch.setenv(name, "x")
        monkeypatch.delenv(name)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return monkeypatch


def test_a_home_that_is_none_is_replaced_by_a_private_folder(environment, tmp_path):
    environment.setenv("HOME", str(tmp_path / "none"))
    ensure_home()
    home = tmp_path / f"reid-pipeline-{os.getuid()}"
    assert os.environ["HOME"] == str(home)
    assert home.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_others_may_write_is_not_used(environment, tmp_path):
    environment.setenv("HOME", str(tmp_path / "none"))
    planted = tmp_path / f"reid-pipeline-{os.getuid()}"
    planted.mkdir()
    planted.chmod(0o777)
    ensure_home()
    assert os.environ["HOME"] != str(planted)


def test_a_usual_home_is_left_alone(environment, tmp_path):
    (tmp_path / "home").mkdir()
    environment.setenv("HOME", str(tmp_path / "home"))
    before = dict(os.environ)
    ensure_home()
    assert dict(os.environ) == before
