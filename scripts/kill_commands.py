"""End real commands at random moments, and check that nothing is lost or taken for whole.

    python scripts/kill_commands.py --rounds 12 --signal KILL [--commands run batch]

Each command works on clips of a few seconds, in a process that has imported everything. It is left alone once, for the time it takes and for
what it makes; then it is ended again and again after a random part of that time. Afterwards every
file must be whole, a part by its name, or refused in one line; the same command, or the one that
its message names, must go on to the same result; and no process may be left. Exit code 1 if not.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import torch
from rich.console import Console
from rich.table import Table

from killing.commands import COMMANDS as LONG
from killing.commands import Command
from killing.serving import SERVE
from killing.short import SHORT
from pipeline.cli import main as pipeline_main
from reid_model.cli import main as reid_main
from reid_model.program import run_program

ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[1]), "CI": "true"}
FORK = multiprocessing.get_context("fork")
COMMANDS = {**LONG, **SHORT, "serve": SERVE}
MAINS = {"pipeline": pipeline_main, "reid_model": reid_main}
PATIENCE_S = 600.0
END_S = 30.0
"""For the children of a process that was killed."""


def main(argv: list[str] | None = None) -> int:
    """Kill each command in turn, print what came of it, and return whether all was well."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--commands", nargs="+", choices=list(COMMANDS), default=list(COMMANDS))
    parser.add_argument("--rounds", type=int, default=12, help="kills of each command")
    parser.add_argument("--signal", choices=["KILL", "TERM"], default="KILL")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="folder for what went wrong")
    given = parser.parse_args(argv)
    number = signal.Signals[f"SIG{given.signal}"]
    # A child of a fork would wait for ever for the threads of its parent's OpenMP pool.
    torch.set_num_threads(1)
    table = Table("command", "undisturbed", given.signal, "ended first", "exit codes", "wrong")
    wrong = []
    for name in given.commands:
        with tempfile.TemporaryDirectory() as text:
            trial = Trial(COMMANDS[name], Path(text), number, random.Random(f"{name} {given.seed}"))
            while trial.ended < given.rounds and sum(trial.codes.values()) < 3 * given.rounds:
                if faults := trial.once():
                    turn = sum(trial.codes.values())
                    wrong += [f"{name}, round {turn}: {each}" for each in faults]
                    if given.keep is not None:
                        shutil.copytree(
                            trial.work, given.keep / f"{name}-{turn}", dirs_exist_ok=True
                        )
                Console(stderr=True).print(f"{name}: {trial.ended} times, {dict(trial.codes)}")
            codes = ", ".join(f"{code}: {count}" for code, count in sorted(trial.codes.items()))
            first = sum(trial.codes.values()) - trial.ended
            table.add_row(
                name, f"{trial.usual_s:.1f} s", str(trial.ended), str(first), codes,
                str(sum(each.startswith(f"{name},") for each in wrong)),
            )  # fmt: skip
    Console().print(table)
    for each in wrong:
        Console().print(f"wrong: {each}", highlight=False, markup=False, soft_wrap=True)
    return 1 if wrong else 0


