"""Completion in a real shell: what TAB offers."""

import os
import shutil
import subprocess
import sys

import pytest

from support.assets import REPOSITORY

BASH = """
eval "$({name} --show-completion bash)"
COMP_WORDS=({words}) COMP_CWORD={at}
"$(complete -p {name} | sed -E 's/.*-F ([^ ]+).*/\\1/')" {name}
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.fixture
def shell(tmp_path):
    """Run a script in a shell that finds both commands of this tree."""
    if shutil.which("bash") is None:
        pytest.skip("there is no bash")
    for name, package in (("reid-pipeline", "pipeline"), ("reid-model", "reid_model")):
        command = tmp_path / name
        command.write_text(f'#!/bin/sh\nexec {sys.executable} -m {package} "$@"\n')
        command.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(REPOSITORY)}
    # So that typer need not find out which shell it is.
    environment |= {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1", "HOME": str(tmp_path)}

    def run(script):
        done = subprocess.run(
            ["bash", "--norc", "-c", script],
            check=True,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
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
