"""What `floor refine` makes of bad calibrations: how far places are off before and after, against the truth.

    python scripts/experiments/evaluate_refine.py
    python scripts/experiments/evaluate_refine.py ../shared/data/multiviewx --market ../shared/data/market1501

One camera after the other is spoiled. People are matched by appearance alone, so that the bad calibration
has no part in it. "Off" is the median distance over places that people stood on in that camera from where the
true calibration puts them.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from evaluate_floor import MARKET_TRACKS, SAMPLES, SPOILED, spoiled_camera
from multiviewx import as_scene, dress
from recorded_scenes import EventRecord, matched, record, tell

from pipeline.build_calibration import calibration_of
from pipeline.datatypes import FloatArray
from pipeline.embed.reid import ReidEmbedder
from pipeline.errors import SettingsError
from pipeline.floor.meetings import FeetTrack, feet_tracks, meetings_of
from pipeline.floor.placing import plane_of
from pipeline.floor.refining import refine
from pipeline.settings import EmbedSettings, MatchSettings
from pipeline.sources import resolve_cameras


def feet_of(told: list[EventRecord], threshold: float) -> list[FeetTrack]:
    """Return the tracks of all cameras with their feet, matched by appearance alone."""
    identities = matched(told, MatchSettings(place_weight=0.0), threshold=threshold)
    sums: dict[tuple[str, int], FloatArray] = {}
    for each in told:
        for row, vector in zip(each.evidence.rows.tolist(), each.evidence.vectors, strict=True):
            key = each.camera, int(each.tracks.track_id[row])
            sums[key] = sums.get(key, np.zeros_like(vector)) + vector
    found = []
    for camera in sorted({each.camera for each in told}):
        own = [each for each in told if each.camera == camera and len(each.tracks)]
        count = [len(each.tracks) for each in own]
        known = {
            track: (identities.global_id(camera, track), vector / np.linalg.norm(vector))
            for (name, track), vector in sums.items()
            if name == camera
        }
        found += feet_tracks(
            camera,
            own[0].size[0],
            np.repeat([each.frame for each in own], count),
            np.repeat([each.time_s for each in own], count),
            np.concatenate([each.tracks.track_id for each in own]),
            np.concatenate([each.tracks.xyxy for each in own]).astype(float),
            known,
        )
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("multiviewx", type=Path, nargs="?", help="the data set's folder")
    parser.add_argument("--market", type=Path, help="Market-1501, whose people stand in for looks")
    parser.add_argument("--cache", type=Path, default=Path(".ablation"))
    args = parser.parse_args()
    folder = SAMPLES
    if args.multiviewx is not None:
        folder = as_scene(args.multiviewx, args.cache / "multiviewx")
    embedder = ReidEmbedder(EmbedSettings(), device="cpu")
    calibration = calibration_of(embedder)
    assert calibration is not None
    threshold = calibration.threshold_for(false_match_rate=MatchSettings().false_match_rate)
    scene = record(folder, detector=None, embed=EmbedSettings(), cache=args.cache)
    if args.market is not None:
        scene = dress(scene, args.market, embedder)
    told = tell(scene, track=MARKET_TRACKS if args.market is not None else None)
    sizes = {each.camera: (each.size[1], each.size[0]) for each in told}
    cameras = {each.name: each for each in resolve_cameras([str(folder / "cameras.yaml")])}
    true = {name: plane_of(each, sizes[name]) for name, each in cameras.items()}
    tracks = feet_of(told, threshold)
    meetings = meetings_of(tracks)
    stood = {
        name: np.concatenate([each.feet for each in tracks if each.camera == name]) for name in true
    }
    columns = ("camera", "spoiled", "off before, m", "refined", "held-out before, after, cm")
    sys.stdout.write(f"| {' | '.join(columns)} | off after, m |\n{'|---' * (len(columns) + 1)}|\n")
    for name in cameras:
        for what in (*SPOILED, "not calibrated", "not spoiled"):
            planes = dict(true)
            if what == "not calibrated":
                del planes[name]
            elif what in SPOILED:
                try:
                    planes[name] = plane_of(spoiled_camera(cameras, name, what, sizes), sizes[name])
                except SettingsError:
                    sys.stdout.write(f"| {name} | {what} | | refused | | |\n")
                    continue
            found = refine(planes, meetings, list(cameras), sizes)

            def off_m(plane: object, camera: str = name) -> str:
                if plane is None:
                    return ""
                apart = plane.places(stood[camera]) - true[camera].places(stood[camera])  # type: ignore[attr-defined]
                return f"{np.nanmedian(np.linalg.norm(apart, axis=1)):.2f}"

            accepted = [each for each in found if each.plane is not None]
            after = {**planes, **{each.camera: each.plane for each in accepted}}
            texts = [
                f"{each.camera} {each.people} people: {100 * each.before_m:.0f}, "
                f"{100 * each.after_m:.0f}"
                for each in accepted
            ]
            sys.stdout.write(
                f"| {name} | {what} | {off_m(planes.get(name))} | "
                f"{', '.join(each.camera for each in accepted) or 'nothing'} | {'; '.join(texts)} | "
                f"{off_m(after.get(name))} |\n"
            )
            sys.stdout.flush()


if __name__ == "__main__":
    main()
