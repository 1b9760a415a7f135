"""What other users of the machine see of the command line."""

import subprocess
import sys

import pytest

from pipeline.cli import process_title
from pipeline.cli.process_title import without_secrets

SHOW = (
    "import runpy; from pathlib import Path;"
    f"runpy.run_path({process_title.__file__!r})['hide_arguments'](['canary-token']);"
    "print(Path('/proc/self/cmdline').read_bytes().decode())"
)
"""Runs the one file, as importing the whole command line takes long."""


def test_users_passwords_queries_and_tokens_become_stars_of_the_same_length():
    before = b"live\0--cams\0rtsp://ann:p@ss/w?rd@host/a\0http://host/b?key=x\0--token\0abc\0"
    after = without_secrets(before, ["abc"])
    assert len(after) == len(before)
    assert after.split(b"\0")[2] == b"rtsp://" + b"*" * 13 + b"@host/a"
    assert after.split(b"\0")[3] == b"http://host/b?*****"
    assert after.split(b"\0")[5] == b"***"


def test_nothing_changes_where_nothing_is_secret():
    before = b"run\0--cams\0a@b.mp4\0what?.mp4\0rtsp://host/path\0"
    assert without_secrets(before, [""]) == before


@pytest.mark.skipif(sys.platform != "linux", reason="arguments can be changed on Linux alone")
def test_the_system_no_longer_shows_the_password_of_a_running_process():
    arguments = ["rtsp://ann:canary-password@host/a", "--token", "canary-token"]
    shown = subprocess.run(
        [sys.executable, "-c", SHOW, *arguments], capture_output=True, text=True, check=True
    ).stdout
    assert "canary-password" not in shown
    assert "canary-token" not in shown
    assert "@host/a" in shown
