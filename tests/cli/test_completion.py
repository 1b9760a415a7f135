"""Completion in a real shell: what TAB offers."""

import os
import pty
import select
import shutil
import subprocess
import sys
import time

import pytest

from support.assets import REPOSITORY

BASH = """
eval "$({name} --show-completion bash)"
COMP_WORDS=({words}) COMP_CWORD={at}
"$(complete -p {name} | sed -E 's/.*-F ([^ ]+).*/\\1/')" {name}
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


TIMEOUT_S = 120


@pytest.fixture
def environment(tmp_path):
    """Variables of a shell that finds both commands of this tree."""
    for name, package in (("reid-pipeline", "pipeline"), ("reid-model", "reid_model")):
        command = tmp_path / name
        command.write_text(f'#!/bin/sh\nexec {sys.executable} -m {package} "$@"\n')
        command.chmod(0o755)
    found = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(REPOSITORY)}
    # So that typer need not find out which shell it is.
    found |= {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1", "HOME": str(tmp_path)}
    return found | {"TERM": "dumb", "CI": "true"}


@pytest.fixture
def shell(environment):
    """Run a script in bash."""
    if shutil.which("bash") is None:
        pytest.skip("there is no bash")

    def run(script):
        done = subprocess.run(
            ["bash", "--norc", "-c", script],
            check=True,
            env=environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
        )
        assert done.stderr == ""
        return done.stdout.split()

    return run


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["reid-pipeline", "do"], {"doctor"}),
        (["reid-pipeline", "run", "--max"], {"--max-seconds"}),
        (["reid-pipeline", "export", "x", "--format", "m"], {"mot"}),
        (["reid-pipeline", "edit", "x", "ren"], {"rename"}),
        (["reid-model", "ex"], {"export"}),
    ],
)
def test_bash_offers_commands_flags_and_values(shell, words, offered):
    script = BASH.format(name=words[0], words=" ".join(words), at=len(words) - 1)
    assert offered <= set(shell(script))


@pytest.fixture
def keyboard(environment):
    """Type into an interactive zsh and wait for what it shows."""
    if shutil.which("zsh") is None:
        pytest.skip("there is no zsh")
    process, terminal = pty.fork()
    if process == 0:
        os.execvpe("zsh", ["zsh", "-f", "-i"], environment)

    def write(keys, until):
        os.write(terminal, keys.encode())
        shown, end_s = "", time.monotonic() + TIMEOUT_S
        while until not in shown:
            assert time.monotonic() < end_s, shown
            if select.select([terminal], [], [], 1)[0]:
                shown += os.read(terminal, 4096).decode(errors="replace")

    yield write
    os.close(terminal)  # hangs up
    os.waitpid(process, 0)


def test_zsh_completes_commands_and_flags(keyboard):
    load = 'eval "$(reid-pipeline --show-completion zsh)"'
    # What is typed is shown too, so it is not what is waited for.
    keyboard(f'autoload -U compinit; compinit -u; {load}; echo rea""dy\n', until="ready")
    keyboard("reid-pipeline doct\t", until="doctor")
    keyboard("\x15reid-pipeline run --max\t", until="--max-seconds")
