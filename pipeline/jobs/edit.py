"""Editing identities of finished work by hand: rename, merge, split and undo."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.jobs.held import held
from pipeline.layout.edit_log import EditLog, Editor
from pipeline.results import open_results

__all__ = ["editing"]


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
    with held(results, way_out="edit on its page, or stop it first"):
        log = EditLog(where)
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
