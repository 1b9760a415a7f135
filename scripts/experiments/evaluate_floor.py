"""What places on the floor buy: identities over cameras, and people on the ground plane.

    python scripts/experiments/evaluate_floor.py
    python scripts/experiments/evaluate_floor.py ../shared/data/multiviewx --market ../shared/data/market1501

The first takes `sample_videos`, with true boxes and with those of the built-in detector. The second takes
MultiviewX with true boxes alone, as its pictures at hand are not those of its annotations; people of
Market-1501 stand in for the looks. Each scene is matched by appearance alone, by place alone, by both, and
by both with one camera badly calibrated.

MODA and MODP as the authors of MultiviewX have them: at each moment found and true places are paired one
to one within 0.5 m; ``MODA = 1 - (missed + false) / true``, ``MODP`` is the mean of ``1 - distance / 0.5 m``
over the pairs.

Source: Kasturi et al., "Framework for performance evaluation of face, text, and vehicle detection and
tracking in video" (2009); Hou, Zheng, Gould, "Multiview Detection with Feature Perspective Transformation"
(2020).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from multiviewx import as_scene, dress
from recorded_scenes import BUILT_IN, EventRecord, matched, record, tell, time_steps
from scipy.optimize import linear_sum_assignment

from pipeline.build_calibration import calibration_of
from pipeline.datatypes import UNASSIGNED, CropEvidence, Identities
from pipeline.embed.reid import ReidEmbedder
from pipeline.errors import SettingsError
from pipeline.floor.placing import Floor, place_boxes, plane_of
from pipeline.metrics.trackeval_scores import hota_scores, identity_scores
from pipeline.settings import CameraSettings, EmbedSettings, MatchSettings, TrackSettings
from pipeline.sources import resolve_cameras

SAMPLES = Path(__file__).resolve().parents[2] / "sample_videos"
REACH_M = 0.5
MIN_VISIBLE = 0.3
CUES = ("looks alone", "place alone", "both")
RANDOM_DIM = 512
MAX_PIXEL_M = 0.1
SWAPPED, OTHER = "two points swapped", "points of another camera"
SPOILED = {
    "in feet": lambda u, v, x, y: (u, v, 3.28 * x, 3.28 * y),
    "moved by 2 m": lambda u, v, x, y: (u, v, x + 1.4, y + 1.4),
    "moved by 6 m": lambda u, v, x, y: (u, v, x + 4.2, y + 4.2),
    "mirrored": lambda u, v, x, y: (u, v, y, x),
    SWAPPED: lambda *row: row,
    OTHER: lambda *row: row,
}
"""Mistakes in a calibration: what becomes of a point."""
MARKET_TRACKS = TrackSettings(min_hits=1)
"""At two frames a second the first box of a person is one of few."""


@dataclass(frozen=True, slots=True)
class Score:
    """How a scene was matched."""

    idf1: float
    online: float
    hota: float
    moda: float
    modp: float
    people: int


def on_the_ground(
    told: Sequence[EventRecord], identities: Identities
) -> dict[float, list[tuple[float, float]]]:
    """Return where each person is at each moment: the mean over views, the sure ones counting most."""
    rows = []
    for each in told:
        places = each.tracks.places
        if places is None:
            continue
        weight = 1 / np.maximum(places.uncertainty_m, 0.05) ** 2
        for track_id, (x, y), w in zip(
            each.tracks.track_id.tolist(), places.xy.tolist(), weight.tolist(), strict=True
        ):
            number = identities.global_id(each.camera, track_id)
            if number != UNASSIGNED and np.isfinite(x):
                rows.append((round(each.time_s, 3), number, x * w, y * w, w))
    table = pd.DataFrame(rows, columns=["time_s", "person", "x", "y", "w"])
    summed = table.groupby(["time_s", "person"]).sum()
    found: dict[float, list[tuple[float, float]]] = {}
    for (time_s, _), row in summed.iterrows():
        found.setdefault(time_s, []).append((row.x / row.w, row.y / row.w))
    return found


def moda_modp(
    found: Mapping[float, Sequence[tuple[float, float]]], truth: pd.DataFrame
) -> tuple[float, float]:
    """Return MODA and MODP over all moments."""
    missed = false = 0
    closeness: list[float] = []
    for time_s, people in truth.groupby("time_s"):
        true = people[["x_m", "y_m"]].to_numpy()
        seen = np.array(found.get(round(float(time_s), 3), [])).reshape(-1, 2)
        apart = np.linalg.norm(true[:, None] - seen, axis=2)
        # Pairs out of reach must never be worth more than one pair within.
        cost = np.where(apart <= REACH_M, apart, 1e3)
        near = [apart[pair] for pair in zip(*linear_sum_assignment(cost), strict=True)]
        near = [each for each in near if each <= REACH_M]
        missed += len(true) - len(near)
        false += len(seen) - len(near)
        closeness += [1 - each / REACH_M for each in near]
    return 1 - (missed + false) / len(truth), float(np.mean(closeness or [0.0]))


def blinded(told: Sequence[EventRecord], cue: str) -> list[EventRecord]:
    """Return what the matcher is told with one cue left out."""
    if cue != "place alone":
        return list(told)
    random = np.random.default_rng(0)
    blind = []
    for each in told:
        rows = each.evidence.rows
        vectors = random.normal(size=(len(rows), RANDOM_DIM)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        blind.append(replace(each, evidence=CropEvidence(rows, vectors, each.evidence.quality)))
    return blind


def score(
    told: Sequence[EventRecord],
    truth: pd.DataFrame,
    places: pd.DataFrame,
    settings: MatchSettings,
    *,
    cue: str,
    threshold: float,
) -> Score:
    """Match a scene by some cues and score it."""
    if cue != "both":  # so much that the noise of random vectors is nothing beside it
        weight = 0.0 if cue == "looks alone" else 1.0
        settings = settings.model_copy(update={"place_weight": weight})
    # Without appearance every pair is as good as another, and place decides at even odds.
    level = 0.0 if cue == "place alone" else threshold
    identities = matched(blinded(told, cue), settings, threshold=level)
    steps = time_steps(told, identities, truth)
    moda, modp = moda_modp(on_the_ground(told, identities), places)
    people = {each.global_id for each in identities.by_track.values()} - {UNASSIGNED}
    idf1 = identity_scores(steps, iou=0.5)["IDF1"]
    alone = settings.model_copy(update={"resolve": False})
    early = time_steps(told, matched(blinded(told, cue), alone, threshold=level), truth)
    online = identity_scores(early, iou=0.5)["IDF1"]
    return Score(idf1, online, hota_scores(steps)["HOTA"], moda, modp, len(people))


def as_points(camera: CameraSettings, size: tuple[int, int]) -> CameraSettings:
    """Return a camera whose calibration is given by points, as users give it."""
    if camera.floor_points is not None:
        return camera
    plane = plane_of(camera, size)
    columns, lines = np.meshgrid(np.linspace(0.1, 0.9, 4), np.linspace(0.4, 0.95, 6))
    pixels = np.column_stack([columns.ravel() * size[0], lines.ravel() * size[1]])
    pixels = pixels[plane.pixel_m(pixels) < MAX_PIXEL_M]
    points = [tuple(row) for row in np.column_stack([pixels, plane.places(pixels)]).tolist()]
    return camera.model_copy(update={"floor_points": points, "calibration": None})


def spoiled_camera(
    cameras: Mapping[str, CameraSettings],
    name: str,
    what: str,
    sizes: Mapping[str, tuple[int, int]],
) -> CameraSettings:
    """Return a camera with a mistake in its calibration, one of ``SPOILED``."""
    camera = as_points(cameras[name], sizes[name])
    if what == OTHER:
        names = sorted(cameras)
        other = names[(names.index(name) + 1) % len(names)]
        points = as_points(cameras[other], sizes[other]).floor_points
        return camera.model_copy(update={"floor_points": points})
    points = [tuple(SPOILED[what](*row)) for row in camera.floor_points or []]
    if what == SWAPPED:
        points[0], points[1] = (*points[0][:2], *points[1][2:]), (*points[1][:2], *points[0][2:])
    return camera.model_copy(update={"floor_points": points})


def placed(
    told: Sequence[EventRecord], camera: CameraSettings, size: tuple[int, int]
) -> list[EventRecord]:
    """Return what the matcher is told with the places of one camera by another calibration."""
    plane = plane_of(camera, size)
    changed = []
    for each in told:
        if each.camera == camera.name:
            places = place_boxes(plane, each.tracks.xyxy, size[1])
            each = replace(each, tracks=replace(each.tracks, places=places))  # noqa: PLW2901
        changed.append(each)
    return changed


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("multiviewx", type=Path, nargs="?", help="the data set's folder")
    parser.add_argument("--market", type=Path, help="Market-1501, whose people stand in for looks")
    parser.add_argument("--cache", type=Path, default=Path(".ablation"))
    args = parser.parse_args()
    if (args.multiviewx is None) != (args.market is None):
        parser.error("give the folders of MultiviewX and Market-1501, or none")
    folder = SAMPLES
    if args.multiviewx is not None:
        folder = as_scene(args.multiviewx, args.cache / "multiviewx")
    embedder = ReidEmbedder(EmbedSettings(), device="cpu")
    calibration = calibration_of(embedder)
    assert calibration is not None
    settings = MatchSettings(place_weight=calibration.place_weight())
    threshold = calibration.threshold_for(false_match_rate=settings.false_match_rate)
    cameras = {each.name: each for each in resolve_cameras([str(folder / "cameras.yaml")])}
    floor = Floor(list(cameras.values()))
    places = pd.read_csv(folder / "places.csv")
    people = places["identity"].nunique()
    columns = ("boxes", "cues", "IDF1", "online", "HOTA", "people", "MODA", "MODP")
    sys.stdout.write(f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|\n")

    def show(boxes: str, cue: str, told: Sequence[EventRecord], truth: pd.DataFrame) -> None:
        which = cue if cue in CUES else "both"
        got = score(told, truth, places, settings, cue=which, threshold=threshold)
        sys.stdout.write(
            f"| {boxes} | {cue} | {got.idf1:.3f} | {got.online:.3f} | {got.hota:.3f} | {got.people} for {people} "
            f"| {got.moda:.3f} | {got.modp:.3f} |\n"
        )

    for boxes, detector in (("true", None), ("built-in detector", BUILT_IN)):
        if detector is not None and args.market is not None:
            break  # the pictures are not those of the annotations
        scene = record(folder, detector=detector, embed=EmbedSettings(), cache=args.cache)
        if args.market is None:  # nobody can be placed where no camera looks
            seen = scene.truth[scene.truth["visible"] >= MIN_VISIBLE][["time_s", "identity"]]
            places = places.merge(seen.drop_duplicates(), on=["time_s", "identity"])
        if args.market is not None:
            scene = dress(scene, args.market, embedder)
        track = MARKET_TRACKS if args.market is not None else TrackSettings()
        told = tell(scene, floor=floor, track=track)
        for cue in CUES:
            show(boxes, cue, told, scene.truth)
        sizes = {each.camera: (each.size[1], each.size[0]) for each in told}
        for name in list(cameras) if args.market is None else list(cameras)[:1]:
            for what in SPOILED:
                try:
                    camera = spoiled_camera(cameras, name, what, sizes)
                    spoiled = placed(told, camera, sizes[name])
                except SettingsError as error:
                    sys.stdout.write(f"| {boxes} | both, {name} {what} | refused: {error} |\n")
                    continue
                show(boxes, f"both, {name} {what}", spoiled, scene.truth)


if __name__ == "__main__":
    main()
