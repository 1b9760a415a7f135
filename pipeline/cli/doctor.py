"""`reid-pipeline doctor`: what is installed, what is missing for what, and whether it works."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from pipeline.cli.json_output import JsonOption, file_of, write_json
from pipeline.cli.terminal import Console
from pipeline.foreign import MARK
from pipeline.jobs.doctor import State, examine
from pipeline.jobs.outputs import check_files

__all__ = ["doctor"]

COLOURS = {State.OK: "green", State.NOTE: "yellow", State.FAILED: "bold red"}


def doctor(
    *,
    out: Annotated[
        Path, typer.Option(help="Where results would go: its disk is looked at.")
    ] = Path("runs"),
    json: JsonOption = None,
) -> int:
    """Say what is installed, what is missing for what, and try codecs and networks.

    Exit code 1 where something that every command needs has failed, else 0.
    """
    check_files([file_of(json)])
    checks = list(examine(out))
    failed = [each.name for each in checks if each.state is State.FAILED]
    content = {
        "written_by": f"{MARK} doctor",
        "ok": not failed,
        "checks": [asdict(each) for each in checks],
    }
    if write_json(json, content):
        table = Table(show_header=False, box=None, pad_edge=False)
        for each in checks:
            found = escape(each.found)
            if each.way_out:
                found += f"\n{escape(each.way_out)}"
            table.add_row(f"[{COLOURS[each.state]}]{each.state}[/]", escape(each.name), found)
        console = Console()
        console.print(table)
        console.print(f"failed: {', '.join(failed)}" if failed else "all that is needed works")
    return 1 if failed else 0
