"""Calibration of the similarity threshold from labelled crops."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import cv2
import numpy as np

from pipeline.datatypes import FloatArray
from pipeline.devices import resolve_device
from pipeline.embed.reid import ReidEmbedder
from pipeline.errors import InputError
from pipeline.match.calibration import Calibration, calibrate
from pipeline.match.fingerprint import store_calibration, weights_hash
from pipeline.settings import EmbedSettings, MatchSettings

__all__ = ["Tracked", "calibrate_weights", "store_threshold"]

MARKET_NAME = re.compile(r"(?P<identity>\d+)_c(?P<camera>\d+).*\.(jpg|jpeg|png)", re.IGNORECASE)
"""Market-1501 names: ``0002_c1s1_000451_03.jpg``; -1 and 0 are junk and distractors."""
BATCH = 64
Tracked = tuple[tuple[str, str], list[Path]]
"""Identity and camera of a track, and its crops."""


def calibrate_weights(
    crops: Path,
    weights: Path,
    *,
    identities: Path | None = None,
    device: str = "auto",
    each_track: Callable[[list[Tracked]], Iterable[Tracked]] = lambda tracks: tracks,
) -> Calibration:
    """Measure how often weights take strangers for one person, by similarity.

    Args:
        crops: Folder of crops with Market-1501 names, of people the network was not trained on.
        weights: Re-identification weights.
        identities: JSON list of the identities to use; ``None`` = all.
        device: As for a run.
        each_track: Yields the tracks one by one as they are embedded, to show progress.

    Raises:
        InputError: There are no such crops, or one is no image.
        ModelError: The weights cannot be used.
    """
    embedder = ReidEmbedder(EmbedSettings(weights=weights), device=resolve_device(device))
    tracks = list(_crops(crops, identities).items())
    means, people, cameras = [], [], []
    for (identity, camera), paths in each_track(tracks):
        means.append(_mean(paths, embedder))
        people.append(identity)
        cameras.append(camera)
    return calibrate(
        np.stack(means),
        people,
        cameras,
        centre_tracks=MatchSettings().centre_tracks,
        weights_sha256=weights_hash(weights),
        runtime=embedder.runtime,
    )


def store_threshold(
    weights: Path, found: Calibration, *, threshold: float, false_match_rate: float
) -> None:
    """Note a threshold, and how it was measured, in the weights."""
    summary = {
        "threshold": threshold,
        "false_match_rate": false_match_rate,
        "identities": found.identities,
        "tracks": found.tracks,
        "weights_sha256": found.weights_sha256,
        "runtime": found.runtime,
        "fmr": [[point.threshold, point.fmr] for point in found.curve],
    }
    store_calibration(weights, summary)


def _crops(folder: Path, identities: Path | None) -> dict[tuple[str, str], list[Path]]:
    """Return the files of each (identity, camera)."""
    wanted = None
    if identities is not None:
        try:
            wanted = {int(each) for each in json.loads(identities.read_text(encoding="utf-8"))}
        except (OSError, ValueError, TypeError) as error:
            raise InputError(f"{identities} is no JSON list of identities: {error}") from None
    found: dict[tuple[str, str], list[Path]] = {}
    for path in sorted(folder.glob("*")):
        name = MARKET_NAME.fullmatch(path.name)
        if name and int(name["identity"]) and (wanted is None or int(name["identity"]) in wanted):
            found.setdefault((name["identity"], name["camera"]), []).append(path)
    if not found:
        raise InputError(
            f"{folder} holds no crops with Market-1501 names (0002_c1s1_000451_03.jpg) "
            "of these identities"
        )
    return found


def _mean(paths: list[Path], embedder: ReidEmbedder) -> FloatArray:
    """Return the mean embedding of a track's crops."""
    images = []
    for path in paths:
        image = cv2.imread(str(path))
        if image is None:
            raise InputError(f"{path} is no image that can be read")
        images.append(np.asarray(image, np.uint8))
    vectors = [embedder.embed(images[i : i + BATCH]) for i in range(0, len(images), BATCH)]
    return np.asarray(np.concatenate(vectors).mean(axis=0), np.float32)
