"""Calibration of the similarity threshold from crops and finished work of one place or several."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from pipeline.datatypes import FloatArray
from pipeline.devices import resolve_device
from pipeline.embed.reid import ReidEmbedder
from pipeline.errors import InputError
from pipeline.foreign import picture_files, read_picture, read_regular
from pipeline.locks import Lock
from pipeline.match.calibration import Calibration, TrackLabel, calibrate
from pipeline.results import Results, is_results, open_results
from pipeline.results.visits import seconds
from pipeline.settings import EmbedSettings, MatchSettings

__all__ = ["Measured", "Tracked", "calibrate_weights", "store_threshold"]

MARKET_NAME = re.compile(r"(?P<identity>\d+)_c(?P<camera>\d+).*", re.IGNORECASE)
"""Market-1501 names: ``0002_c1s1_000451_03.jpg``; -1 and 0 are junk and distractors."""
BATCH = 64
MAX_TRACKS = 4000
"""Tracks of finished work that are compared with each other: 8 million pairs."""
Tracked = tuple[TrackLabel, list[Path] | FloatArray]
"""Whom a track shows and where, and its crops or its mean embedding."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A calibration, and the weights that it can be stored with."""

    calibration: Calibration
    embedder: ReidEmbedder


def calibrate_weights(
    places: Sequence[Path],
    weights: Path | None,
    *,
    identities: Path | None = None,
    device: str = "auto",
    each_track: Callable[[list[Tracked]], Iterable[Tracked]] = lambda tracks: tracks,
) -> Measured:
    """Measure how often weights take strangers for one person, by similarity.

    Args:
        places: Folders of crops, of people the network was not trained on, and of finished work;
            nobody is in two of them. Where names are like Market-1501's they say who is who, and
            in which camera. In a folder without such names nobody is known: its crops are compared
            with those of the other places alone. In finished work those are known who were named,
            merged or split by hand, and people who are in one camera at the same time differ.
        weights: Re-identification weights; ``None`` = those of the finished work, else the package's.
        identities: JSON list of the identities to use of crops; ``None`` = all.
        device: As for a run.
        each_track: Yields the tracks one by one as they are embedded, to show progress.

    Raises:
        InputError: There are no such crops, one is no image, or finished work is of other weights.
        ModelError: The weights cannot be used.
    """
    wanted = None if identities is None else _read_identities(identities)
    works = {place: open_results(place) for place in places if is_results(place)}
    settings = next(map(_embed_settings, works.values()), EmbedSettings())
    if weights is not None:
        settings = settings.model_copy(update={"weights": weights})
    tracks = [
        track
        for place in places
        for track in (_seen(works[place]) if place in works else _tracks(place, wanted))
    ]
    embedder = ReidEmbedder(settings, device=resolve_device(device))
    sha256 = embedder.sha256
    for place, results in works.items():
        if results.summary().weights_sha256 != sha256:
            raise InputError(
                f"{place} was made with other re-identification weights than {embedder.name}: name "
                "those by --weights, or process it again"
            )
    means, labels = [], []
    for label, crops in each_track(tracks):
        means.append(_mean(crops, embedder) if isinstance(crops, list) else crops)
        labels.append(label)
    match = MatchSettings()
    found = calibrate(
        np.stack(means),
        labels,
        centre_tracks=match.centre_tracks,
        overlap_s=match.overlap_s,
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
        return frozenset(int(each) for each in json.loads(read_regular(path)))
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{path} is no JSON list of identities: {error}") from None


def _embed_settings(results: Results) -> EmbedSettings:
    """Return how crops became the embeddings of finished work."""
    try:
        return EmbedSettings.model_validate(results.record["settings"]["embed"])
    except (KeyError, TypeError, ValidationError):
        raise InputError(
            f"{results.path / results.record_file} does not say with which settings it was made: "
            "process it again"
        ) from None


def _seen(results: Results) -> list[Tracked]:
    """Return the tracks of finished work with their embeddings."""
    table, vectors = results.sightings(), results.embeddings()
    known = results.edits().confirmed()
    is_known = table["global_id"].isin(known).to_numpy(bool)
    rows = np.flatnonzero(vectors.any(axis=1))
    if not len(rows):
        raise InputError(f"{results.path} has no track with an embedding: leave it out")
    own, others = rows[is_known[rows]], rows[~is_known[rows]]
    if len(others) > MAX_TRACKS:
        others = others[np.linspace(0, len(others) - 1, MAX_TRACKS).astype(np.int64)]
    place = str(results.path.resolve())
    columns = table["camera"], table["global_id"], is_known
    spans = zip(seconds(table["first_time"]), seconds(table["last_time"]), strict=True)
    labels = [
        TrackLabel(place, str(person) if named else None, camera, span)
        for camera, person, named, span in zip(*columns, spans, strict=True)
    ]
    return [(labels[row], vectors[row]) for row in sorted([*own, *others])]


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
