"""How matching scales: cost and accuracy on simulated tracklets.

    python scripts/experiments/simulate_tracklets.py online  --out scale_online.json
    python scripts/experiments/simulate_tracklets.py offline --sizes 10000 100000 --out scale_offline.json
    python scripts/experiments/simulate_tracklets.py plot scale_online.json scale_offline.json --to docs

Embeddings are drawn around centres of identities, with a bias per camera and noise per
tracklet. Three numbers make them like real ones; ``fit`` measures them on an ``.npz`` with
``means``, ``identities`` and ``cameras`` of real tracks.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from pipeline.build_calibration import calibration_of
from pipeline.datatypes import CropEvidence, FloatArray, Tracklet, Tracks
from pipeline.embed.reid import ReidEmbedder
from pipeline.match.features import CameraCentres, unit_rows
from pipeline.match.offline import group_tracklets
from pipeline.match.online import OnlineMatcher
from pipeline.match.persons import Person, PersonBook
from pipeline.match.spans import GALLERY_SPAN, Spans
from pipeline.settings import EmbedSettings, MatchSettings

DIM = 512


@dataclass(frozen=True, slots=True)
class Likeness:
    """What makes simulated embeddings like those of a network; fitted to the shipped one.

    Attributes:
        genuine: Mean cosine of two tracklets of one person, without camera bias.
        impostor_spread: Standard deviation of the cosine of two persons.
        camera_bias: Length of a camera's bias, in lengths of an identity's centre.
    """

    genuine: float = 0.584
    impostor_spread: float = 0.146
    camera_bias: float = 0.279


def fit(means: FloatArray, identities: list[str], cameras: list[str]) -> Likeness:
    """Measure the three numbers on real tracks."""
    place = np.unique(cameras, return_inverse=True)[1]
    person = np.unique(identities, return_inverse=True)[1]
    unit = unit_rows(means)
    overall = unit.mean(axis=0)
    biases = [unit[place == c].mean(axis=0) - overall for c in np.unique(place)]
    count = int(place.max()) + 1
    features = CameraCentres.of(means, place, cameras=count, prior=1e-6).apply(means, place)
    a, b = np.triu_indices(len(means), k=1)
    apart = place[a] != place[b]
    cosine = np.einsum("pd,pd->p", features[a[apart]], features[b[apart]])
    same = (person[a] == person[b])[apart]
    genuine = float(cosine[same].mean())
    return Likeness(
        genuine=round(genuine, 3),
        impostor_spread=round(float(cosine[~same].std()), 3),
        camera_bias=round(float(np.mean([np.linalg.norm(x) for x in biases]) / genuine**0.5), 3),
    )


class World:
    """Draws embeddings of identities as cameras see them.

    People differ along as few directions as the spread of impostors says; noise and bias
    live there as well, as those along other directions would be easy to tell apart.
    """

    def __init__(self, identities: int, cameras: int, likeness: Likeness, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self._inner = max(2, min(DIM, round(likeness.impostor_spread**-2)))
        self._axes = np.linalg.qr(self._random.normal(size=(DIM, self._inner)))[0].T
        self._axes = self._axes.astype(np.float32)
        self._noise = (1 / likeness.genuine - 1) ** 0.5
        self.centres = unit_rows(self._normal(identities))
        self._bias = likeness.camera_bias * unit_rows(self._normal(cameras))

    def _normal(self, count: int) -> FloatArray:
        drawn: FloatArray = self._random.standard_normal((count, self._inner), np.float32)
        return drawn

    def draw(self, identity: np.ndarray, camera: np.ndarray) -> FloatArray:
        """Return ``(N, DIM)`` unit embeddings."""
        noise = self._noise * self._normal(len(identity)) / np.float32(self._inner**0.5)
        return unit_rows((self.centres[identity] + self._bias[camera] + noise) @ self._axes)


def usual_thresholds() -> Callable[[int], float]:
    """Return what gives the threshold of a run of the package's weights among so many tracklets."""
    embedder = ReidEmbedder(EmbedSettings(), device="cpu")
    calibration = calibration_of(embedder)
    assert calibration is not None
    rate = MatchSettings().false_match_rate
    return lambda tracklets: calibration.threshold_for(false_match_rate=rate, tracklets=tracklets)


