"""Our tracker and those of the field on the same boxes of one camera after the other.

    python scripts/experiments/compare_trackers.py SCENE... [--rates 10 5 2 1]

A scene is a folder with one ``.mp4`` per camera and a ``ground_truth.csv``; of clips that were
labelled now and then, the labelled frames count. All trackers get the same boxes of the package's
detector and wait equally long for a lost person; "tuned" ones begin tracks at our score, the
others keep their own thresholds. Scores of tracks take each visit of a person to a camera for one,
without filled gaps; "matched" is IDF1 of people over all cameras after our matching, for every
tracker with the thresholds of a run.

Needs ``pip install trackers``; ultralytics comes with the package.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol

import numpy as np
import pandas as pd
import supervision
import trackers
from recorded_scenes import (
    BUILT_IN,
    EventRecord,
    Scene,
    Seen,
    matched,
    record,
    time_steps,
    with_evidence,
)
from study_frame_rates import thinned, visits
from ultralytics.engine.results import Boxes
from ultralytics.trackers import BOTSORT, BYTETracker

from pipeline.datatypes import Detections, Identities, Identity, IntArray, Tracks
from pipeline.embed.policy import TrackCropPolicy
from pipeline.metrics.pairing import TimeStep
from pipeline.metrics.trackeval_scores import hota_scores, identity_scores
from pipeline.settings import DetectSettings, EmbedSettings, MatchSettings, TrackSettings
from pipeline.track.tracker import SingleCameraTracker

SAME_BOX_IOU = 0.5
OURS = TrackSettings()
FRAMES_AT_30 = round(30 * OURS.max_lost_s)
"""How long the `trackers` library waits, in frames at 30 a second whatever the rate is."""


class Compared(Protocol):
    """A tracker of one camera, fed with recorded frames."""

    def update(self, seen: Seen, boxes: Detections, vectors: Any) -> Tracks:
        """Return the boxes that belong to a track."""
        ...


class Own:
    """The tracker of the package."""

    def __init__(self, rate: float) -> None:  # noqa: ARG002 - it reads the time of the frames
        self._tracker = SingleCameraTracker(OURS)

    def update(self, seen: Seen, boxes: Detections, vectors: Any) -> Tracks:
        """Return the boxes that belong to a track."""
        rows = self._tracker.wanted(boxes, seen.time_s)
        return self._tracker.update(boxes, seen.time_s, rows, vectors[rows])


class OfTrackers:
    """A tracker of roboflow's `trackers`."""

    def __init__(self, kind: Callable[..., Any], rate: float, **options: Any) -> None:
        self._tracker = kind(frame_rate=rate, lost_track_buffer=FRAMES_AT_30, **options)

    def update(self, seen: Seen, boxes: Detections, vectors: Any) -> Tracks:  # noqa: ARG002
        """Return the boxes that belong to a track."""
        given = supervision.Detections(boxes.xyxy, confidence=boxes.score)
        found = self._tracker.update(given)
        if not len(found):
            return Tracks.empty()
        return _tracks(found.xyxy, found.confidence, found.tracker_id)


class OfUltralytics:
    """A tracker of ultralytics, with its default settings but for those given."""

    def __init__(self, kind: Callable[..., Any], rate: float, **options: Any) -> None:
        usual = {
            "track_high_thresh": 0.25, "track_low_thresh": 0.1, "new_track_thresh": 0.25,
            "match_thresh": 0.8, "fuse_score": True, "gmc_method": "none", "with_reid": False,
            "proximity_thresh": 0.5, "appearance_thresh": 0.8,
        }  # fmt: skip
        frames = max(round(rate * OURS.max_lost_s), 1)
        self._tracker = kind(SimpleNamespace(**usual | options, track_buffer=frames))

    def update(self, seen: Seen, boxes: Detections, vectors: Any) -> Tracks:  # noqa: ARG002
        """Return the boxes that belong to a track."""
        rows = np.concatenate([boxes.xyxy, boxes.score[:, None], 0 * boxes.score[:, None]], axis=1)
        found = self._tracker.update(Boxes(rows, seen.size))
        if not len(found):
            return Tracks.empty()
        row = found[:, -1].astype(int)  # its own boxes are smoothed
        return _tracks(boxes.xyxy[row], boxes.score[row], found[:, 4])


def _tracks(xyxy: Any, score: Any, track_id: Any) -> Tracks:
    known = np.flatnonzero(track_id >= 0)
    known = known[np.argsort(track_id[known], kind="stable")]
    return Tracks(
        np.asarray(xyxy[known], np.float32),
        np.asarray(score[known], np.float32),
        np.asarray(track_id[known], np.int64),
    )


AT_OUR_SCORE = {
    "track_activation_threshold": OURS.high_confidence,
    "high_conf_det_threshold": OURS.high_confidence,
}
AT_OUR_SCORE_TOO = {
    "track_high_thresh": OURS.high_confidence,
    "new_track_thresh": OURS.high_confidence,
}
MAKERS: dict[str, Callable[[float], Compared]] = {
    "ours": Own,
    "trackers ByteTrack": lambda rate: OfTrackers(trackers.ByteTrackTracker, rate),
    "trackers ByteTrack, tuned": lambda rate: OfTrackers(
        trackers.ByteTrackTracker, rate, **AT_OUR_SCORE
    ),
    "trackers BoT-SORT, tuned": lambda rate: OfTrackers(
        trackers.BoTSORTTracker, rate, enable_cmc=False, **AT_OUR_SCORE
    ),
    "trackers OC-SORT, tuned": lambda rate: OfTrackers(
        trackers.OCSORTTracker, rate, high_conf_det_threshold=OURS.high_confidence
    ),
    "trackers C-BIoU, tuned": lambda rate: OfTrackers(trackers.CBIoUTracker, rate, **AT_OUR_SCORE),
    "ultralytics ByteTrack": lambda rate: OfUltralytics(BYTETracker, rate),
    "ultralytics ByteTrack, tuned": lambda rate: OfUltralytics(
        BYTETracker, rate, **AT_OUR_SCORE_TOO
    ),
    "ultralytics BoT-SORT": lambda rate: OfUltralytics(BOTSORT, rate),
    "ultralytics BoT-SORT, tuned": lambda rate: OfUltralytics(BOTSORT, rate, **AT_OUR_SCORE_TOO),
}


