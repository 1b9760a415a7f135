"""Progress on stderr: a bar per camera on a terminal, a line a minute in a log."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Self

from rich.markup import escape
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Column
from rich.text import Text

from pipeline.cli.minutes import Minutes
from pipeline.cli.terminal import Console
from pipeline.jobs.progress import CameraProgress

__all__ = ["RunProgress"]

NAME = Column(no_wrap=True, max_width=20, overflow="ellipsis")
TITLES = {"find": "finding people", "draw": "drawing video "}


class _FramesPerSecond(ProgressColumn):
    """Frames a second over the whole run so far."""

    def render(self, task: Task) -> Text:
        elapsed = task.finished_time if task.finished else task.elapsed
        frames = int(task.fields["frames"])
        if not elapsed or not frames:
            return Text("  -   frames/s", no_wrap=True)
        return Text(f"{frames / elapsed:6.1f} frames/s", no_wrap=True)


class RunProgress:
    """One bar per camera while a run finds people, and again while it draws video.

    Use it as a context manager.

    Args:
        note: What to say before the first bar, if anything.
        clock: Seconds that never go back.
    """

    def __init__(self, note: str | None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._note = note
        self._clock = clock
        self._minutes = Minutes(clock)
        self._console = Console(stderr=True)
        self._part = ""
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._begin_s: dict[str, float] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def start(self) -> None:
        """Say that everything was checked and work begins."""
        if self._note is not None:
            self._console.print(self._note, highlight=False)

    def show(self, progress: CameraProgress) -> None:
        """Move the bar of a camera."""
        if self._bars is None or progress.part != self._part:
            self._begin(progress.part)
        assert self._bars is not None
        task = self._tasks.get(progress.camera)
        if task is None:
            task = self._tasks[progress.camera] = self._bars.add_task(
                escape(progress.camera),
                total=progress.duration_s,
                title=TITLES[progress.part],
                frames=0,
            )
        if not progress.frames:
            return
        begin_s = self._begin_s.setdefault(progress.camera, progress.time_s)
        past_s = progress.time_s - begin_s
        self._bars.update(task, frames=progress.frames, completed=past_s)
        if progress.done:
            self._bars.update(task, total=past_s or 1, completed=past_s or 1)
        if not self._console.is_terminal and self._minutes.due():
            self._log()

    def _log(self) -> None:
        """Print one line about all cameras; the bars hold the figures, though nobody sees them."""
        tasks = [] if self._bars is None else self._bars.tasks
        frames = sum(int(each.fields["frames"]) for each in tasks)
        total_s = sum(each.total or 0.0 for each in tasks)
        share = sum(each.completed for each in tasks) / total_s if total_s else 0.0
        pace = frames / max(1.0, self._minutes.passed_s)
        self._console.print(
            f"{TITLES[self._part].strip()}: {share:.0%}, {frames} frames, {pace:.1f} frames/s"
            + self._minutes.left(share),
            highlight=False,
            soft_wrap=True,
        )

    def _begin(self, part: str) -> None:
        self._end()
        self._part = part
        self._bars = Progress(
            TextColumn("{task.fields[title]}"),
            # With a name of 20 characters a line has 78: no terminal wraps it.
            TextColumn("[bold]{task.description}", table_column=NAME),
            BarColumn(bar_width=14),
            TextColumn("{task.percentage:>3.0f}%"),
            _FramesPerSecond(),
            TimeRemainingColumn(),
            console=self._console,
            redirect_stdout=False,
            disable=not self._console.is_terminal,
        )
        self._minutes = Minutes(self._clock)
        self._bars.start()

    def _end(self) -> None:
        if self._bars is not None:
            self._bars.stop()
            if not self._console.is_terminal:
                self._log()
        self._bars = None
        self._tasks.clear()
        self._begin_s.clear()
