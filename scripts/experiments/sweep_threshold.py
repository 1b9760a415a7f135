"""IDF1 over the threshold, when everybody returns, when half of the people come once, when all do.

    python scripts/experiments/sweep_threshold.py SCENE... [--detector YOLO] --weights REID

Scenes as for ``ablate_matching.py``; without a detector the true boxes are taken. Of a person who
comes once all but the first visit is taken out of the tracks and of the ground truth.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from recorded_scenes import EventRecord, matched, record, tell, time_steps

from pipeline.boxes import ious
from pipeline.datatypes import CropEvidence, Tracks
from pipeline.metrics.trackeval_scores import identity_scores
from pipeline.settings import EmbedSettings, MatchSettings

Key = tuple[str, int]
THRESHOLDS = 0.12, 0.15, 0.18, 0.21, 0.24, 0.27, 0.32, 0.4, 0.5
SHARES = {"all return": 0.0, "half come once": 0.5, "all come once": 1.0}
DRAWS = 3
"""Of those who come once, where it is half of the people."""
PAUSE_S = 1.5
"""Out of sight for so long, a person's next boxes are another visit."""
SAME_IOU = 0.5


def first_visits(truth: pd.DataFrame, people: Collection[object]) -> pd.DataFrame:
    """Return the ground truth with the first visit alone of these people."""
    kept = [truth[~truth["identity"].isin(people)]]
    for person in sorted(people):
        rows = truth[truth["identity"] == person].sort_values(["time_s", "camera"])
        rows = rows[rows["camera"] == rows["camera"].iloc[0]]
        kept.append(rows[(rows["time_s"].diff().fillna(0) <= PAUSE_S).cummin()])
    return pd.concat(kept).reset_index(drop=True)


def owners(told: Sequence[EventRecord], truth: pd.DataFrame) -> dict[Key, object]:
    """Return the person that most boxes of each track lie on."""
    frames = dict(iter(truth.groupby(["camera", "frame"])))
    votes: dict[Key, Counter[object]] = {}
    for each in told:
        rows = frames.get((each.camera, each.frame))
        if rows is None or len(each.tracks) == 0:
            continue
        corners = rows[["x", "y", "w", "h"]].to_numpy(np.float32)
        corners[:, 2:] += corners[:, :2]
        overlap = ious(each.tracks.xyxy, corners)
        for row, track_id in enumerate(each.tracks.track_id.tolist()):
            if overlap[row].max() >= SAME_IOU:
                person = rows["identity"].iloc[int(overlap[row].argmax())]
                votes.setdefault((each.camera, track_id), Counter())[person] += 1
    return {key: count.most_common(1)[0][0] for key, count in votes.items()}


def without(told: Sequence[EventRecord], gone: Collection[Key]) -> list[EventRecord]:
    """Return what would be told if these tracks had not been there."""
    result = []
    for each in told:
        keys = [(each.camera, track_id) for track_id in each.tracks.track_id.tolist()]
        rows = np.array([row for row, key in enumerate(keys) if key not in gone], np.int64)
        tracks = Tracks(each.tracks.xyxy[rows], each.tracks.score[rows], each.tracks.track_id[rows])
        here = np.flatnonzero(np.isin(each.evidence.rows, rows))
        evidence = CropEvidence(
            np.searchsorted(rows, each.evidence.rows[here]),
            each.evidence.vectors[here],
            each.evidence.quality[here],
        )
        result.append(replace(each, tracks=tracks, evidence=evidence))
    return result


def coming_once(
    told: Sequence[EventRecord], truth: pd.DataFrame, share: float, *, seed: int
) -> tuple[list[EventRecord], pd.DataFrame]:
    """Return tracks and ground truth in which this share of the people comes once."""
    everybody = sorted(truth["identity"].unique())
    once = set(random.Random(seed).sample(everybody, round(share * len(everybody))))
    kept = first_visits(truth, once)
    places = set(zip(kept["camera"], kept["frame"], kept["identity"], strict=True))
    there: dict[Key, set[int]] = {}
    for each in told:
        for track_id in each.tracks.track_id.tolist():
            there.setdefault((each.camera, track_id), set()).add(each.frame)
    gone = {
        key
        for key, person in owners(told, truth).items()
        if person in once and not any((key[0], frame, person) in places for frame in there[key])
    }
    return without(told, gone), kept


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("scenes", type=Path, nargs="+")
    parser.add_argument("--detector")
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path(".ablation"))
    args = parser.parse_args()
    embed = EmbedSettings(weights=args.weights)
    scenes = [
        record(folder, detector=args.detector, embed=embed, cache=args.cache)
        for folder in args.scenes
    ]
    told = [(tell(scene), scene.truth) for scene in scenes]
    sys.stdout.write("| threshold | " + " | ".join(map(str, THRESHOLDS)) + " |\n")
    sys.stdout.write("|---" * (len(THRESHOLDS) + 1) + "|\n")
    for name, share in SHARES.items():
        draws = range(DRAWS if 0 < share < 1 else 1)
        cases = [coming_once(*each, share, seed=seed) for each in told for seed in draws]
        for resolve in (False, True):
            settings = MatchSettings(resolve=resolve)
            means = []
            for threshold in THRESHOLDS:
                found = [matched(case, settings, threshold=threshold) for case, _ in cases]
                steps = [
                    time_steps(case, identities, truth)
                    for (case, truth), identities in zip(cases, found, strict=True)
                ]
                means.append(np.mean([identity_scores(each, iou=0.5)["IDF1"] for each in steps]))
            cells = " | ".join(f"{mean:.3f}" for mean in means)
            mode = "offline" if resolve else "online"
            sys.stdout.write(f"| {name}, {mode} | {cells} |\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
