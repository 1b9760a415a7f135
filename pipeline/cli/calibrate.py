"""`reid-pipeline calibrate`: from which similarity on are two tracks one person?"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from pipeline.datatypes import FloatArray
from pipeline.devices import resolve_device
from pipeline.embed.reid import ReidEmbedder
from pipeline.errors import InputError
from pipeline.match.calibration import Calibration, calibrate, save_calibration
from pipeline.match.fingerprint import store_calibration, weights_hash
from pipeline.settings import EmbedSettings, MatchSettings

__all__ = ["calibrate_command"]

CROP_NAME = re.compile(r"(?P<identity>\d+)_c(?P<camera>\d+).*\.(jpg|jpeg|png)", re.IGNORECASE)
"""Market-1501 names: ``0002_c1s1_000451_03.jpg``; -1 and 0 are junk and distractors."""
SHOWN_RATES = (0.1, 0.05, 0.02, 0.01, 0.001)
BATCH = 64


def calibrate_command(
    crops: Annotated[Path, typer.Argument(help="Folder of crops with Market-1501 names.")],
    *,
    weights: Annotated[Path, typer.Option("--weights", help="Re-identification weights.")],
    identities: Annotated[
        Path | None, typer.Option(help="JSON list of the identities to use; none = all.")
    ] = None,
    false_match_rate: Annotated[
        float, typer.Option(min=1e-6, max=0.5, help="Share of pairs of strangers to accept.")
    ] = MatchSettings().false_match_rate,
    out: Annotated[Path | None, typer.Option(help="Write the curves to this JSON file.")] = None,
    store: Annotated[
        bool, typer.Option("--store", help="Note the threshold in the weights.")
    ] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, ...")] = "auto",
) -> None:
    """Measure the similarity threshold of re-identification weights.

    Use identities that the network was not trained on: it knows the others too well.
    """
    embedder = ReidEmbedder(EmbedSettings(weights=weights), device=resolve_device(device))
    files = _crops(crops, identities)
    means, people, cameras = _tracks(files, embedder)
    found = calibrate(
        means,
        people,
        cameras,
        centre_tracks=MatchSettings().centre_tracks,
        weights_sha256=weights_hash(weights),
        runtime=embedder.runtime,
    )
    threshold = found.threshold_for(false_match_rate=false_match_rate)
    _show(found, threshold, false_match_rate)
    if out is not None:
        save_calibration(out, found)
    if store:
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
        name = CROP_NAME.fullmatch(path.name)
        if name and int(name["identity"]) and (wanted is None or int(name["identity"]) in wanted):
            found.setdefault((name["identity"], name["camera"]), []).append(path)
    if not found:
        raise InputError(
            f"{folder} holds no crops with Market-1501 names (0002_c1s1_000451_03.jpg) "
            "of these identities"
        )
    return found


def _tracks(
    files: dict[tuple[str, str], list[Path]], embedder: ReidEmbedder
) -> tuple[FloatArray, list[str], list[str]]:
    """Return mean embedding, identity and camera of each track."""
    means, people, cameras = [], [], []
    for (identity, camera), paths in track(
        files.items(), description="embedding", console=Console(stderr=True)
    ):
        images = []
        for path in paths:
            image = cv2.imread(str(path))
            if image is None:
                raise InputError(f"{path} is no image that can be read")
            images.append(image)
        vectors = [embedder.embed(images[i : i + BATCH]) for i in range(0, len(images), BATCH)]
        means.append(np.concatenate(vectors).mean(axis=0))
        people.append(identity)
        cameras.append(camera)
    return np.stack(means), people, cameras


def _show(found: Calibration, threshold: float, rate: float) -> None:
    table = Table("false match rate", "threshold", "missed (FNMR)", "95% interval")
    points = {point.threshold: point for point in found.curve}
    for each in sorted({*SHOWN_RATES, rate}, reverse=True):
        try:
            point = points[found.threshold_for(false_match_rate=each)]
        except InputError:
            continue  # too few pairs to show so low a rate
        interval = f"{point.fnmr_low:.3f} to {point.fnmr_high:.3f}"
        style = "bold" if each == rate else ""
        table.add_row(
            f"{each:g}", f"{point.threshold:.2f}", f"{point.fnmr:.3f}", interval, style=style
        )
    Console().print(table)
    Console().print(
        f"threshold {threshold:.2f}: {found.identities} persons, {found.tracks} tracks, "
        f"{found.genuine_pairs} genuine and {found.impostor_pairs} impostor pairs"
    )
