"""`reid-pipeline edit`: names, merges and splits by hand, and undoing them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from rich.markup import escape
from rich.table import Table

from pipeline.cli.json_output import JsonOption, file_of, write_json
from pipeline.cli.terminal import Console
from pipeline.errors import EditError
from pipeline.foreign import MARK
from pipeline.jobs.edit import editing
from pipeline.jobs.outputs import check_files
from pipeline.layout.edits import EditKind
from pipeline.layout.run import REPORT
from pipeline.results import open_results

__all__ = ["edit_app"]

edit_app = typer.Typer(
    name="edit",
    help="Correct identities by hand in a run, an archive or a recording.",
    no_args_is_help=True,
)
Identity = Annotated[int, typer.Argument(min=1, help="Number of the identity.")]


@edit_app.callback()
def _where(
    context: typer.Context,
    where: Annotated[Path, typer.Argument(help="The --out folder of `run`, `batch` or `live`.")],
) -> None:
    """Correct identities by hand in a run, an archive or a recording.

    Edits are kept beside the tables in edits.jsonl and count in everything that is read from
    there: report, search, export, later commands. The tables stay as they are.
    """
    context.obj = where


@edit_app.command()
def rename(
    context: typer.Context,
    identity: Identity,
    name: Annotated[str, typer.Argument(help="The name; '' removes it.")],
) -> None:
    """Give an identity a name."""
    with editing(context.obj) as edit:
        made = edit.rename(identity, name)
    what = f"is called {made.name}" if made.name else "has no name any more"
    _say(context.obj, f"Identity {made.identity} {what}")


@edit_app.command()
def merge(
    context: typer.Context,
    identity: Identity,
    other: Annotated[int, typer.Argument(min=1, help="The identity to merge it into.")],
) -> None:
    """Say that two identities are one person; the first number and name stay."""
    with editing(context.obj) as edit:
        made = edit.merge(identity, other)
    _say(context.obj, f"Identity {made.other} is now part of {made.identity}")


@edit_app.command()
def split(
    context: typer.Context,
    identity: Identity,
    sightings: Annotated[list[str], typer.Argument(help="Sightings to split off, see `show`.")],
) -> None:
    """Say that some sightings of an identity are somebody else, who gets a new number."""
    with editing(context.obj) as edit:
        made = edit.split(identity, sightings)
    count = "1 sighting is" if len(made.sightings) == 1 else f"{len(made.sightings)} sightings are"
    _say(context.obj, f"{count} now identity {made.identity}")


@edit_app.command()
def undo(context: typer.Context) -> None:
    """Take back the newest edit by hand that counts; again, the one before."""
    with editing(context.obj) as edit:
        made = edit.undo()
        undone = edit.edit_of(made)
    other = {
        EditKind.RENAME: f"the name of identity {undone.identity}",
        EditKind.MERGE: f"the merge of {undone.other} into {undone.identity}",
        EditKind.SPLIT: f"the split of {undone.identity} from {undone.other}",
    }[undone.kind]
    _say(context.obj, f"Edit {undone.number} is undone: {other}")


@edit_app.command()
def show(context: typer.Context, identity: Identity, *, json: JsonOption = None) -> None:
    """List the sightings of an identity, by the names that `split` takes."""
    check_files([file_of(json)], [context.obj])
    results = open_results(context.obj)
    shown = results.edits().shown(identity)
    table = results.sightings()
    own = table[table["global_id"] == shown]
    if own.empty:
        raise EditError(f"there is no identity {identity}")
    name = results.edits().name(shown)
    columns = [own[each].tolist() for each in ("sighting", "camera", "first_time", "last_time")]
    rows = list(zip(*columns, strict=True))
    content = {
        "written_by": f"{MARK} edit show",
        "identity": int(shown),
        "name": name,
        "sightings": [
            {"sighting": each, "camera": camera, "from": _moment(first), "to": _moment(last)}
            for each, camera, first, last in rows
        ],
    }
    if not write_json(json, content, private=True):
        return
    title = f"Identity {shown}" + (f", {escape(name)}" if name else "")
    listed = Table("sighting", "camera", "from", "to", title=title, title_justify="left")
    for sighting, camera, first, last in rows:
        listed.add_row(escape(sighting), escape(camera), _moment(first), _moment(last))
    Console().print(listed)


def _moment(time: float | pd.Timestamp) -> str:
    if isinstance(time, pd.Timestamp):
        return datetime.fromtimestamp(time.timestamp(), UTC).strftime("%Y-%m-%d %H:%M:%S")
    return f"{time:.1f} s"


def _say(where: Path, text: str) -> None:
    console = Console()
    console.print(text, highlight=False, markup=False)
    if (where / REPORT).exists():
        console.print(
            f"{where / REPORT} is as before: `reid-pipeline report {where}` writes it again",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )
