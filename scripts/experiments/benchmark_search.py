"""Search among simulated sightings: time, and recall against the exact search.

    python scripts/experiments/benchmark_search.py --out search.json --plot docs/images/search.png

Embeddings are drawn as `scripts/experiments/simulate_tracklets.py` draws them, ten sightings of each person
over 100 cameras; queries are further sightings of the same people.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from rich.console import Console
from rich.table import Table
from simulate_tracklets import DIM, Likeness, World

from pipeline.datatypes import FloatArray
from pipeline.search.vectors import EXACT_UP_TO, ExactVectors, IndexedVectors, Vectors

CAMERAS = 100
BLOCK = 20_000
DEPTHS = 10, 50


def measure(size: int, *, queries: int, seed: int) -> dict[str, float]:
    """Build, store, open and ask an index of so many sightings; return what it took.

    Returns:
        ``build_s``, ``open_ms``, ``bytes``; of single queries on one thread the median and the
        95th percentile in ms, plain and narrowed to one camera, and of the exact search; recall
        at 10 and 50: the share of the exact search's best that the index finds.
    """
    random = np.random.default_rng(seed)
    world = World(max(1, size // 10), CAMERAS, Likeness(), seed)
    camera = random.integers(CAMERAS, size=size)
    identity = random.integers(max(1, size // 10), size=size)
    vectors = np.empty((size, DIM), np.float32)
    for start in range(0, size, BLOCK):
        rows = slice(start, min(start + BLOCK, size))
        vectors[rows] = world.draw(identity[rows], camera[rows])
    asked = world.draw(random.choice(identity, queries), random.integers(CAMERAS, size=queries))
    exact = ExactVectors(vectors)
    begin = time.perf_counter()
    index: Vectors
    if size <= EXACT_UP_TO:
        index = ExactVectors(vectors)
    else:
        index = IndexedVectors.train(vectors)
        for start in range(0, size, BLOCK):
            index.add(vectors[start : start + BLOCK])
    build_s = time.perf_counter() - begin
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vectors"
        index.save(path)
        begin = time.perf_counter()
        opened = type(index).load(path)
        open_ms = 1e3 * (time.perf_counter() - begin)
        size_bytes = path.stat().st_size
        opened.nearest(asked[0], max(DEPTHS), None)
        threads = faiss.omp_get_max_threads()
        faiss.omp_set_num_threads(1)
        plain = _times(opened, asked, None)
        narrowed = _times(opened, asked, camera == 7)
        recall = {
            f"recall@{depth}": _recall(opened, exact, asked[: queries // 2], depth)
            for depth in DEPTHS
        }
    faiss.omp_set_num_threads(threads)
    slow = _times(exact, asked[: max(10, queries // 10)], None)
    return {
        "sightings": size,
        "build_s": build_s,
        "open_ms": open_ms,
        "bytes": size_bytes,
        "median_ms": float(np.median(plain)),
        "p95_ms": float(np.percentile(plain, 95)),
        "one_camera_ms": float(np.median(narrowed)),
        "exact_ms": float(np.median(slow)),
        **recall,
    }


def _times(vectors: Vectors, queries: FloatArray, allowed: Any) -> FloatArray:
    spent = []
    for query in queries:
        begin = time.perf_counter()
        vectors.nearest(query, max(DEPTHS), allowed)
        spent.append(1e3 * (time.perf_counter() - begin))
    return np.array(spent)


def _recall(index: Vectors, exact: Vectors, queries: FloatArray, depth: int) -> float:
    hits = 0
    for query in queries:
        best = set(exact.nearest(query, depth, None)[1].tolist())
        hits += len(best & set(index.nearest(query, depth, None)[1].tolist()))
    return hits / (depth * len(queries))


def plot(rows: list[dict[str, float]], path: Path) -> None:
    """Draw latency and recall over the number of sightings."""
    import matplotlib as mpl  # noqa: PLC0415 - only here

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    size = [row["sightings"] for row in rows]
    figure, (cost, quality) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    cost.plot(size, [row["exact_ms"] for row in rows], "o:", color="grey", label="exact search")
    cost.plot(size, [row["p95_ms"] for row in rows], "o--", label="95th percentile")
    cost.plot(size, [row["median_ms"] for row in rows], "o-", label="median")
    cost.plot(size, [row["one_camera_ms"] for row in rows], "o-.", label="one camera of 100")
    cost.set(xscale="log", yscale="log", xlabel="sightings", ylabel="ms per query, one thread")
    for depth in DEPTHS:
        quality.plot(size, [row[f"recall@{depth}"] for row in rows], "o-", label=f"recall@{depth}")
    quality.set(
        xscale="log", ylim=(0.9, 1.005), xlabel="sightings", ylabel="of the exact search's best"
    )
    for axes in (cost, quality):
        axes.legend()
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=130)


def main() -> None:
    """Measure all sizes, print a table, and write what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="JSON with the figures")
    parser.add_argument("--plot", type=Path, help="PNG of time and recall")
    options = parser.parse_args()
    rows = [measure(size, queries=options.queries, seed=options.seed) for size in options.sizes]
    table = Table()
    for heading in rows[0]:
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(
            *(f"{value:,.0f}" if value > 99 else f"{value:.3f}" for value in row.values())
        )
    Console(width=140).print(table)
    if options.out is not None:
        options.out.write_text(json.dumps(rows, indent=2))
    if options.plot is not None:
        plot(rows, options.plot)


if __name__ == "__main__":
    main()
