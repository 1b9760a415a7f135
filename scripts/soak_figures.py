"""The figures of a soak test: what was sampled, and what is wrong with it."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np
import pandas as pd
from rich.table import Table
from scipy.stats import theilslopes

from soak_operator import Calls, missing_numbers

WARM_UP = 0.5
"""Share of the run whose memory says nothing: caches fill, allocators grow."""
MAX_SLOPE_MB_H = 60.0


@dataclass(frozen=True, slots=True)
class Sample:
    """The run and all its children at one moment; memory of readers is part of all memory.

    What is resident counts libraries, which processes share, once for each of them.
    """

    time_s: float
    resident_mb: float
    memory_mb: float
    reader_memory_mb: float
    threads: int
    files: int
    processes: int
    latency_p95_s: float


@dataclass(slots=True)
class Story:
    """What happened.

    Attributes:
        samples: In their order.
        recovery_s: By kind of fault, seconds from its end until pictures came again.
        lost: Faults after which a camera did not come back.
        calls: By kind, what the operator asked for.
        heard: How often each event came on the stream.
    """

    samples: list[Sample] = field(default_factory=list)
    recovery_s: dict[str, list[float]] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    calls: dict[str, Calls] = field(default_factory=dict)
    heard: Counter[int] = field(default_factory=Counter)


def judged(
    story: Story, folder: Path, log: Path, *, code: int, ended_in_s: float
) -> tuple[Table, list[str]]:
    """Return the figures as a table, and what is wrong.

    Args:
        story: What happened.
        folder: What the run wrote.
        log: What it said.
        code: Its exit code.
        ended_in_s: How long it took to end, seconds.
    """
    steady = [each for each in story.samples if each.time_s > WARM_UP * story.samples[-1].time_s]
    hours = np.array([each.time_s for each in steady]) / 3600
    half = len(steady) // 2
    table = Table("figure", "value", title="soak")
    wrong = list(story.lost)
    for name in ("resident_mb", "memory_mb", "reader_memory_mb"):
        memory = np.array([getattr(each, name) for each in steady])
        # A median of slopes: one sample taken while a picture is being worked on says nothing.
        slope = float(theilslopes(memory, hours).slope)
        shown = name.removesuffix("_mb").replace("_", " ")
        table.add_row(
            f"{shown}: median, slope in the second half",
            f"{np.median(memory):.0f} MB, {slope:+.1f} MB/h",
        )
        if slope > MAX_SLOPE_MB_H:
            wrong.append(f"{shown} grows by {slope:.0f} MB/h")
    for name in ("threads", "files", "processes"):
        first, last = (
            statistics.median(getattr(each, name) for each in part)
            for part in (steady[:half], steady[half:])
        )
        table.add_row(f"{name}, first and second half", f"{first:g}, {last:g}")
        if last > first * 1.1 + 2:
            wrong.append(f"{name} grew from {first:g} to {last:g}")
    late = [each.latency_p95_s for each in steady]
    table.add_row("latency p95, median and most", f"{np.median(late):.2f} s, {max(late):.2f} s")
    for kind, seconds in sorted(story.recovery_s.items()):
        table.add_row(
            f"pictures again after: {kind}",
            f"{len(seconds)} times, median {np.median(seconds):.1f} s, most {max(seconds):.1f} s",
        )
    for kind, calls in sorted(story.calls.items()):
        worst = np.quantile(calls.seconds, 0.95) if calls.seconds else 0.0
        table.add_row(
            kind,
            f"{len(calls.seconds)} times, {worst:.2f} s (95%), {calls.refused} refused, "
            f"{len(calls.failed)} failed",
        )
        wrong += calls.failed
    table.add_row("exit code, seconds to end", f"{code}, {ended_in_s:.1f}")
    wrong += [] if code == 0 else [f"exit code {code}"]
    written, unwritten, unheard = missing_numbers(folder, story.heard)
    table.add_row("events", f"{written}, {len(unwritten)} not logged, {len(unheard)} not streamed")
    wrong += [f"events {numbers[:10]} are lost" for numbers in (unwritten, unheard) if numbers]
    twice = sum(count > 1 for count in story.heard.values())
    wrong += [f"{twice} events came twice"] if twice else []
    for name, value, faulty in _outputs(folder, log):
        table.add_row(name, value)
        wrong += faulty
    return table, wrong


def _outputs(folder: Path, log: Path) -> Iterator[tuple[str, str, list[str]]]:
    """Yield what was written, and what of it cannot be used."""
    rows, faulty = 0, []
    for path in sorted((folder / "tracks").glob("*.csv")):
        table = pd.read_csv(path)
        rows += len(table)
        if table[["camera", "time_s", "x", "score"]].isna().any().any():
            faulty.append(f"{path.name} has empty cells")
    yield "rows of the track log", str(rows), faulty
    frames, faulty = 0, []
    videos = [path for path in (folder / "video").rglob("*") if path.is_file()]
    for path in videos:
        try:
            with av.open(str(path)) as container:
                frames += sum(1 for _ in container.decode(video=0))
        except av.FFmpegError as error:
            faulty.append(f"{path.name} cannot be played: {error}")
        if path.suffix != ".mp4":
            faulty.append(f"{path.name} was not finished")
    yield "video files, frames", f"{len(videos)}, {frames}", faulty
    written = [log, *(path for path in folder.rglob("*") if path.is_file())]
    told = [path.name for path in written if b"canary" in path.read_bytes()]
    yield "files that hold the password", str(len(told)), told
