"""What each ingredient of the matching buys, in IDF1 and HOTA over all cameras.

    python scripts/ablate_matching.py SCENE... --detector YOLO --weights REID [--cache DIR]

A scene is a folder with one ``.mp4`` per camera and a ``ground_truth.csv``. Every scene is
detected, tracked and embedded once, with detected and with true boxes; what the matcher was
told is then replayed with one ingredient changed at a time.
"""

from __future__ import annotations

import argparse
import heapq
import pickle
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.core import Pipeline
from pipeline.datatypes import (
    UNDECIDED,
    CropEvidence,
    Event,
    Identities,
    IntArray,
    Tracklet,
    Tracks,
)
from pipeline.detect.loading import load_detector
from pipeline.devices import resolve_device
from pipeline.embed.policy import TrackCropPolicy
from pipeline.embed.reid import ReidEmbedder
from pipeline.match.online import OnlineMatcher
from pipeline.metrics.pairing import pair_boxes
from pipeline.metrics.tables import check_ground_truth, check_tracks
from pipeline.metrics.trackeval_scores import hota_scores, identity_scores
from pipeline.settings import (
    CameraSettings,
    DetectSettings,
    EmbedSettings,
    MatchSettings,
    SourceSettings,
    TrackSettings,
)
from pipeline.sources import open_source
from pipeline.track.tracker import SingleCameraTracker


@dataclass(frozen=True, slots=True)
class Told:
    """What the matcher was told of one frame."""

    camera: str
    frame: int
    time_s: float
    tracks: Tracks
    evidence: CropEvidence