def offline(
    size: int, *, threshold: float | None, likeness: Likeness, seed: int = 0
) -> dict[str, float]:
    """Resolve ``size`` tracklets of 100 cameras, ten of each person; return cost and accuracy."""
    random = np.random.default_rng(seed)
    cameras, people = 100, max(1, size // 10)
    world = World(people, cameras, likeness, seed)
    identity = random.integers(people, size=size)
    camera = random.integers(cameras, size=size)
    first = np.sort(random.uniform(0, size / cameras * 2, size))  # three at a time in a camera
    tracklets = []
    for start in range(0, size, 10_000):
        rows = slice(start, start + 10_000)
        vectors = world.draw(identity[rows], camera[rows])
        for vector, c, s in zip(vectors, camera[rows].tolist(), first[rows].tolist(), strict=True):
            n = len(tracklets) + 1
            tracklets.append(Tracklet(f"c{c:02d}", n, s, s + 6, 60, vector.copy(), 1.0, 6.0))
    begin = time.perf_counter()
    if threshold is None:
        threshold = usual_thresholds()(size)
    groups = group_tracklets(tracklets, MatchSettings(), threshold=threshold)
    seconds = time.perf_counter() - begin
    label = np.empty(size, np.int64)
    for number, group in enumerate(groups):
        label[group] = number
    return {
        "tracklets": size,
        "threshold": threshold,
        "seconds": seconds,
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        "groups": len(groups),
        **pair_scores(identity, label),
    }


def pair_scores(identity: np.ndarray, label: np.ndarray) -> dict[str, float]:
    """Return precision, recall and F1 over pairs of tracklets."""

    def pairs(*keys: np.ndarray) -> float:
        counts = np.unique(np.stack(keys, axis=1), axis=0, return_counts=True)[1].astype(float)
        return float((counts * (counts - 1) / 2).sum())

    both, found, true = pairs(identity, label), pairs(label), pairs(identity)
    return {
        "precision": both / max(found, 1),
        "recall": both / max(true, 1),
        "f1": 2 * both / max(found + true, 1),
    }


def online(
    known: int, *, threshold: float | None, likeness: Likeness, seed: int = 0
) -> dict[str, float]:
    """Run 8 cameras for a while with ``known`` persons in the gallery; return cost per step.

    A step is one round over all cameras, ten a second, with four people in each; a crop of
    each is embedded every half second, and a new track begins every five seconds.
    """
    cameras, people_each, steps = 8, 4, 300
    world = World(known, cameras, likeness, seed)
    random = np.random.default_rng(seed)
    book = PersonBook(DIM)
    for number, centre in enumerate(world.centres @ world._axes, start=1):
        past = Spans.of([GALLERY_SPAN])
        book.add(number, Person(centre * likeness.genuine**0.5, 1, 60, past))
    settings = MatchSettings(resolve=False, max_identities=max(50_000, 2 * known))
    given = usual_thresholds() if threshold is None else lambda _: threshold
    matcher = OnlineMatcher(settings, threshold=given, dim=DIM, known=book)
    boxes = np.tile(np.array([0, 0, 50, 120], np.float32), (people_each, 1))
    score = np.ones(people_each, np.float32)
    spent, right, decided, who = [], 0, 0, np.zeros((cameras, people_each), np.int64)
    for step in range(steps):
        if step % 50 == 0:
            who = random.choice(known, size=who.shape, replace=known < who.size)
        rows = np.arange(people_each if step % 5 == 0 else 0)
        evidence = [
            CropEvidence(
                rows,
                world.draw(who[c][rows], np.full(len(rows), c)),
                np.full(len(rows), 0.8, np.float32),
            )
            for c in range(cameras)
        ]
        ids = np.arange(people_each) + 1 + people_each * (step // 50)
        begin = time.process_time()  # beside other work, the clock on the wall says little
        found = [
            matcher.update(f"c{c}", step / 10, Tracks(boxes, score, ids), evidence[c])
            for c in range(cameras)
        ]
        spent.append(time.process_time() - begin)
        if step % 50 == 49:
            numbers = np.stack(found)
            decided += int((numbers > 0).sum())
            right += int((numbers == who + 1).sum())
    first = np.array(spent[50:]) * 1000  # the first steps fill the index
    return {
        "identities": known,
        "mean_ms": float(first.mean()),
        "median_ms": float(np.median(first)),
        "p99_ms": float(np.percentile(first, 99)),
        "max_ms": float(first.max()),
        "decided": decided / (steps // 50 * who.size),
        "right": right / max(decided, 1),
    }


def plot(files: list[Path], to: Path) -> None:
    """Draw cost and accuracy over size."""
    import matplotlib as mpl  # noqa: PLC0415 - only here

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    for path in files:
        content = json.loads(path.read_text())
        rows, mode = content["rows"], content["mode"]
        figure, (cost, quality) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
        if mode == "online":
            x = [row["identities"] for row in rows]
            cost.plot(x, [row["mean_ms"] for row in rows], "o-", label="mean")
            cost.plot(x, [row["p99_ms"] for row in rows], "o--", label="99th percentile")
            cost.axhline(5, color="grey", linewidth=1, linestyle=":")
            cost.set(ylabel="ms per step of 8 cameras", xlabel="identities in the gallery")
            quality.plot(x, [row["right"] for row in rows], "o-", label="right, of those decided")
            quality.plot(x, [row["decided"] for row in rows], "o--", label="decided")
        else:
            x = [row["tracklets"] for row in rows]
            cost.plot(x, [row["seconds"] for row in rows], "o-", label="seconds")
            cost.plot(x, [row["peak_gb"] for row in rows], "o--", label="peak memory, GB")
            cost.set(xlabel="tracklets of 100 cameras")
            for name in ("precision", "recall", "f1"):
                quality.plot(x, [row[name] for row in rows], "o-", label=f"pairs: {name}")
        cost.set(xscale="log", yscale="log")
        quality.set(xscale="log", ylim=(0, 1.02), xlabel=cost.get_xlabel())
        for panel in (cost, quality):
            panel.legend(frameon=False)
            panel.grid(alpha=0.3)
        figure.savefig(to / f"matching_scale_{mode}.png", dpi=110)
        plt.close(figure)


def main() -> None:
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("mode", choices=["fit", "online", "offline", "plot"])
    parser.add_argument("files", nargs="*", type=Path, help="of fit and plot")
    parser.add_argument("--sizes", type=int, nargs="+")
    parser.add_argument("--threshold", type=float, help="none = that of the package's weights")
    parser.add_argument("--likeness", type=float, nargs=3, metavar=("GENUINE", "SPREAD", "BIAS"))
    parser.add_argument("--out", type=Path)
    parser.add_argument("--to", type=Path, default=Path("docs"))
    args = parser.parse_args()
    likeness = Likeness(*args.likeness) if args.likeness else Likeness()
    if args.mode == "fit":
        content = np.load(args.files[0])
        found = fit(content["means"], content["identities"], content["cameras"])
        sys.stdout.write(f"{found}\n")
        return
    if args.mode == "plot":
        plot(args.files, args.to)
        return
    one = online if args.mode == "online" else offline
    default = [100, 1000, 10_000, 100_000] if args.mode == "online" else [10_000, 100_000]
    rows = []
    for size in args.sizes or default:
        rows.append(one(size, threshold=args.threshold, likeness=likeness))
        sys.stderr.write(json.dumps(rows[-1]) + "\n")
    content = {
        "mode": args.mode,
        "likeness": asdict(likeness),
        "cpus": os.cpu_count(),
        "rows": rows,
    }
    if args.out:
        args.out.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
