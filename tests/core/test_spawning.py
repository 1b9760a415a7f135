"""Signals that come while a process is started."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

PROGRAM = """
import os, signal, sys, threading, time
from pipeline.spawning import out_of_reach_of_the_terminal
from reid_model.program import run_program

def main():
    threading.Thread(target=time.sleep, args=(100,), daemon=True).start()
    try:
        with out_of_reach_of_the_terminal():
            os.kill(os.getpid(), int(sys.argv[1]))
            time.sleep(0.3)
            print("started", flush=True)
        time.sleep(100)
    finally:
        print("closed", flush=True)
    return 0

sys.exit(run_program(lambda: main))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_waits_until_the_process_is_started(number):
    command = [sys.executable, "-c", PROGRAM, str(int(number))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout == "started\nclosed\n"
    assert (done.returncode, done.stderr) == (128 + number, "error: interrupted\n")
