"""`reid-pipeline calibrate`: the similarity threshold of weights, from labelled crops."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from pipeline.errors import InputError
from pipeline.jobs.calibrate import Tracked, calibrate_weights, store_threshold
from pipeline.match.calibration import Calibration, save_calibration
from pipeline.settings import MatchSettings

__all__ = ["calibrate_command"]

SHOWN_RATES = (0.1, 0.05, 0.02, 0.01, 0.001)


def calibrate_command(
    crops: Annotated[Path, typer.Argument(help="Folder of crops with Market-1501 names.")],
    *,
    weights: Annotated[Path, typer.Option("--weights", help="Re-identification weights.")],
    identities: Annotated[
        Path | None, typer.Option(help="JSON list of the identities to use; none = all.")
    ] = None,
    false_match_rate: Annotated[
        float, typer.Option(min=1e-6, max=0.5, help="False match rate to accept.")
    ] = MatchSettings().false_match_rate,
    out: Annotated[
        Path | None, typer.Option(help="Write the error rates to this JSON file.")
    ] = None,
    store: Annotated[
        bool, typer.Option("--store", help="Store the calibration in the weights.")
    ] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, ...")] = "auto",
) -> None:
    """Measure the similarity threshold of re-identification weights.

    Use identities that the network was not trained on: it knows the others too well.
    """
    found = calibrate_weights(
        crops, weights, identities=identities, device=device, each_track=_with_progress
    )
    threshold = found.threshold_for(false_match_rate=false_match_rate)
    _show(found, threshold, false_match_rate)
    if out is not None:
        save_calibration(out, found)
    if store:
        store_threshold(weights, found, threshold=threshold, false_match_rate=false_match_rate)


def _with_progress(tracks: list[Tracked]) -> Iterable[Tracked]:
    return track(tracks, description="embedding", console=Console(stderr=True))


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
