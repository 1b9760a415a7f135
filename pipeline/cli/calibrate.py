"""`reid-pipeline calibrate`: the similarity threshold of weights, from crops or finished work."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track
from rich.table import Table

from pipeline.cli.flags import refuse_flags
from pipeline.cli.json_output import JsonOption, file_of, write_json
from pipeline.cli.terminal import Console
from pipeline.errors import InputError
from pipeline.jobs.calibrate import Tracked, calibrate_weights, store_threshold
from pipeline.jobs.outputs import check_files
from pipeline.match.calibration import Calibration, calibration_as_json
from pipeline.results import is_results
from pipeline.settings import MatchSettings

__all__ = ["calibrate_command"]

SHOWN_RATES = (0.1, 0.05, 0.02, 0.01, 0.001)


def calibrate_command(
    context: typer.Context,
    places: Annotated[
        list[Path],
        typer.Argument(
            help="Folders of crops (Market-1501 names say who is who), of runs, archives or "
            "recordings; one for each place."
        ),
    ],
    *,
    weights: Annotated[
        Path | None,
        typer.Option(
            "--weights",
            help="Re-identification weights; none = those of the run, else the package's.",
        ),
    ] = None,
    identities: Annotated[
        Path | None, typer.Option(help="JSON list of the identities to use; none = all.")
    ] = None,
    false_match_rate: Annotated[
        float, typer.Option(min=1e-6, max=0.5, help="False match rate to accept.")
    ] = MatchSettings().false_match_rate,
    json: JsonOption = None,
    store: Annotated[
        bool, typer.Option("--store", help="Store the calibration with the weights.")
    ] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, ...")] = "auto",
) -> None:
    """Measure the similarity threshold of re-identification weights.

    Use identities that the network was not trained on: it knows the others too well. Nobody may be in
    two places. Where names do not say who is who, as those of `reid-pipeline crops`, crops are
    compared with those of the other places alone. In runs, archives and recordings those are known
    who were named, merged or split by hand (see `edit`).
    """
    if store and weights is None:
        raise InputError("--store needs --weights: say which weights keep the threshold")
    if all(map(is_results, places)):
        refuse_flags(context, "identities", because="is for folders of crops")
    check_files([file_of(json)], [*places, weights, identities])
    measured = calibrate_weights(
        places, weights, identities=identities, device=device, each_track=_with_progress
    )
    found = measured.calibration
    is_shown = write_json(json, calibration_as_json(found))
    threshold = found.checked_threshold(false_match_rate=false_match_rate)
    if is_shown:
        _show(found, threshold, false_match_rate)
    if store:
        store_threshold(measured, threshold=threshold, false_match_rate=false_match_rate)


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
        f"threshold {threshold:.2f}: {found.places} place(s), {found.identities} persons, "
        f"{found.tracks} tracks; {found.genuine_pairs} pairs of one person, {found.impostor_pairs} "
        f"of two in one place, {found.across_pairs} of two places"
    )
