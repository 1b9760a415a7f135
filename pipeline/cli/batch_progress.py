"""Progress of an archive on stderr: bars on a terminal, a line a minute in a log."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Self

from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Column

from pipeline.archive.journal import Unit
from pipeline.cli.minutes import Minutes
from pipeline.cli.terminal import Console

__all__ = ["BatchProgress"]


STATE = Column(no_wrap=True, overflow="ellipsis")
DETECTION = 0.75
"""Part of the work on a file that is detection; docs/scaling.md measures it."""
LOOK_BACK_S = 900.0
"""Time over which the pace is taken: a unit may take minutes."""


class BatchProgress:
    """One bar for the whole archive with the time left, one line per worker.

    Args:
        seconds_of_file: Length of every file that is to be processed.
        workers: Number of workers.
        clock: Seconds that never go back.
    """

    def __init__(
        self,
        seconds_of_file: Mapping[str, float],
        *,
        workers: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seconds = seconds_of_file
        self._console = Console(stderr=True)
        self._minutes = Minutes(clock)
        self._units = [0] * workers
        self._frames = [0] * workers
        self._progress = Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(bar_width=14),
            TimeRemainingColumn(),
            TextColumn("{task.fields[state]}", table_column=STATE),
            console=self._console,
            redirect_stdout=False,
            disable=not self._console.is_terminal,
            speed_estimate_period=LOOK_BACK_S,
        )
        self._files = 0
        self._done: dict[str, float] = {}
        """Part of the work that is done on each file, 0 to 1."""
        self._all = self._progress.add_task(
            "all files", total=sum(seconds_of_file.values()) or 1, state=""
        )
        self._lines: list[TaskID] = [
            self._progress.add_task(f"worker {n + 1}", total=None, state="waiting")
            for n in range(workers)
        ]

    @property
    def done_s(self) -> float:
        """Seconds of video that are done, or as good as done."""
        return self._progress.tasks[self._all].completed

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()
        if not self._console.is_terminal:
            self._log()

    def _log(self) -> None:
        share = self.done_s / (sum(self._seconds.values()) or 1)
        pace = sum(self._frames) / max(1.0, self._minutes.passed_s)
        self._console.print(
            f"{self._files} of {len(self._seconds)} files, {share:.0%}, {pace:.1f} frames/s"
            + self._minutes.left(share),
            highlight=False,
            soft_wrap=True,
        )

    def update(self, worker: int, unit: Unit, result: Mapping[str, Any]) -> None:
        """Show that a worker did a unit."""
        file = unit.recording.file
        self._units[worker] += 1
        self._frames[worker] += int(result.get("frames", 0))
        pace = self._frames[worker] / max(1.0, self._minutes.passed_s)
        state = (
            f"{self._units[worker]} units, {pace:.1f} frames/s, last: {unit.kind} {escape(file)}"
        )
        self._progress.update(self._lines[worker], state=state)
        before = self._done.get(file, 0.0)
        is_over = unit.kind == "track" or "failure" in result
        # A file that turns out to be uncuttable is looked at again from its beginning.
        after = 1.0 if is_over else min(DETECTION, before + DETECTION * result.get("share", 0.0))
        self._done[file] = after
        self._files += is_over and before < 1
        self._progress.update(
            self._all,
            advance=(after - before) * self._seconds.get(file, 0.0),
            state=f"{self._files} of {len(self._seconds)} files",
        )
        if not self._console.is_terminal and self._minutes.due():
            self._log()
