"""What each ingredient of tracking and matching buys, in IDF1 and HOTA over all cameras.

    python scripts/experiments/ablate_matching.py SCENE... --detector YOLO --weights REID --threshold T

A scene is a folder with one ``.mp4`` per camera and a ``ground_truth.csv``. Every scene is
detected and embedded once, with detected and with true boxes, and kept in ``--cache``; it is
then replayed with one ingredient changed at a time. Only the embeddings depend on the weights.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
from recorded_scenes import EventRecord, Scene, matched, record, tell, time_steps

from pipeline.datatypes import CropEvidence
from pipeline.metrics.trackeval_scores import hota_scores, identity_scores
from pipeline.settings import EmbedSettings, MatchSettings, TrackSettings


@dataclass(frozen=True, slots=True)
class Variant:
    """One ingredient changed: settings of embedding, tracking and matching, crops per track."""

    embed: Mapping[str, object] = field(default_factory=dict)
    match: Mapping[str, object] = field(default_factory=dict)
    track: Mapping[str, object] = field(default_factory=dict)
    crops: int | None = None
    equal_quality: bool = False
    gaps: bool = True


VARIANTS = {
    "as it is": Variant(),
    "one crop per track": Variant(crops=1),
    "three crops per track": Variant(crops=3),
    "crops with their rim": Variant(embed={"trim": 0}),
    "crops trimmed by 10%": Variant(embed={"trim": 0.1}),
    "no mirror images": Variant(embed={"mirror": False}),
    "crops not weighted by quality": Variant(equal_quality=True),
    "boxes in gaps not filled": Variant(gaps=False),
    "tracks not cut by looks": Variant(track={"split_similarity": -1}),
    "tracks cut at 0.2": Variant(track={"split_similarity": 0.2}),
    "tracks go on from overlap 0.2": Variant(track={"min_iou": 0.2}),
    "lost tracks end after 1 s": Variant(track={"max_lost_s": 1}),
    "sure boxes from 0.25 on": Variant(track={"high_confidence": 0.25}),
    "no camera centring": Variant(match={"centre_tracks": 0}),
    "camera centring twice as early": Variant(match={"centre_tracks": 2}),
    "camera centring twice as late": Variant(match={"centre_tracks": 8}),
    "views not learned (may overlap)": Variant(match={"views": "overlapping"}),
    "views told to be disjoint": Variant(match={"views": "disjoint"}),
    "no margin, no loyalty": Variant(match={"margin": 0}),
    "margin 0.1": Variant(match={"margin": 0.1}),
    "decided at the first crop": Variant(match={"decide_crops": 1, "decide_after_s": 0}),
    "no reviews but the last": Variant(match={"review_s": 1e9}),
}


def changed(
    told: Sequence[EventRecord], *, crops: int | None, equal_quality: bool
) -> list[EventRecord]:
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


def scores(
    told: Sequence[EventRecord],
    truth: pd.DataFrame,
    variant: Variant,
    *,
    resolve: bool,
    threshold: float,
) -> tuple[float, float]:
    """Match and return IDF1 and HOTA over all cameras."""
    settings = MatchSettings.model_validate({**variant.match, "resolve": resolve})
    identities = matched(
        changed(told, crops=variant.crops, equal_quality=variant.equal_quality),
        settings,
        threshold=threshold,
    )
    steps = time_steps(told, identities, truth, gaps=variant.gaps)
    return identity_scores(steps, iou=0.5)["IDF1"], hota_scores(steps)["HOTA"]


def ablate(
    recorded: Callable[[EmbedSettings], Sequence[Scene]], *, boxes: str, threshold: float
) -> list[dict[str, object]]:
    """Return a row for each variant and mode, the mean over the scenes."""
    rows: list[dict[str, object]] = []
    tracked: dict[str, list[tuple[list[EventRecord], pd.DataFrame]]] = {}
    for name, variant in VARIANTS.items():
        key = repr((variant.embed, variant.track))
        if key not in tracked:  # most variants share their tracks
            scenes = recorded(EmbedSettings.model_validate(variant.embed))
            track = TrackSettings.model_validate(variant.track)
            tracked[key] = [(tell(scene, track=track), scene.truth) for scene in scenes]
        for resolve in (False, True):
            every = [
                scores(told, truth, variant, resolve=resolve, threshold=threshold)
                for told, truth in tracked[key]
            ]
            idf1, hota = np.mean(every, axis=0)
            mode = f"{boxes}, {'offline' if resolve else 'online'}"
            rows.append({"variant": name, "mode": mode, "IDF1": idf1, "HOTA": hota})
            sys.stderr.write(f"{mode:18} {name:34} IDF1 {idf1:.3f} HOTA {hota:.3f}\n")
    return rows


def as_markdown(rows: Sequence[Mapping[str, object]]) -> str:
    """Return the table with a column of ``IDF1 / HOTA`` for each mode."""
    table = pd.DataFrame(rows)
    modes = list(dict.fromkeys(table["mode"]))
    lines = ["| variant | " + " | ".join(modes) + " |", "|---" * (len(modes) + 1) + "|"]
    for name in VARIANTS:
        mine = table[table["variant"] == name].set_index("mode")
        cells = [f"{mine.IDF1[mode]:.3f} / {mine.HOTA[mode]:.3f}" for mode in modes]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("scenes", type=Path, nargs="+")
    parser.add_argument("--detector", required=True)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--threshold", type=float, required=True)
    parser.add_argument("--cache", type=Path, default=Path(".ablation"))
    args = parser.parse_args()
    rows = []
    for boxes, detector in (("detected", args.detector), ("true boxes", None)):

        def recorded(embed: EmbedSettings, detector: str | None = detector) -> list[Scene]:
            chosen = embed.model_copy(update={"weights": args.weights})
            return [
                record(folder, detector=detector, embed=chosen, cache=args.cache)
                for folder in args.scenes
            ]

        rows += ablate(recorded, boxes=boxes, threshold=args.threshold)
    sys.stdout.write(as_markdown(rows))


if __name__ == "__main__":
    main()
