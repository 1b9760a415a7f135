"""Progress bars on stderr: one per camera, with frames per second and time left."""

from __future__ import annotations

from typing import Self

from rich.console import Console
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
from rich.text import Text

from pipeline.jobs.progress import CameraProgress

__all__ = ["RunProgress"]

TITLES = {"find": "finding people", "draw": "drawing video "}


class _FramesPerSecond(ProgressColumn):
    """Frames a second over the whole run so far."""

    def render(self, task: Task) -> Text:
        elapsed = task.finished_time if task.finished else task.elapsed
        frames = int(task.fields["frames"])
        if not elapsed or not frames:
            return Text("  -   frames/s")
        return Text(f"{frames / elapsed:6.1f} frames/s")


class RunProgress:
    """One bar per camera while a run finds people, and again while it draws video.

    Use it as a context manager.

    Args:
        note: What to say before the first bar, if anything.
    """

    def __init__(self, note: str | None) -> None:
        self._note = note
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

    def _begin(self, part: str) -> None:
        self._end()
        self._part = part
        self._bars = Progress(
            TextColumn("{task.fields[title]}"),
            TextColumn("[bold]{task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.percentage:>3.0f}%"),
            TextColumn("{task.fields[frames]:>6} frames"),
            _FramesPerSecond(),
            TimeRemainingColumn(),
            console=self._console,
            # Piped into a file, only the last state is worth a line.
            redirect_stdout=False,
        )
        self._bars.start()

    def _end(self) -> None:
        if self._bars is not None:
            self._bars.stop()
        self._bars = None
        self._tasks.clear()
        self._begin_s.clear()
