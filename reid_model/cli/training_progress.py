"""The bars that show where a training stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from reid_model.training.run import Progress as Step

__all__ = ["steps_bar", "training_progress"]


@contextmanager
def steps_bar(
    console: Console, *, steps: int, done: int = 0
) -> Iterator[Callable[[int, str], None]]:
    """Show a bar while the context lasts; it gives the function that takes a step and a status."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[status]}"),
        console=console,
    )
    with bar:
        task = bar.add_task("training", total=steps, completed=done, status="")
        yield lambda step, status: bar.update(task, completed=step, status=status)


@contextmanager
def training_progress(
    console: Console, *, steps: int, done: int
) -> Iterator[Callable[[Step], None]]:
    """Show loss and scores of a re-identification training while the context lasts."""
    with steps_bar(console, steps=steps, done=done) as advance:

        def show(now: Step) -> None:
            status = f"loss {now.losses['loss']:.3f}"
            if now.scores is not None:
                status += (
                    f"  rank-1 {now.scores.rank1:.3f}  mAP {now.scores.mean_average_precision:.3f}"
                )
            advance(now.step, status)

        yield show
