"""Give damaged input to every parser, and say what crashes, hangs, or needs too much memory.

    FUZZ_SECONDS=600 python scripts/fuzz.py [--targets mp4-h264 settings] [--seed 0]

Every target runs in a process of its own, so that a crash in a library is one finding. A finding
is an exception that is none of ours, a crash, more than 10 s of work, or more than 1 GB of memory
for one input; its input is kept in ``--out``. Exit code 1 if there is one.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import resource
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

import psutil

from fuzzing.mutation import mutated
from fuzzing.targets import EXPECTED, TARGETS

MAX_S = 10.0
"""Of processor time for one input."""
MAX_WAIT_S = 120.0
"""For one input, whatever it waits for: other work on the machine, or for ever."""
MAX_GROWTH_KB = 1_000_000
BATCH = 200
MAX_BATCH_S = 5.0
"""Inputs of one process, and processor time after which it takes no more."""


def main(argv: list[str] | None = None) -> int:
    """Run all targets in turn until the time is over."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--targets", nargs="+", choices=list(TARGETS), default=list(TARGETS))
    parser.add_argument(
        "--seconds", type=float, default=float(os.environ.get("FUZZ_SECONDS", "600"))
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/fuzz"))
    options = parser.parse_args(argv)
    options.out.mkdir(parents=True, exist_ok=True)
    until_s = time.monotonic() + options.seconds
    inputs: Counter[str] = Counter()
    found: dict[str, str] = {}
    turn = options.seed
    while time.monotonic() < until_s:
        # In another order each time, so that a short time is not that of the first ones alone.
        for name in random.Random(turn).sample(options.targets, len(options.targets)):
            if time.monotonic() < until_s:
                count, faults = _batch(name, turn, until_s, options.out)
                inputs[name] += count
                found |= faults
        turn += 1
    for name in options.targets:
        print(f"{name:12} {inputs[name]:8} inputs")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        f"{sum(inputs.values())} inputs, {len(found)} kinds of faults; "
        f"{used.ru_utime + used.ru_stime:.0f} s of processor time"
    )
    for fault, path in found.items():
        print(f"{path}: {fault}")
    return 1 if found else 0


def _batch(name: str, turn: int, until_s: float, out: Path) -> tuple[int, dict[str, str]]:
    """Run one process; return how many inputs it read, and what each new fault was kept as."""
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        context = multiprocessing.get_context("fork")
        count: Any = context.Value("i", 0)
        process = context.Process(target=_child, args=(name, turn, folder, count, until_s))
        process.start()
        hangs = _watch(process, count)
        faults = {
            (path.with_suffix(".why")).read_text(): path for path in folder.glob("fault-*.input")
        }
        last = folder / "last.input"
        if hangs:
            faults[f"{name}: more than {MAX_S:g} s of work, or {MAX_WAIT_S:g} s of waiting"] = last
        elif process.exitcode:
            faults[f"{name}: the process ended with {process.exitcode}"] = last
        if not count.value and time.monotonic() < until_s:
            faults[f"{name}: its seeds cannot be made"] = last
        kept = {}
        for fault, path in faults.items():
            place = out / f"{name}-{turn}-{path.stem}.input"
            if path.exists():
                shutil.copy(path, place)
            kept[fault] = str(place)
        return count.value, kept


def _watch(process: Any, count: Any) -> bool:
    """Wait for a process; return whether it had to be killed, as one input took it too long."""
    before, since_s, worked_s = -1, 0.0, 0.0
    while process.is_alive():
        process.join(0.2)
        try:
            times = psutil.Process(process.pid).cpu_times()
        except psutil.NoSuchProcess:
            continue
        if count.value != before:
            before, since_s, worked_s = count.value, time.monotonic(), times.user + times.system
        waits_s, works_s = time.monotonic() - since_s, times.user + times.system - worked_s
        # The first input waits for the seeds, which are encoded.
        if works_s > MAX_S * (1 if before else 6) or waits_s > MAX_WAIT_S * (1 if before else 6):
            process.kill()
            process.join()
            return True
    return False


def _child(name: str, turn: int, folder: Path, count: Any, until_s: float) -> None:
    with open(os.devnull, "w") as nothing:  # noqa: PTH123
        os.dup2(nothing.fileno(), 1)
        os.dup2(nothing.fileno(), 2)
    target, rng = TARGETS[name], random.Random(f"{name} {turn}")
    seeds_at = folder / "seeds"
    seeds_at.mkdir()
    seeds = target.seeds(seeds_at)
    began_s = time.process_time()
    while (
        count.value < BATCH
        and time.process_time() - began_s < MAX_BATCH_S
        and time.monotonic() < until_s
    ):
        content = mutated(seeds, rng)
        (folder / "last.input").write_bytes(content)
        fault = _fault_of(name, content, folder / "place")
        if fault is not None:
            path = folder / f"fault-{count.value}.input"
            path.write_bytes(content)
            path.with_suffix(".why").write_text(fault)
        count.value += 1


def _fault_of(name: str, content: bytes, place: Path) -> str | None:
    """Read one input; return what was wrong with that, ``None`` where nothing was."""
    place.mkdir()
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        TARGETS[name].read(content, place)
    except EXPECTED:
        pass
    except BaseException as error:
        where = traceback.extract_tb(error.__traceback__)
        own = [
            each
            for each in where
            if "/pipeline/" in each.filename or "/reid_model/" in each.filename
        ]
        last = (own or where)[-1]
        return f"{name}: {type(error).__name__} at {Path(last.filename).name}:{last.lineno}: {error!s:.200}"
    finally:
        shutil.rmtree(place, ignore_errors=True)
    growth_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb
    return f"{name}: {growth_kb // 1000} MB" if growth_kb > MAX_GROWTH_KB else None


if __name__ == "__main__":
    sys.exit(main())