def tracked(scene: Scene, make: Callable[[float], Compared], *, rate: float) -> list[EventRecord]:
    """Return the tracks of every frame, each camera with a tracker of its own."""
    running: dict[str, Compared] = {}
    policy = TrackCropPolicy(EmbedSettings())
    told = []
    for seen in scene.seen:
        kept = np.flatnonzero(seen.detections.score >= DetectSettings().confidence)
        boxes, vectors = seen.detections.select(kept), seen.vectors[kept]
        if seen.camera not in running:
            running[seen.camera] = make(rate)
        found = running[seen.camera].update(seen, boxes, vectors)
        told.append(with_evidence(seen, found, boxes, vectors, policy))
    return told


def figures(
    told: Sequence[EventRecord], truth: pd.DataFrame, *, threshold: float
) -> dict[str, float]:
    """Return HOTA, IDF1, the share of boxes in mixed tracks, of true boxes in none, and so on."""
    keys = {
        (each.camera, track): number
        for number, (each, track) in enumerate(
            ((each, track) for each in told for track in each.tracks.track_id.tolist()), start=1
        )
    }
    identities = Identities({key: Identity(n, 1.0, 0.0, 0.0, 1) for key, n in keys.items()})
    once = visits(truth).sort_index()
    once = once.assign(identity=once["camera"] + "/" + once["visit"])
    labelled = set(zip(truth["camera"], truth["frame"], strict=True))
    judged = [each for each in told if (each.camera, each.frame) in labelled]
    steps = time_steps(judged, identities, once, gaps=False)
    true, hit, mixed = _counts(steps)
    return {
        "HOTA": hota_scores(steps)["HOTA"],
        "IDF1": identity_scores(steps, iou=SAME_BOX_IOU)["IDF1"],
        "mixed": mixed / max(hit, 1),
        "in no track": 1 - hit / max(true, 1),
        "tracks": float(len(keys)),
        "matched": identity_scores(
            time_steps(judged, matched(told, MatchSettings(), threshold=threshold), truth),
            iou=SAME_BOX_IOU,
        )["IDF1"],
    }


def _counts(steps: Sequence[TimeStep]) -> tuple[int, int, int]:
    """Return true boxes, those that a track has, and those of them that are not its main person's."""
    shown: dict[int, list[int]] = {}
    true = 0
    for step in steps:
        true += len(step.truth)
        if not step.iou.size:
            continue
        best = step.iou.argmax(axis=1)
        for person, column, overlap in zip(
            step.truth.tolist(), best.tolist(), step.iou.max(axis=1).tolist(), strict=True
        ):
            if overlap >= SAME_BOX_IOU:
                shown.setdefault(int(step.track[column]), []).append(person)
    counts: list[IntArray] = [np.unique(each, return_counts=True)[1] for each in shown.values()]
    hit = sum(int(each.sum()) for each in counts)
    return true, hit, hit - sum(int(each.max()) for each in counts)


def main(argv: Sequence[str] | None = None) -> None:
    """Print a row per tracker and rate, the mean over the scenes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scenes", nargs="+", type=Path)
    parser.add_argument("--rates", nargs="+", type=float, default=[10, 5, 2, 1])
    parser.add_argument("--each", action="store_true", help="a row for every scene, too")
    parser.add_argument("--threshold", type=float, default=0.34, help="cosine, for matching")
    parser.add_argument("--cache", type=Path, default=Path("runs") / "cache")
    args = parser.parse_args(argv)
    rows = []
    for folder in args.scenes:
        scene = record(folder, detector=BUILT_IN, embed=EmbedSettings(), cache=args.cache)
        times = pd.DataFrame([(each.camera, each.time_s) for each in scene.seen])
        native = 1 / times.groupby(0)[1].diff().median()
        for rate in args.rates:
            some = thinned(scene, max(round(native / rate), 1), 0)
            for name, make in MAKERS.items():
                found = figures(
                    tracked(some, make, rate=rate), some.truth, threshold=args.threshold
                )
                rows.append({"scene": scene.name, "rate": rate, "tracker": name, **found})
    table = pd.DataFrame(rows)
    if args.each:
        print(table.to_string(index=False, float_format="%.3f"))
    means = table.groupby(["rate", "tracker"], sort=False).mean(numeric_only=True)
    print("| frames a second | tracker | HOTA | IDF1 | mixed | in no track | tracks | matched |")
    print("|---|---|---|---|---|---|---|---|")
    for (rate, name), row in means.sort_index(
        level=0, ascending=False, sort_remaining=False
    ).iterrows():
        cells = " | ".join(f"{row[each]:.3f}" for each in ("HOTA", "IDF1", "mixed", "in no track"))
        print(f"| {rate:g} | {name} | {cells} | {row['tracks']:.0f} | {row['matched']:.3f} |")


if __name__ == "__main__":
    main()