class Trial:
    """One command, ended again and again.

    Args:
        command: It.
        place: An empty folder.
        number: The signal.
        rng: Says when.
    """

    def __init__(
        self, command: Command, place: Path, number: signal.Signals, rng: random.Random
    ) -> None:
        self.work, self.codes, self.usual_s = place / "work", Counter[int](), 0.0
        self.ended = 0
        """How often the signal came in time."""
        self._command, self._number, self._rng = command, number, rng
        self._template = place / "template"
        self._template.mkdir()
        # In a process of its own: threads of libraries do not survive a fork of this one.
        making = FORK.Process(target=command.prepare, args=(self._template,))
        making.start()
        making.join()
        shutil.copytree(self._template, self.work, symlinks=True)
        began = time.monotonic()
        code, text = self._run(command.line)
        self.usual_s = time.monotonic() - began
        if code:
            raise SystemExit(f"{command.line} failed with {code} by itself:\n{text}")
        self._expected = command.outcome(self.work)

    def once(self) -> list[str]:
        """End the command once and go on; return what was wrong."""
        shutil.rmtree(self.work)
        shutil.copytree(self._template, self.work, symlinks=True)
        delay_s = self._rng.uniform(0.02, 1.05 * self.usual_s)
        began = time.monotonic()
        code, text = self._run(self._command.line, delay_s)
        self.codes[code] += 1
        if (took_s := time.monotonic() - began) < delay_s:
            self.usual_s = min(self.usual_s, took_s)  # a busy machine was slow the first time
        else:
            self.ended += 1
        faults = [f"after {delay_s:.2f} s: {each}" for each in self._wrong_end(code, text)]
        faults += self._command.left(self.work)
        for line in self._command.goes_on or [self._command.line]:
            code, text = self._run(line)
            if code == 0:
                break
            if "Traceback" in text or not text.strip().splitlines()[-1].startswith("error: "):
                faults.append(f"{' '.join(line)} ended with {code}: {text[-800:]}")
        else:
            faults.append(f"killed after {delay_s:.2f} s, it does not go on: {text[-500:]}")
        try:
            found = self._command.outcome(self.work)
        except OSError as error:
            return [*faults, f"killed after {delay_s:.2f} s, afterwards: {error}"]
        faults += [
            f"killed after {delay_s:.2f} s, afterwards {name} differs"
            for name in sorted({*found, *self._expected})
            if found.get(name) != self._expected.get(name)
        ]
        halves = [path for path in self.work.rglob("*") if "partial" in path.name]
        return faults + [f"{path.relative_to(self.work)} stays" for path in halves]

    def _wrong_end(self, code: int, text: str) -> list[str]:
        if self._number == signal.SIGKILL:
            return [] if code in {0, -signal.SIGKILL} else [f"ended with {code}: {text[-500:]}"]
        faults = [] if code in {0, 128 + self._number} else [f"ended with {code}: {text[-500:]}"]
        if code and not text.rstrip().endswith("error: interrupted"):
            faults.append(f"said {text[-500:]!r}")
        return faults

    def _run(self, line: list[str], delay_s: float | None = None) -> tuple[int, str]:
        """Run a command, with ``delay_s`` end it; return its exit code and errors."""
        log = self.work.with_suffix(".log")
        log.unlink(missing_ok=True)
        process = FORK.Process(target=_child, args=(line, self.work, log))
        process.start()
        visitor = None
        if self._command.visitor is not None:
            visit = (self._command.visitor, self.work, log, process.pid)
            visitor = FORK.Process(target=_visit, args=visit)
            visitor.start()
        children: list[psutil.Process] = []
        try:
            _wait(process, PATIENCE_S if delay_s is None else delay_s)
            if delay_s is not None and process.is_alive():
                with suppress(psutil.NoSuchProcess):
                    children = psutil.Process(process.pid).children(recursive=True)
                with suppress(ProcessLookupError):
                    os.kill(process.pid or 0, self._number)
                _wait(process, PATIENCE_S)
        finally:
            if process.is_alive():
                process.kill()
            process.join()
        code = process.exitcode or 0
        if visitor is not None:
            visitor.join()
            code = visitor.exitcode or code
        _, alive = psutil.wait_procs(children, timeout=END_S)
        for each in alive:
            each.kill()
        text = log.read_text(errors="replace")
        return code, text + "".join(f"\nleft: {each}" for each in alive)


def _wait(process: multiprocessing.process.BaseProcess, seconds: float) -> None:
    """Wait for a process; ``join`` takes one that becomes another program for ended, and waits on."""
    end_s = time.monotonic() + seconds
    while process.is_alive() and time.monotonic() < end_s:
        time.sleep(0.005)


def _child(line: list[str], place: Path, log: Path) -> None:
    """Be a command from its first line on, imports done."""
    os.chdir(place)
    with log.open("ab") as stream, Path(os.devnull).open("rb+") as nothing:
        for source, number in ((nothing, 0), (nothing, 1), (stream, 2)):
            os.dup2(source.fileno(), number)
    if "live" in line:  # starts processes that import the program that they are started from
        os.execve(sys.executable, [sys.executable, "-m", *line], ENVIRONMENT)
    sys.argv = line
    code = run_program(lambda: MAINS[line[0]])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _visit(visitor: Callable[[Path, Path, int], None], place: Path, log: Path, server: int) -> None:
    """Work with a command while it runs; what goes wrong is written to its errors."""
    with log.open("ab") as stream:
        os.dup2(stream.fileno(), 2)
    visitor(place, log, server)


if __name__ == "__main__":
    sys.exit(main())
