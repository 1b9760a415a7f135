"""Calibration of the similarity threshold from crops of one place or several."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.datatypes import FloatArray
from pipeline.devices import resolve_device
from pipeline.embed.reid import ReidEmbedder
from pipeline.errors import InputError
from pipeline.foreign import picture_files, read_picture
from pipeline.locks import Lock
from pipeline.match.calibration import Calibration, TrackLabel, calibrate
from pipeline.settings import EmbedSettings, MatchSettings

__all__ = ["Measured", "Tracked", "calibrate_weights", "store_threshold"]

MARKET_NAME = re.compile(r"(?P<identity>\d+)_c(?P<camera>\d+).*", re.IGNORECASE)
"""Market-1501 names: ``0002_c1s1_000451_03.jpg``; -1 and 0 are junk and distractors."""
BATCH = 64
Tracked = tuple[TrackLabel, list[Path]]
"""Whom a track shows and where, and its crops."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A calibration, and the weights that it can be stored with."""

    calibration: Calibration
    embedder: ReidEmbedder


def calibrate_weights(
    places: Sequence[Path],
    weights: Path,
    *,
    identities: Path | None = None,
    device: str = "auto",
    each_track: Callable[[list[Tracked]], Iterable[Tracked]] = lambda tracks: tracks,
) -> Measured:
    """Measure how often weights take strangers for one person, by similarity.

    Args:
        places: Folders of crops, of people the network was not trained on; nobody is in two of them.
            Where names are like Market-1501's they say who is who, and in which camera. In
            a folder without such names nobody is known: its crops are compared with those
            of the other places alone.
        weights: Re-identification weights.
        identities: JSON list of the identities to use; ``None`` = all.
        device: As for a run.
        each_track: Yields the tracks one by one as they are embedded, to show progress.

    Raises:
        InputError: There are no such crops, or one is no image.
        ModelError: The weights cannot be used.
    """
    wanted = None if identities is None else _read_identities(identities)
    tracks = [track for place in places for track in _tracks(place, wanted)]
    embedder = ReidEmbedder(EmbedSettings(weights=weights), device=resolve_device(device))
    sha256 = embedder.sha256
    means, labels = [], []
    for label, paths in each_track(tracks):
        means.append(_mean(paths, embedder))
        labels.append(label)
    found = calibrate(
        np.stack(means),
        labels,
        centre_tracks=MatchSettings().centre_tracks,
        weights_sha256=sha256,
        runtime=embedder.runtime,
    )
    return Measured(found, embedder)


def store_threshold(found: Measured, *, threshold: float, false_match_rate: float) -> None:
    """Store a threshold, and how it was measured, with the weights.

    Raises:
        ModelError: The weights can hold none, or were replaced meanwhile.
        OutputError: They cannot be written, or another command is writing them.
    """
    weights = found.embedder.weights
    notes = found.calibration.notes(threshold=threshold, false_match_rate=false_match_rate)
    with Lock(weights.with_name(f".{weights.name}.lock"), what=f"weights {weights}"):
        found.embedder.store_calibration(notes)


def _read_identities(path: Path) -> frozenset[int]:
    try:
        return frozenset(int(each) for each in json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{path} is no JSON list of identities: {error}") from None


def _tracks(folder: Path, wanted: frozenset[int] | None) -> list[Tracked]:
    """Return the files of each identity and camera, or of each crop where nobody is known."""
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder: name the folder of the crops")
    paths = picture_files(folder)
    if not paths:
        raise InputError(f"{folder} holds no crops (.jpg or .png)")
    place = str(folder.resolve())
    names = [MARKET_NAME.fullmatch(path.name) for path in paths]
    if not any(names):
        return [(TrackLabel(place, None, place), [path]) for path in paths]
    known: dict[TrackLabel, list[Path]] = {}
    for path, name in zip(paths, names, strict=True):
        if name and int(name["identity"]) and (wanted is None or int(name["identity"]) in wanted):
            label = TrackLabel(place, name["identity"], name["camera"])
            known.setdefault(label, []).append(path)
    if not known:
        raise InputError(
            f"{folder} holds no crops with Market-1501 names (0002_c1s1_000451_03.jpg) "
            "of these identities"
        )
    return list(known.items())


def _mean(paths: list[Path], embedder: ReidEmbedder) -> FloatArray:
    """Return the mean embedding of a track's crops."""
    images = [read_picture(path) for path in paths]
    vectors = [embedder.embed(images[i : i + BATCH]) for i in range(0, len(images), BATCH)]
    return np.asarray(np.concatenate(vectors).mean(axis=0), np.float32)
