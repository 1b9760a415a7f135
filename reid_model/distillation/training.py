"""The loop of a distillation: everything happens on one device, augmentation included."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from reid_model.adaptation import whitened
from reid_model.distillation.crops import read_pool
from reid_model.distillation.losses import Memory, distillation_loss
from reid_model.distillation.recipe import DistillationRecipe
from reid_model.distillation.teacher import Teachers
from reid_model.distillation.views import Views, compiled
from reid_model.errors import RecipeError
from reid_model.evaluation.ranking import RankingScores
from reid_model.training.run import Learner, Progress, TrainingRun
from reid_model.training.start import check_loss, start_network
from reid_model.writing import make_folder

__all__ = ["Distillation"]

MAX_GRAD_NORM = 5.0
WHITENING_CROPS = 8192


class Distillation(TrainingRun[DistillationRecipe]):
    """A training by teachers, see `TrainingRun`.

    Student and teachers see what `Views` makes of the crops. At the end the folder gets
    ``whitened.safetensors`` besides, the file to use.

    Args:
        recipe: What to do.
        folder: Where results go.
        cpu: Stay on the CPU even where there is a GPU.

    Raises:
        WeightsError: A teacher or the start weights cannot be used.
        DatasetError: Crops cannot be used.
        RecipeError: The embedding's length is not the teachers' together, or the start weights
            are of another network.

    Where the recipe has it compiled, networks and augmentation are; the first steps then take long.

    Source:
        Beyer et al., "Knowledge Distillation: A Good Teacher Is Patient and Consistent", CVPR 2022.
    """

    def __init__(self, recipe: DistillationRecipe, folder: Path, *, cpu: bool = False) -> None:
        torch.manual_seed(recipe.seed)
        use_gpu = torch.cuda.is_available() and not cpu
        self._device = torch.device("cuda" if use_gpu else "cpu")
        make_folder(folder)
        self._teachers = Teachers(recipe.teachers).eval().to(self._device)
        pool = read_pool(recipe, self._teachers.input_size, kept_masks=folder / "masks.npz")
        self._pool = pool.to(self._device)
        self._views = Views(recipe, self._pool)
        dim = recipe.architecture.embedding_dim
        with torch.no_grad():
            blank = torch.zeros(1, 3, *self._teachers.input_size, device=self._device)
            taught = self._teachers(blank).shape[1]
        if taught != dim:
            raise RecipeError(
                f"architecture.embedding_dim is {dim}, the teachers together give {taught}: "
                f"set it to {taught}"
            )
        if use_gpu:
            self._teachers.bfloat16()
        student = start_network(recipe.architecture, init=recipe.init, pretrained=recipe.pretrained)
        self._student = student.to(memory_format=torch.channels_last).to(self._device)
        self._classifier = nn.Linear(dim, pool.identities, bias=False).to(self._device)
        nn.init.normal_(self._classifier.weight, std=0.01)
        self._memory = Memory(recipe.remembered, dim).to(self._device)
        optimiser = _optimiser(recipe, self._student, self._classifier)
        self._teach = compiled(self._teachers, recipe)
        self._features = compiled(self._student.features, recipe)
        averaged = copy.deepcopy(self._student).eval().requires_grad_(False)
        learner = Learner(
            network=self._student,
            averaged=averaged,
            optimiser=optimiser,
            parts={
                "student": self._student,
                "classifier": self._classifier,
                "memory": self._memory,
                "averaged": averaged,
                "optimiser": optimiser,
            },
            held_out=pool.held_out,
            protocol=pool.protocol,
            notes={
                "teachers": [path.stem for path in recipe.teachers],
                "trained_on": pool.sources,
            },
        )
        super().__init__(recipe, folder, learner)

    def run(self, report: Callable[[Progress], None]) -> RankingScores:
        """Train to the end, whiten, and return the scores on the held-out identities.

        Args:
            report: Called after every step.
        """
        super().run(report)
        network = whitened(self._learner.averaged, self._drawn())
        self._scores = self._evaluated(network)
        self._save("whitened.safetensors", network)
        return self._scores

    def _losses(self) -> Iterator[dict[str, float]]:
        while True:
            yield self._advance()

    def _advance(self) -> dict[str, float]:
        batch = self._views()
        target = self._teach(batch.teacher)
        self._student.train()
        gpu = self._device.type == "cuda"
        with torch.autocast(self._device.type, torch.bfloat16, enabled=gpu):
            _, after = self._features(self._input(batch.student))
        after = after.float()
        losses = distillation_loss(
            after,
            target,
            batch.labels,
            classifier=self._classifier,
            memory=self._memory,
            weights=self._recipe.losses,
        )
        total = losses["loss"]
        check_loss(float(total.detach()), self._step + 1)
        self._learner.optimiser.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self._student.parameters(), MAX_GRAD_NORM)
        self._learner.optimiser.step()
        self._memory.add(target)
        return {name: float(value.detach()) for name, value in losses.items()}

    def _input(self, images: Tensor) -> Tensor:
        """Scale ``(N, 3, H, W)`` RGB in [0, 1] to the student's size and normalise them."""
        shape = self._recipe.architecture
        if images.shape[2:] != shape.input_size:
            images = functional.interpolate(
                images, shape.input_size, mode="bilinear", antialias=True
            )
        mean = torch.tensor(shape.mean, device=images.device).view(1, 3, 1, 1)
        std = torch.tensor(shape.std, device=images.device).view(1, 3, 1, 1)
        return ((images - mean) / std).contiguous(memory_format=torch.channels_last)

    @torch.no_grad()
    def _drawn(self) -> Iterator[Tensor]:
        """Yield unlabelled crops as often as the recipe draws them, for the student."""
        pool = self._pool
        labelled = len(pool.labels) if len(pool.weights) > len(pool.labels) else 0
        rows = labelled + torch.multinomial(pool.weights[labelled:], WHITENING_CROPS, True)
        for part in torch.split(rows, 256):
            yield self._input(pool.pixels[part].float() / 255)


def _optimiser(
    recipe: DistillationRecipe, student: nn.Module, classifier: nn.Module
) -> torch.optim.Optimizer:
    """Return the optimiser; weight decay is for kernels and matrices alone."""
    parameters = [p for p in (*student.parameters(), *classifier.parameters()) if p.requires_grad]
    kernels = [p for p in parameters if p.ndim > 1]
    others = [p for p in parameters if p.ndim <= 1]
    kind: Any = getattr(torch.optim, recipe.optimiser.name)
    groups = [
        {"params": kernels, "weight_decay": recipe.optimiser.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    optimiser: torch.optim.Optimizer = kind(groups, lr=recipe.optimiser.rate)
    return optimiser
