"""`reid-model train`: train a network as a recipe says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reid_model.cli.options import (
    CpuOption,
    FolderOption,
    InitOption,
    OverwriteOption,
    RecipeOption,
    ResumeOption,
    StepsOption,
)
from reid_model.cli.training_progress import run_training

__all__ = ["train"]


def train(
    *,
    config: RecipeOption,
    out: FolderOption = None,
    resume: ResumeOption = False,
    overwrite: OverwriteOption = False,
    init: InitOption = None,
    steps: StepsOption = None,
    rate: Annotated[float | None, typer.Option(help="Learning rate, not the recipe's.")] = None,
    cpu: CpuOption = False,
) -> None:
    """Train a network; best and last weights, curves and a resumable state go to a folder."""
    from reid_model.recipe import load_recipe  # noqa: PLC0415 - torch loads slowly
    from reid_model.training.folder import check_training_folder  # noqa: PLC0415
    from reid_model.training.loop import Trainer  # noqa: PLC0415
    from reid_model.training.preparation import prepare  # noqa: PLC0415

    changes = {"init": init, "schedule.steps": steps, "optimiser.rate": rate}
    recipe = load_recipe(config, changes={k: v for k, v in changes.items() if v is not None})
    folder = Path("runs") / config.stem if out is None else out
    check_training_folder(folder, resume=resume, overwrite=overwrite, inputs=[recipe.init])
    trainer = Trainer(recipe, prepare(recipe), folder, cpu=cpu)
    run_training(trainer, folder, steps=recipe.schedule.steps, resume=resume)