class Recorder:
    """A matcher that only writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[Told] = []
        self.frame = 0

    def update(
        self, camera: str, time_s: float, tracks: Tracks, evidence: CropEvidence
    ) -> IntArray:
        """Write down one frame."""
        self.told.append(Told(camera, self.frame, time_s, tracks, evidence))
        return np.full(len(tracks), UNDECIDED, np.int64)

    def drain_events(self) -> list[Event]:
        """Return no events."""
        return []

    def tracklets(self) -> list[Tracklet]:
        """Return no tracklets."""
        return []

    def finish(self) -> Identities:
        """Return no identities."""
        return Identities({})


VARIANTS: dict[str, dict[str, object]] = {
    "as it is": {},
    "no camera centring": {"centre_tracks": 0},
    "views not learned (may overlap)": {"views": "overlapping"},
    "views told to be disjoint": {"views": "disjoint"},
    "no margin, no loyalty": {"margin": 0},
    "decided at the first crop": {"decide_crops": 1, "decide_after_s": 0},
    "no reviews": {"review_s": 1e9},
    "crops not weighted by quality": {"equal_quality": True},
    "one crop per track": {"crops": 1},
    "three crops per track": {"crops": 3},
}


def record(scene: Path, *, true_boxes: bool, args: argparse.Namespace) -> list[Told]:
    """Detect, track and embed a scene; read it from the cache where it was done before."""
    kind = "true" if true_boxes else "detected"
    cached = args.cache / f"{scene.name}_{args.weights.stem}_{kind}.pkl" if args.cache else None
    if cached and cached.exists():
        with cached.open("rb") as file:
            told: list[Told] = pickle.load(file)
        return told
    videos = sorted(scene.glob("*.mp4"))
    names = [video.stem for video in videos]
    detect = (
        DetectSettings(detections=scene / "ground_truth.csv")
        if true_boxes
        else DetectSettings(weights=args.detector)
    )
    device = resolve_device("cpu")
    recorder = Recorder()
    pipeline = Pipeline(
        detector=load_detector(detect, cameras=names, device=device),
        trackers={name: SingleCameraTracker(TrackSettings()) for name in names},
        policy=TrackCropPolicy(EmbedSettings()),
        embedder=ReidEmbedder(EmbedSettings(weights=args.weights), device=device),
        matcher=recorder,
    )
    with ExitStack() as stack:
        sources = [
            stack.enter_context(
                open_source(CameraSettings(name=v.stem, source=str(v)), SourceSettings())
            )
            for v in videos
        ]
        for frame in heapq.merge(*sources, key=lambda f: (f.time_s, f.camera)):
            recorder.frame = frame.index
            pipeline.step([frame])
    if cached:
        cached.parent.mkdir(parents=True, exist_ok=True)
        with cached.open("wb") as file:
            pickle.dump(recorder.told, file)
    return recorder.told


def changed(told: Sequence[Told], *, crops: int | None, equal_quality: bool) -> list[Told]:
    """Return what would be told with fewer crops per track, or with equal ones."""
    count: dict[tuple[str, int], int] = {}
    result = []
    for each in told:
        evidence = each.evidence
        keep = []
        for position, row in enumerate(evidence.rows.tolist()):
            key = (each.camera, int(each.tracks.track_id[row]))
            count[key] = count.get(key, 0) + 1
            if crops is None or count[key] <= crops:
                keep.append(position)
        quality = np.ones_like(evidence.quality) if equal_quality else evidence.quality
        kept = CropEvidence(evidence.rows[keep], evidence.vectors[keep], quality[keep])
        result.append(replace(each, evidence=kept))
    return result


def run(
    told: Sequence[Told], truth: pd.DataFrame, *, settings: MatchSettings, threshold: float
) -> tuple[float, float]:
    """Match and return IDF1 and HOTA over all cameras."""
    dim = next((e.evidence.vectors.shape[1] for e in told if len(e.evidence.rows)), 1)
    matcher = OnlineMatcher(settings, threshold=threshold, dim=dim)
    for each in told:
        matcher.update(each.camera, each.time_s, each.tracks, each.evidence)
    identities = matcher.finish()
    parts = []
    for each in told:
        x1, y1, x2, y2 = each.tracks.xyxy.T
        ids = each.tracks.track_id.tolist()
        part = pd.DataFrame({"track_id": ids, "x": x1, "y": y1, "w": x2 - x1, "h": y2 - y1})
        part["global_id"] = [identities.global_id(each.camera, number) for number in ids]
        parts.append(part.assign(camera=each.camera, frame=each.frame))
    tracks = check_tracks(pd.concat(parts, ignore_index=True))
    steps = pair_boxes(truth, tracks, iou=0.5, min_visible=0.3).steps
    return identity_scores(steps, iou=0.5)["IDF1"], hota_scores(steps)["HOTA"]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("scenes", type=Path, nargs="+")
    parser.add_argument("--detector", required=True)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--threshold", type=float, required=True)
    parser.add_argument("--cache", type=Path)
    args = parser.parse_args()
    table = []
    for true_boxes in (False, True):
        recorded = []
        for scene in args.scenes:
            truth = check_ground_truth(pd.read_csv(scene / "ground_truth.csv"))
            recorded.append((record(scene, true_boxes=true_boxes, args=args), truth))
        for name, changes in VARIANTS.items():
            options = dict(changes)
            crops, equal = options.pop("crops", None), options.pop("equal_quality", False)
            for resolve in (False, True):
                scores = [
                    run(
                        changed(told, crops=crops, equal_quality=bool(equal)),
                        truth,
                        settings=MatchSettings.model_validate({**options, "resolve": resolve}),
                        threshold=args.threshold,
                    )
                    for told, truth in recorded
                ]
                idf1, hota = np.mean(scores, axis=0)
                boxes = "true" if true_boxes else "detected"
                table.append((name, boxes, "offline" if resolve else "online", idf1, hota))
                sys.stderr.write(f"{table[-1]}\n")
    frame = pd.DataFrame(table, columns=["variant", "boxes", "mode", "IDF1", "HOTA"])
    wide = frame.pivot(index="variant", columns=["boxes", "mode"], values=["IDF1", "HOTA"])
    wide = wide.reindex(list(VARIANTS)).round(3)
    heads = [f"{score} {boxes} {mode}" for score, boxes, mode in wide.columns]
    lines = ["| variant | " + " | ".join(heads) + " |", "|---" * (len(heads) + 1) + "|"]
    lines += [f"| {name} | " + " | ".join(f"{v:.3f}" for v in row) + " |"
              for name, row in zip(wide.index, wide.to_numpy(), strict=True)]  # fmt: skip
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
