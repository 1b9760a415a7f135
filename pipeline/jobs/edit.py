"""Editing identities of finished work by hand: rename, merge, split and undo."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.archive.journal import Journal
from pipeline.layout.archive import ArchiveFolder
from pipeline.layout.edit_log import EditLog, Editor
from pipeline.layout.recording import held
from pipeline.results import Results, open_results

__all__ = ["editing", "held_results"]


@contextmanager
def editing(where: Path) -> Iterator[Editor]:
    """Open finished work to edit who is who; the tables stay as they are.

    Args:
        where: Folder of a run, an archive or a recording.

    Yields:
        An editor; what it stores counts in whatever is read from the folder afterwards.

    Raises:
        ResultsError: It is none of them, is not finished, or is damaged.
        OutputError: A live run or another command works on it.
    """
    results = open_results(where)
    log = EditLog(where)
    way_out = "edit on its page, or stop it first"
    with held_results(results, way_out=way_out), log.locked():
        owners = results.resolved()

        def sightings_of(shown: int) -> list[str]:
            edits = log.edits
            pairs = zip(owners.index.tolist(), owners.tolist(), strict=True)
            return [name for name, found in pairs if edits.identity_of(name, found) == shown]

        yield Editor(
            log,
            sightings_of=sightings_of,
            new_identity=lambda: max(results.next_identity(), log.edits.last_identity + 1),
        )


@contextmanager
def held_results(results: Results, *, way_out: str) -> Iterator[None]:
    """Keep others who write out of finished work.

    Args:
        results: The work.
        way_out: What to do while a live run records into it, for the message.

    Raises:
        OutputError: A live run or another command works on it.
    """
    if results.kind == "archive":
        with Journal(ArchiveFolder(results.path)).held():
            yield
    elif results.kind == "recording":
        with held(results.path, way_out=way_out):
            yield
    else:
        yield
