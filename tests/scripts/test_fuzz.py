"""The fuzzer: every target reads its seeds; damaged input of every kind is refused, not more."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from support.assets import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "scripts"))
from fuzzing.mutation import mutated
from fuzzing.targets import EXPECTED, TARGETS

CORPUS = Path(__file__).with_name("fuzz_corpus")
"""Inputs that were faults once, ``TARGET-...``."""


@pytest.mark.parametrize("name", list(TARGETS))
def test_seeds_and_some_mutants_are_read_or_refused(name, tmp_path):
    target, rng = TARGETS[name], random.Random(name)
    (tmp_path / "seeds").mkdir()
    seeds = target.seeds(tmp_path / "seeds")
    assert seeds
    read = 0
    for number, content in enumerate([*seeds, *(mutated(seeds, rng) for _ in range(10))]):
        place = tmp_path / str(number)
        place.mkdir()
        try:
            target.read(content, place)
        except EXPECTED:
            continue
        read += number < len(seeds)
    # The weights of a seed are too few for a network; program streams are refused.
    assert read or name in {"weights", "mpeg-ps"}


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*.input")), ids=lambda path: path.stem)
def test_what_was_a_fault_once_is_refused_now(path, tmp_path):
    name = next(
        each for each in sorted(TARGETS, key=len, reverse=True) if path.name.startswith(each)
    )
    with pytest.raises(EXPECTED) as caught:
        TARGETS[name].read(path.read_bytes(), tmp_path)
    assert "\n" not in str(caught.value).strip()


def test_the_command_counts_and_ends_in_time(tmp_path):
    command = [sys.executable, "scripts/fuzz.py", "--seconds", "1", "--targets", "address"]
    done = subprocess.run(
        [*command, "--out", str(tmp_path / "found")],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 kinds of faults" in done.stdout
