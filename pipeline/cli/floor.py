"""`reid-pipeline floor`: cameras that know where they stand."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.table import Table

from pipeline.cli.json_output import STDOUT, JsonOption, file_of, write_json
from pipeline.cli.terminal import Console
from pipeline.floor.refining import Refinement
from pipeline.foreign import MARK
from pipeline.jobs.floor import Calibrated, fit_floor
from pipeline.jobs.outputs import check_files
from pipeline.jobs.refine import refine_floor

__all__ = ["floor_app"]

floor_app = typer.Typer(name="floor", help="Calibrate cameras on the floor.", no_args_is_help=True)


@floor_app.callback()
def _floor() -> None:
    """Calibrate cameras on the floor."""


@floor_app.command()
def fit(
    cameras: Annotated[
        list[str], typer.Argument(help="Camera lists with floor_points or a calibration.")
    ],
    *,
    out: Annotated[
        Path, typer.Option(help="Folder for a picture of each view with the grid drawn in.")
    ] = Path("floor"),
    json: JsonOption = None,
) -> None:
    """Show how well each camera's points fit the floor, and draw the grid into its view."""
    console = Console()
    found = []
    for each in fit_floor(cameras, out, files=[file_of(json)]):
        found.append(_as_json(each))
        if json != STDOUT:
            _show(console, each)
    write_json(json, {"written_by": f"{MARK} floor fit", "cameras": found})


def _as_json(found: Calibrated) -> dict[str, Any]:
    fit = found.fit
    points = () if fit is None else zip(fit.points, fit.errors_m, fit.pixel_m, strict=True)
    return {
        "camera": found.camera,
        "has_lens": found.has_lens,
        "has_heights": found.has_heights,
        "picture": None if found.picture is None else str(found.picture),
        "points": [
            {"point": list(map(float, point)), "error_m": float(error), "pixel_m": float(pixel)}
            for point, error, pixel in points
        ],
    }


@floor_app.command()
def refine(
    results: Annotated[Path, typer.Argument(help="The --out folder of run, batch or live.")],
    *,
    out: Annotated[Path, typer.Option(help="The refined camera list; never over the one given.")],
    cams: Annotated[
        Path | None,
        typer.Option(help="Camera list to start from; without it the cameras of the results."),
    ] = None,
    camera: Annotated[
        list[str] | None,
        typer.Option(help="A camera that may be changed; may be repeated. Without it all may."),
    ] = None,
    json: JsonOption = None,
) -> None:
    """Refine calibrations from people who were in two views at once; calibrate cameras without points."""
    # A list that exists is refused by the job itself, in words of its own.
    check_files([file_of(json)], [cams, None if out.exists() else out])
    console = Console()
    found = refine_floor(results, out, cams=cams, only=camera or [])
    content = [_refined_as_json(each) for each in found]
    if not write_json(json, {"written_by": f"{MARK} floor refine", "cameras": content}):
        return
    for each in found:
        _show_refined(console, each)
    if any(each.plane is not None for each in found):
        text = f"refined camera list: {out}; look at it with `reid-pipeline floor fit {out}`"
    else:
        text = "nothing was changed, no camera list is written"
    console.print(text, highlight=False, markup=False, soft_wrap=True)


def _refined_as_json(each: Refinement) -> dict[str, Any]:
    before, after = (None if np.isnan(m) else float(m) for m in (each.before_m, each.after_m))
    return {
        "camera": each.camera,
        "accepted": each.plane is not None,
        "reason": each.reason,
        "change": each.change,
        "people": each.people,
        "held_out_before_m": before,
        "held_out_after_m": after,
    }


def _show_refined(console: Console, each: Refinement) -> None:
    if each.plane is None:
        text = f"{each.camera}: not accepted: {each.reason}"
    else:
        before = (
            "not calibrated" if np.isnan(each.before_m) else f"{100 * each.before_m:.0f} cm off"
        )
        text = (
            f"{each.camera}: {each.change}; {each.people} people in two views at once, held-out tracks "
            f"{before} before, {100 * each.after_m:.0f} cm after"
        )
    console.print(text, highlight=False, markup=False, soft_wrap=True)


def _show(console: Console, found: Calibrated) -> None:
    lens = "lens distortion taken out" if found.has_lens else "no lens distortion"
    heights = "" if found.has_heights else "; heights of people cannot be told"
    console.print(f"[bold]{found.camera}[/]: {lens}{heights}", highlight=False)
    fit = found.fit
    if fit is not None:
        table = Table("point", "pixel", "place, m", "error, cm", "a pixel, cm")
        for row, (point, error, pixel) in enumerate(
            zip(fit.points, fit.errors_m, fit.pixel_m, strict=True)
        ):
            is_worst = row == fit.worst and error > 0.005
            table.add_row(
                f"{row + 1}{' (worst)' if is_worst else ''}",
                f"{point[0]:.1f}, {point[1]:.1f}",
                f"{point[2]:g}, {point[3]:g}",
                f"{100 * error:.1f}",
                f"{100 * pixel:.1f}",
                style="bold red" if is_worst else "",
            )
        console.print(table)
        mean = 100 * float(np.sqrt(np.mean(fit.errors_m**2)))
        console.print(f"root mean square error {mean:.1f} cm", highlight=False)
        if len(fit.points) == 4:
            console.print("four points always fit: a fifth would show mistakes", highlight=False)
    if found.picture is None:
        console.print("a stream: no picture is drawn", highlight=False)
    else:
        console.print(f"grid: {found.picture}", highlight=False, markup=False)
