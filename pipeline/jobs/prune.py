"""Erasing old days from results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from pipeline.jobs.held import held
from pipeline.jobs.report import write_report
from pipeline.results import open_results
from pipeline.results.erasure import days_before_in, prune_before

__all__ = ["Pruned", "prune"]


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was removed.

    Attributes:
        first_kept: The first day that is kept.
        days: Those of which something was removed (ISO, UTC), in order.
        files: How many files were removed or rewritten.
    """

    first_kept: date
    days: tuple[str, ...] = ()
    files: int = 0


def prune(
    where: Path, *, keep_days: int, confirm: Callable[[str], object] = lambda _question: None
) -> Pruned:
    """Remove what ended before the days that are kept: a sighting over midnight stays whole.

    Args:
        where: Folder of an archive or a recording.
        keep_days: Days to keep, today (UTC) included.
        confirm: Called with a question before anything is removed; raises to keep everything.

    Raises:
        InputError: It has no days, is not finished, or damaged.
        OutputError: Another command works on it.
        SinkError: A table cannot be written.
    """
    results = open_results(where)
    first_kept = (datetime.now(UTC) - timedelta(days=keep_days - 1)).date()
    with held(results):
        days = days_before_in(results, first_kept)
        if not days:
            return Pruned(first_kept)
        described = f"{len(days)} days from {days[0]} to {days[-1]}"
        confirm(f"Remove what ended before {first_kept} ({described}) from {where}?")
        files = prune_before(results, first_kept)
        write_report(where)
    return Pruned(first_kept, tuple(days), files)
