"""Progress of an archive on stderr: all files, and what each worker does."""

from __future__ import annotations

from typing import Any, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from pipeline.archive.journal import Unit

__all__ = ["BatchProgress"]


class BatchProgress:
    """One bar for the whole archive with the time left, one line per worker.

    Args:
        seconds_of_file: Length of every file that is to be processed.
        workers: Number of workers.
    """

    def __init__(self, seconds_of_file: dict[str, float], *, workers: int) -> None:
        self._seconds = seconds_of_file
        self._units = [0] * workers
        self._frames = [0] * workers
        self._progress = Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.fields[state]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            redirect_stdout=False,
        )
        self._files = 0
        self._all = self._progress.add_task(
            "all files", total=sum(seconds_of_file.values()) or 1, state=""
        )
        self._lines: list[TaskID] = [
            self._progress.add_task(f"worker {n + 1}", total=None, state="waiting")
            for n in range(workers)
        ]

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def update(self, worker: int, unit: Unit, result: dict[str, Any]) -> None:
        """Show that a worker did a unit."""
        file = unit.recording.file
        self._units[worker] += 1
        self._frames[worker] += int(result.get("frames", 0))
        state = (
            f"{self._units[worker]} units, {self._frames[worker]} frames, last: "
            f"{unit.kind} {escape(file)}"
        )
        self._progress.update(self._lines[worker], state=state)
        if unit.kind == "follow" or "failure" in result:
            self._files += 1
            self._progress.update(
                self._all,
                advance=self._seconds.get(file, 0.0),
                state=f"{self._files} of {len(self._seconds)} files",
            )
