"""The bar that shows where a training stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from reid_model.training.loop import Progress as Step

__all__ = ["training_progress"]


@contextmanager
def training_progress(
    console: Console, *, steps: int, done: int
) -> Iterator[Callable[[Step], None]]:
    """Show a bar while the context lasts; it gives the function that moves it on."""
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

        def show(now: Step) -> None:
            status = f"loss {now.losses['loss']:.3f}"
            if now.scores is not None:
                status += (
                    f"  rank-1 {now.scores.rank1:.3f}  mAP {now.scores.mean_average_precision:.3f}"
                )
            bar.update(task, completed=now.step, status=status)

        yield show
