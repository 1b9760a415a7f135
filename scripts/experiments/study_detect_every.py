"""What is left of identities where the detector looks at some frames only, and how many these are.

    python scripts/experiments/study_detect_every.py SCENE... [--every 1 2 3 auto] [--detector YOLO]

A scene is a folder with one ``.mp4`` per camera and a ``ground_truth.csv``. All of its frames are
detected and embedded once, so that every setting is tried in seconds.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from recorded_scenes import (
    BUILT_IN,
    EventRecord,
    Scene,
    Seen,
    frames_of,
    matched,
    record,
    tell,
    time_steps,
)
from simulate_tracklets import usual_thresholds

from pipeline.datatypes import CropEvidence, Tracks
from pipeline.detection_pace import DetectionPace, Look
from pipeline.metrics.trackeval_scores import identity_scores
from pipeline.settings import EmbedSettings, MatchSettings


def looks_of(folder: Path, every: str) -> list[Look]:
    """Return what is done for each frame of a scene."""
    pace = DetectionPace("auto" if every == "auto" else int(every))
    return [pace.choose(frame) for frame in frames_of(folder)]


def seen_by_detector(scene: Scene, looks: list[Look]) -> Scene:
    """Return the scene as the tracker gets it, without frames in which tracks are carried on."""
    last: dict[str, Seen] = {}
    seen = []
    for each, look in zip(scene.seen, looks, strict=True):
        if look is Look.DETECT:
            last[each.camera] = each
        if look is not Look.CARRY:
            found = last[each.camera]
            seen.append(replace(each, detections=found.detections, vectors=found.vectors))
    return replace(scene, seen=seen)


def study(scene: Scene, looks: list[Look], *, threshold: Callable[[int], float]) -> str:
    """Return the cells of a row: IDF1, identities, share of frames that the detector looked at."""
    told = tell(seen_by_detector(scene, looks))
    found = matched(told, MatchSettings(), threshold=threshold)
    told += [
        EventRecord(
            each.camera,
            each.frame,
            each.time_s,
            each.size,
            Tracks.empty(),
            CropEvidence.empty(),
            True,
        )
        for each, look in zip(scene.seen, looks, strict=True)
        if look is Look.CARRY
    ]
    told.sort(key=lambda each: (each.time_s, each.camera))
    score = identity_scores(time_steps(told, found, scene.truth), iou=0.5)["IDF1"]
    people = len({each.global_id for each in found.by_track.values()} - {-1})
    return f"{score:.3f} | {people} | {looks.count(Look.DETECT) / len(looks):.2f}"


def main() -> None:
    """Print a row for every scene and setting."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scenes", nargs="+", type=Path)
    parser.add_argument("--every", nargs="+", default=["1", "2", "3", "auto"])
    parser.add_argument("--detector", default=BUILT_IN, help="as for `run`")
    parser.add_argument("--cache", type=Path, default=Path("runs") / "cache")
    options = parser.parse_args()
    threshold = usual_thresholds()
    print("| scene | `detect.every` | IDF1 | identities | share looked at |\n|---|---|---|---|---|")
    for folder in options.scenes:
        scene = record(
            folder, detector=options.detector, embed=EmbedSettings(), cache=options.cache
        )
        for every in options.every:
            row = study(scene, looks_of(folder, every), threshold=threshold)
            print(f"| `{folder.resolve().name}` | {every} | {row} |", flush=True)


if __name__ == "__main__":
    main()
