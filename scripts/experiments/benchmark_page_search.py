"""Measure the page's search: a recording of many sightings, read and searched while frames go on.

::

    python scripts/experiments/benchmark_page_search.py --sightings 1000000
"""

from __future__ import annotations

import argparse
import sqlite3
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path

import numpy as np

from pipeline.jobs.registry_index import RegistryIndex
from pipeline.layout.database import Database

DIM = 512
AT_ONCE = 20_000
NOW_S = 1_800_000_000.0
STEP_S = 0.1
"""A step of a live run that is to take no longer while somebody searches: matrices of this size."""


def write_registry(
    path: Path, sightings: int, rng: np.random.Generator, *, begun_s: float = NOW_S
) -> None:
    """Write sightings of people who are seen ten times each, over 100 cameras, one a second."""
    Database(path).close()
    with closing(sqlite3.connect(path)) as writer, writer:
        writer.execute("DROP TRIGGER sighting_added")
        people = rng.normal(size=(max(1, sightings // 10), DIM)).astype(np.float32)
        for first in range(0, sightings, AT_ONCE):
            numbers = np.arange(first, min(first + AT_ONCE, sightings))
            vectors = people[numbers % len(people)] + 0.7 * rng.normal(size=(len(numbers), DIM))
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            blobs = [each.tobytes() for each in vectors.astype(np.float32)]
            rows = [
                (n + 1, f"cam{n % 100}", n, n, n, n, begun_s + n, begun_s + n)
                for n in numbers.tolist()
            ]
            writer.executemany(
                "INSERT INTO sightings VALUES (?, ?, ?, ?, ?, ?, ?, ?, 9, 0.9)", rows
            )
            pairs = [(row[0], blob) for row, blob in zip(rows, blobs, strict=True)]
            writer.executemany("INSERT INTO embeddings VALUES (?, 1, ?)", pairs)


def step_times(seconds: float, stop: threading.Event) -> list[float]:
    """Return how long steps of about the same work took, until it is over."""
    matrix, times = np.random.default_rng(0).normal(size=(700, 700)), []
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s and not stop.is_set():
        began_s = time.perf_counter()
        for _ in range(3):
            matrix @ matrix
        times.append(time.perf_counter() - began_s)
    return times


def main() -> None:
    """Write, read and search; print the times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sightings", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=50)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        path = Path(folder) / "registry.sqlite"
        write_registry(path, options.sightings, rng)
        index = RegistryIndex(path, clock=lambda: NOW_S + 2 * options.sightings)
        query = rng.normal(size=DIM).astype(np.float32)
        query /= np.linalg.norm(query)
        stop = threading.Event()
        alone = step_times(5, stop)
        began_s = time.monotonic()
        reading = []
        while not index.search(query, count=50)[1]:
            reading += step_times(3, stop)
        print(f"read {len(index):,} sightings in {time.monotonic() - began_s:.0f} s")
        print(
            f"steps alone {np.median(alone) * 1e3:.1f} ms, while it is read "
            f"{np.median(reading or alone) * 1e3:.1f} ms (median)"
        )
        times = []
        for _ in range(options.queries):
            began = time.perf_counter()
            index.search(query, count=50)
            times.append(time.perf_counter() - began)
        print(
            f"a search: median {np.median(times) * 1e3:.1f} ms, 95% {np.percentile(times, 95) * 1e3:.1f} ms"
        )


if __name__ == "__main__":
    main()
