"""What is left of tracks and identities where a camera sends few frames a second.

    python scripts/experiments/study_frame_rates.py SCENE... [--detector YOLO] [--every 1 2 3 5 10]

A scene is a folder with one ``.mp4`` per camera and a ``ground_truth.csv``. Only every n-th
frame is kept, starting at several frames, and tracked and matched as a run does. Printed are
the share of boxes that belong to a track when their frame is done, the share of tracked boxes
whose track mostly shows the same person (purity), tracks per visit, and IDF1 over all cameras.
A visit ends where a person is out of a camera's sight for two seconds.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from recorded_scenes import BUILT_IN, EventRecord, Scene, matched, record, tell, time_steps

from pipeline.boxes import ious
from pipeline.metrics.trackeval_scores import identity_scores
from pipeline.settings import DetectSettings, EmbedSettings, MatchSettings

OUT_OF_SIGHT_S = 2.0
SAME_BOX_IOU = 0.5


@dataclass(frozen=True, slots=True)
class Scores:
    """Of one scene at one rate, all from 0 to 1 but the tracks per visit."""

    recall: float
    purity: float
    tracks_per_visit: float
    idf1: float


def thinned(scene: Scene, every: int, start: int) -> Scene:
    """Return the scene with every ``every``-th frame from ``start`` on."""
    seen = [each for each in scene.seen if each.frame % every == start]
    return replace(scene, seen=seen, truth=scene.truth[scene.truth["frame"] % every == start])


def study(scene: Scene, *, threshold: float) -> Scores:
    """Track and match a scene and compare with its truth."""
    told = tell(scene)
    least = DetectSettings().confidence
    given = sum(int((each.detections.score >= least).sum()) for each in scene.seen)
    tracked = sum(len(each.tracks) for each in told)
    labels = _labels(told, visits(scene.truth))
    counts = labels.groupby(["camera", "track_id"])["visit"].value_counts()
    own = counts.groupby(level=[0, 1]).max()
    steps = time_steps(told, matched(told, MatchSettings(), threshold=threshold), scene.truth)
    return Scores(
        recall=tracked / max(given, 1),
        purity=float(own.sum() / counts.sum()),
        tracks_per_visit=len(own) / max(labels["visit"].nunique(), 1),
        idf1=identity_scores(steps, iou=SAME_BOX_IOU)["IDF1"],
    )


def visits(truth: pd.DataFrame) -> pd.DataFrame:
    """Return the truth with a column ``visit``: the person and the number of the visit."""
    rows = truth.sort_values(["camera", "identity", "frame"])
    away = rows.groupby(["camera", "identity"])["time_s"].diff() > OUT_OF_SIGHT_S
    number = away.groupby([rows["camera"], rows["identity"]]).cumsum()
    return rows.assign(visit=rows["identity"].astype(str) + "/" + number.astype(str))


def _labels(told: Sequence[EventRecord], truth: pd.DataFrame) -> pd.DataFrame:
    """Return the visit that each tracked box shows, where it shows one."""
    shown = dict(iter(truth.groupby(["camera", "frame"])))
    found = []
    for each in told:
        rows = shown.get((each.camera, each.frame))
        if rows is None or not len(each.tracks):
            continue
        xywh = rows[["x", "y", "w", "h"]].to_numpy(np.float32)
        overlap = ious(
            each.tracks.xyxy, np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], 1)
        )
        for track_id, best, share in zip(
            each.tracks.track_id, overlap.argmax(axis=1), overlap.max(axis=1), strict=True
        ):
            if share >= SAME_BOX_IOU:
                found.append(
                    (each.camera, int(track_id), f"{each.camera}/{rows['visit'].iloc[best]}")
                )
    return pd.DataFrame(found, columns=["camera", "track_id", "visit"])


def main(argv: Sequence[str] | None = None) -> None:
    """Print one row per scene and rate, the mean over the starts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scenes", nargs="+", type=Path)
    parser.add_argument("--detector", help=f"as for `run`, or {BUILT_IN!r}; none = true boxes")
    parser.add_argument("--every", nargs="+", type=int, default=[1, 2, 3, 5, 10])
    parser.add_argument("--starts", type=int, default=3, help="how many per rate")
    parser.add_argument("--threshold", type=float, default=0.27)
    parser.add_argument("--cache", type=Path, default=Path("runs") / "cache")
    args = parser.parse_args(argv)
    print("| scene | every n-th frame | recall | purity | tracks per visit | IDF1 |")
    print("|---|---|---|---|---|---|")
    for folder in args.scenes:
        scene = record(folder, detector=args.detector, embed=EmbedSettings(), cache=args.cache)
        for every in args.every:
            starts = range(0, every, max(1, every // args.starts))
            rows = [
                study(thinned(scene, every, start), threshold=args.threshold) for start in starts
            ]
            means = [
                np.mean([getattr(row, name) for row in rows])
                for name in ("recall", "purity", "tracks_per_visit", "idf1")
            ]
            cells = " | ".join(f"{mean:.3f}" for mean in means)
            print(f"| `{folder.resolve().name}` | {every} | {cells} |", flush=True)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
