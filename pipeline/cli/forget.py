"""`reid-pipeline forget` and `prune`: erases identities and old days."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.terminal import Console
from pipeline.jobs.forget import forget as forget_job
from pipeline.jobs.prune import prune as prune_job

__all__ = ["forget", "prune"]

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]


def forget(
    where: Annotated[Path, typer.Argument(help="The --out folder of `run`, `batch` or `live`.")],
    *,
    identity: Annotated[int, typer.Option(min=1, help="The identity.")],
    gallery: Annotated[
        Path | None,
        typer.Option(
            help="Also remove the identity from this gallery file.",
            show_default=False,
        ),
    ] = None,
    yes: Yes = False,
) -> None:
    """Remove a person from tables, vectors, pictures and reports, and cover them in video.

    It cannot be undone. If it is interrupted, the same command does the rest.
    """
    changed = forget_job(where, identity, gallery=gallery, confirm=_never if yes else _ask)
    text = f"Identity {identity} was erased: {changed} files were rewritten"
    Console().print(text, highlight=False, markup=False)


def prune(
    where: Annotated[Path, typer.Argument(help="Folder of an archive or a recording.")],
    *,
    keep_days: Annotated[
        int, typer.Option(min=1, max=36_500, help="Days to keep, today (UTC) included.")
    ],
    yes: Yes = False,
) -> None:
    """Remove what ended so many days ago from an archive or a recording.

    A sighting that goes on over midnight stays whole.
    """
    pruned = prune_job(where, keep_days=keep_days, confirm=_never if yes else _ask)
    text = f"{pruned.files} files of {len(pruned.days)} days were removed or rewritten"
    if not pruned.days:
        text = f"Nothing in {where} is older than {pruned.first_kept}"
    Console().print(text, highlight=False, markup=False)


def _ask(question: str) -> None:
    typer.confirm(question, abort=True)


def _never(_question: str) -> None:
    """Take yes for an answer."""
