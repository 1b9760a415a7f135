"""`reid-model distill`: train a network to see as stronger ones do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reid_model.cli.training_progress import training_progress
from reid_model.terminal import Console

__all__ = ["distill"]


def distill(
    *,
    config: Annotated[Path, typer.Option(help="The recipe, a YAML file.")],
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of the results; runs/NAME-OF-THE-RECIPE if not given."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the state in that folder.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a training that is in that folder.")
    ] = False,
    init: Annotated[Path | None, typer.Option(help="Weights to start from.")] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Steps, not the recipe's.")] = None,
    cpu: Annotated[bool, typer.Option("--cpu", help="Stay on the CPU.")] = False,
) -> None:
    """Learn from teachers: crops need no labels, only other networks that embed them well."""
    from reid_model.distillation.recipe import load_distillation  # noqa: PLC0415 - torch loads slowly
    from reid_model.distillation.training import Distillation  # noqa: PLC0415
    from reid_model.training.folder import check_training_folder, clear_training  # noqa: PLC0415

    changes = {"init": init, "schedule.steps": steps}
    recipe = load_distillation(config, changes={k: v for k, v in changes.items() if v is not None})
    folder = Path("runs") / config.stem if out is None else out
    check_training_folder(
        folder, resume=resume, overwrite=overwrite, inputs=[recipe.init, *recipe.teachers]
    )
    run = Distillation(recipe, folder, cpu=cpu)
    if not resume:
        clear_training(folder)
    done = run.resume() if resume else 0
    console = Console(stderr=True)
    with training_progress(console, steps=recipe.schedule.steps, done=done) as show:
        scores = run.run(show)
    console.print(
        f"rank-1 {scores.rank1:.3f}, mAP {scores.mean_average_precision:.3f} on "
        f"{scores.queries} queries of held-out identities; weights in {folder}"
    )
