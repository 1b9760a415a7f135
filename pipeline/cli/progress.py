"""Progress bars on stderr: one per camera, with frames per second and time left."""

from __future__ import annotations

from collections.abc import Sequence
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

from pipeline.protocols import Source
from pipeline.runners.offline import CameraCount

__all__ = ["CameraProgress"]


class _FramesPerSecond(ProgressColumn):
    """Frames a second over the whole run so far."""

    def render(self, task: Task) -> Text:
        elapsed = task.finished_time if task.finished else task.elapsed
        frames = int(task.fields["frames"])
        if not elapsed or not frames:
            return Text("  -   frames/s")
        return Text(f"{frames / elapsed:6.1f} frames/s")


class CameraProgress:
    """One bar per camera while a run goes through its files. Use it as a context manager."""

    def __init__(self, sources: Sequence[Source], *, title: str) -> None:
        self._progress = Progress(
            TextColumn("{task.fields[title]}"),
            TextColumn("[bold]{task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.percentage:>3.0f}%"),
            TextColumn("{task.fields[frames]:>6} frames"),
            _FramesPerSecond(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            # Piped into a file, only the last state is worth a line.
            redirect_stdout=False,
        )
        self._tasks: dict[str, TaskID] = {
            source.camera: self._progress.add_task(
                escape(source.camera), total=source.duration_s, title=title, frames=0
            )
            for source in sources
        }
        self._begin_s: dict[str, float] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def update(self, count: CameraCount) -> None:
        """Show how far a camera is."""
        self.show(count.camera, frames=count.frames, time_s=count.last_s, done=count.done)

    def show(self, camera: str, *, frames: int, time_s: float, done: bool) -> None:
        """Move a camera's bar to a frame count and a time on the run's time line."""
        task = self._tasks[camera]
        begin_s = self._begin_s.setdefault(camera, time_s)
        self._progress.update(task, frames=frames, completed=time_s - begin_s)
        if done:
            self._progress.update(
                task, total=time_s - begin_s or 1, completed=time_s - begin_s or 1
            )
