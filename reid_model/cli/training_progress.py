"""Where a training stands: a bar on a terminal, a line a minute in a log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column

from reid_model.terminal import Console

if TYPE_CHECKING:
    from reid_model.training.run import Progress as Step
    from reid_model.training.run import TrainingRun

__all__ = ["run_training", "steps_bar"]

LOG_EVERY_S = 60.0


@contextmanager
def steps_bar(
    console: Console,
    *,
    steps: int,
    done: int = 0,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Callable[[int, str], None]]:
    """Show progress while the context lasts; it gives the function that takes a step and a status.

    Args:
        console: Where to write. Where it is no terminal, a line is printed for the first step that
            is shown, every minute, and for the last.
        steps: Of the whole training.
        done: Steps of an earlier call.
        clock: Seconds that never go back.
    """
    if not console.is_terminal:
        yield _log_lines(console, steps=steps, done=done, clock=clock)
        return
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=14),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[status]}", table_column=Column(no_wrap=True, overflow="ellipsis")),
        console=console,
    )
    with bar:
        task = bar.add_task("training", total=steps, completed=done, status="")
        yield lambda step, status: bar.update(task, completed=step, status=status)


def _log_lines(
    console: Console, *, steps: int, done: int, clock: Callable[[], float]
) -> Callable[[int, str], None]:
    began_s = clock()
    last_s: float | None = None

    def log(step: int, status: str) -> None:
        nonlocal last_s
        now_s = clock()
        if last_s is not None and now_s - last_s < LOG_EVERY_S and step < steps:
            return
        last_s = now_s
        left_min = (now_s - began_s) / max(1, step - done) * (steps - step) / 60
        console.print(
            f"step {step} of {steps}, {status}, about {left_min:.0f} min left",
            highlight=False,
            soft_wrap=True,
        )

    return log


def run_training(training: TrainingRun[Any], folder: Path, *, steps: int, resume: bool) -> None:
    """Train a re-identification network, show loss and scores meanwhile, and say what came out.

    Args:
        training: What trains, ready to start.
        folder: Where its results go; those of an earlier training are removed.
        steps: Of the whole training.
        resume: Go on from the state in that folder instead.
    """
    from reid_model.training.folder import clear_training  # noqa: PLC0415 - torch loads slowly

    console = Console(stderr=True)
    if not resume:
        clear_training(folder)
    done = training.resume() if resume else 0
    with steps_bar(console, steps=steps, done=done) as advance:

        def show(now: Step) -> None:
            status = f"loss {now.losses['loss']:.3f}"
            if now.scores is not None:
                status += (
                    f"  rank-1 {now.scores.rank1:.3f}  mAP {now.scores.mean_average_precision:.3f}"
                )
            advance(now.step, status)

        scores = training.run(show)
    console.print(
        f"rank-1 {scores.rank1:.3f}, mAP {scores.mean_average_precision:.3f} on "
        f"{scores.queries} queries of held-out identities; weights in {folder}"
    )
