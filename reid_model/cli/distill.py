"""`reid-model distill`: train a network to see as stronger ones do."""

from __future__ import annotations

from pathlib import Path

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

__all__ = ["distill"]


def distill(
    *,
    config: RecipeOption,
    out: FolderOption = None,
    resume: ResumeOption = False,
    overwrite: OverwriteOption = False,
    init: InitOption = None,
    steps: StepsOption = None,
    cpu: CpuOption = False,
) -> None:
    """Learn from teachers: crops need no labels, only other networks that embed them well."""
    from reid_model.distillation.recipe import load_distillation  # noqa: PLC0415 - torch loads slowly
    from reid_model.distillation.training import Distillation  # noqa: PLC0415
    from reid_model.training.folder import check_training_folder  # noqa: PLC0415

    changes = {"init": init, "schedule.steps": steps}
    recipe = load_distillation(config, changes={k: v for k, v in changes.items() if v is not None})
    folder = Path("runs") / config.stem if out is None else out
    check_training_folder(
        folder, resume=resume, overwrite=overwrite, inputs=[recipe.init, *recipe.teachers]
    )
    training = Distillation(recipe, folder, cpu=cpu)
    run_training(training, folder, steps=recipe.schedule.steps, resume=resume)
