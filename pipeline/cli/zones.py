"""`reid-pipeline zones`: entries, exits and stays in finished work."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from pipeline.cli.json_output import JsonOption, file_of, write_json
from pipeline.cli.terminal import Console
from pipeline.jobs.outputs import check_files
from pipeline.jobs.zones import count_zones, passages_as_json

__all__ = ["zones"]


def zones(
    where: Annotated[Path, typer.Argument(help="The --out folder of `run`, `batch` or `live`.")],
    *,
    cams: Annotated[
        list[str] | None,
        typer.Option(
            help="Camera list with `zones` and `lines`; none = those of the run.",
            show_default=False,
        ),
    ] = None,
    json: JsonOption = None,
) -> None:
    """Count who came into zones and crossed lines, over all cameras, nobody twice."""
    check_files([file_of(json)], [where, *map(Path, cams or ())])
    found, totals = count_zones(where, cams or ())
    if not write_json(json, passages_as_json(found, totals), private=True):
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("zone or line")
    for heading in ("in", "out", "usual stay"):
        table.add_column(heading, justify="right")
    for name, total in totals.items():
        usual = total.median_dwell_s
        stay = "" if usual is None else f"{usual:.1f} s"
        table.add_row(name, str(total.entries), str(total.exits), stay)
    Console().print(table)
    if json is not None:
        Console().print(f"Written to {json}", highlight=False, markup=False)
