"""`reid-pipeline forget` and `prune`: people who must not be kept, and days that are over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pipeline.archive.erasure import days_before, forget_in_archive, prune_archive, tracklets_of
from pipeline.archive.journal import Journal
from pipeline.cli.folders import refuse_live
from pipeline.errors import InputError
from pipeline.jobs.report import REPORT, write_report
from pipeline.layout.archive import ArchiveFolder
from pipeline.match.gallery import forget_in_gallery
from pipeline.sinks.erasure import find_person, forget_in_run

__all__ = ["forget", "prune"]

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def forget(
    where: Annotated[Path, typer.Argument(help="Folder of a finished run, or of an archive.")],
    *,
    identity: Annotated[int, typer.Option(min=1, help="Number of the person.")],
    gallery: Annotated[
        Path | None,
        typer.Option(
            help="Also remove the person of that number from this file of known persons.",
            show_default=False,
        ),
    ] = None,
    yes: Yes = False,
) -> None:
    """Remove a person from tables, vectors, pictures and reports, and cover them in video.

    It cannot be undone. If it is interrupted, the same command does the rest.
    """
    refuse_live(where)
    if (where / "archive.json").is_file():
        changed = _forget_in_archive(where, identity, gallery=gallery, yes=yes)
    else:
        changed = _forget_in_run(where, identity, gallery=gallery, yes=yes)
    text = f"Identity {identity} is forgotten: {changed} files were rewritten"
    Console().print(text, highlight=False, markup=False)


def _forget_in_archive(where: Path, identity: int, *, gallery: Path | None, yes: bool) -> int:
    """Return how many files were rewritten."""
    folder = ArchiveFolder(where)
    with Journal(folder).held():
        tracklets = tracklets_of(folder, identity)
        _ask(f"Remove identity {identity} ({len(tracklets)} sightings) from {where}?", yes=yes)
        changed = _forget_known(gallery, identity) + forget_in_archive(folder, tracklets)
        write_report(where, where / REPORT)
    return changed + 1


def _forget_in_run(where: Path, identity: int, *, gallery: Path | None, yes: bool) -> int:
    """Return how many files were rewritten."""
    person = find_person(where, identity)
    told = f"{len(person.tracks)} tracks, {len(person.videos)} videos"
    _ask(f"Remove identity {identity} ({told}) from {where}?", yes=yes)
    changed = _forget_known(gallery, identity)
    rewritten: list[Path] = []
    forget_in_run(
        person,
        rewrite_report=lambda: write_report(where, where / REPORT),
        on_file=rewritten.append,
    )
    return changed + len(rewritten) + 1


def _forget_known(gallery: Path | None, identity: int) -> int:
    """Forget a known person; first of all, so that a mistake in the file's name removes nothing."""
    if gallery is None:
        return 0
    forget_in_gallery(gallery, identity)
    return 1


def prune(
    where: Annotated[Path, typer.Argument(help="Folder of an archive.")],
    *,
    keep_days: Annotated[int, typer.Option(min=1, help="Days to keep, today (UTC) included.")],
    yes: Yes = False,
) -> None:
    """Remove the days of an archive that are older than so many days."""
    refuse_live(where)
    if not (where / "archive.json").is_file():
        raise InputError(
            f"{where} is no archive: give the --out of `reid-pipeline batch`; a run is removed "
            "with its folder"
        )
    folder = ArchiveFolder(where)
    first_kept = (datetime.now(UTC) - timedelta(days=keep_days - 1)).date()
    console = Console()
    with Journal(folder).held():
        days = days_before(folder, first_kept)
        if not days:
            console.print(f"Nothing in {where} is older than {first_kept}", highlight=False)
            return
        _ask(f"Remove {len(days)} days ({days[0]} to {days[-1]}) from {where}?", yes=yes)
        removed = prune_archive(folder, days)
        write_report(where, where / REPORT)
    console.print(f"{removed} files of {len(days)} days were removed", highlight=False)


def _ask(question: str, *, yes: bool) -> None:
    if not yes:
        typer.confirm(question, abort=True)
