"""The loop of a distillation: everything happens on one device, augmentation included."""

from __future__ import annotations

import contextlib
import copy
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from reid_model.checkpoint import save_checkpoint
from reid_model.distillation.crops import read_pool
from reid_model.distillation.losses import Memory, distillation_loss
from reid_model.distillation.recipe import DistillationRecipe
from reid_model.distillation.teacher import Teachers
from reid_model.distillation.views import Views, compiled
from reid_model.distillation.whitening import whitened
from reid_model.errors import RecipeError
from reid_model.evaluation.embedding import embed_pixels
from reid_model.evaluation.ranking import RankingScores, query_gallery_distances, score_ranking
from reid_model.network import SiameseNetwork
from reid_model.training.curves import CurveLog, draw_curves
from reid_model.training.loop import Progress, rate_factor
from reid_model.training.start import (
    check_embeddings,
    check_loss,
    move_average,
    start_network,
)
from reid_model.training.state import RunState, read_state, write_state

__all__ = ["Distillation"]

log = logging.getLogger(__name__)

STATE = "state.pt"
CURVE_EVERY_STEPS = 20
MAX_GRAD_NORM = 5.0
WHITENING_CROPS = 8192


class Distillation:
    """One run: a recipe, its crops, a folder.

    Student and teachers see what `Views` makes of the crops. The folder gets
    ``last.safetensors`` (averaged weights), ``curves.csv``, ``curves.png``, ``state.pt``, and at
    the end ``whitened.safetensors``, the file to use.

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
        self._recipe, self._folder = recipe, folder
        folder.mkdir(parents=True, exist_ok=True)
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
        self._averaged = copy.deepcopy(self._student).eval().requires_grad_(False)
        self._optimiser = _optimiser(recipe, self._student, self._classifier)
        self._teach = compiled(self._teachers, recipe)
        self._features = compiled(self._student.features, recipe)
        self._step, self._seconds = 0, 0.0
        self._scores: RankingScores | None = None

    def resume(self) -> int:
        """Go on from the folder's state; return how many steps it had made.

        Raises:
            WeightsError: There is no state, or it is damaged.
            RecipeError: It is the state of another recipe.
        """
        state = read_state(self._folder / STATE)
        if DistillationRecipe.model_validate_json(state.recipe) != self._recipe:
            raise RecipeError(
                f"{self._folder} holds a run of another recipe: use the same one, or another --out"
            )
        for name, part in self._parts().items():
            part.load_state_dict(state.tensors[name])
        torch.set_rng_state(state.random)
        self._step, self._seconds = state.step, state.seconds
        return self._step

    def run(self, report: Callable[[Progress], None]) -> RankingScores:
        """Train to the end and return the scores on the validation identities.

        Args:
            report: Called after every step.
        """
        steps = self._recipe.schedule.steps
        curves = CurveLog(self._folder, after=self._step)
        clock, spent = time.monotonic(), self._seconds
        with contextlib.closing(curves):
            while self._step < steps:
                losses = self._advance()
                self._seconds = spent + time.monotonic() - clock
                self._watch(losses, curves)
                report(Progress(self._step, steps, losses, self._scores))
        draw_curves(self._folder, self._folder / "curves.png")
        if self._scores is None:
            self._scores = self._evaluated(self._averaged)
        return self._scores

    def _advance(self) -> dict[str, float]:
        rate = self._recipe.optimiser.rate * rate_factor(self._recipe.schedule, self._step)
        for group in self._optimiser.param_groups:
            group["lr"] = rate
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
        self._optimiser.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self._student.parameters(), MAX_GRAD_NORM)
        self._optimiser.step()
        self._memory.add(target)
        self._step += 1
        move_average(
            self._averaged, self._student, decay=self._recipe.averaging.decay, step=self._step
        )
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

    def _watch(self, losses: dict[str, float], curves: CurveLog) -> None:
        """Write curves, evaluate and save where it is time for it."""
        recipe, step = self._recipe, self._step
        ends = step == recipe.schedule.steps
        if step % CURVE_EVERY_STEPS == 0 or ends:
            rate = float(self._optimiser.param_groups[0]["lr"])
            curves.write(step, {**losses, "rate": rate, "minutes": self._seconds / 60})
        if step % recipe.validation.every_steps == 0 or ends:
            self._scores = scores = self._evaluated(self._averaged)
            curves.write(step, {"rank1": scores.rank1, "mAP": scores.mean_average_precision})
        if step % recipe.save_every_steps == 0 or ends:
            self._save("last.safetensors", self._averaged)
            self._save_state()
        if ends:
            network = whitened(self._averaged, self._drawn())
            self._scores = self._evaluated(network)
            self._save("whitened.safetensors", network)

    @torch.no_grad()
    def _drawn(self) -> Iterator[Tensor]:
        """Yield unlabelled crops as often as the recipe draws them, for the student."""
        pool = self._pool
        labelled = len(pool.labels) if len(pool.weights) > len(pool.labels) else 0
        rows = labelled + torch.multinomial(pool.weights[labelled:], WHITENING_CROPS, True)
        for part in torch.split(rows, 256):
            yield self._input(pool.pixels[part].float() / 255)

    def _evaluated(self, network: SiameseNetwork) -> RankingScores:
        flip = self._recipe.validation.flip
        vectors = embed_pixels(network, self._pool.held_out, flip=flip)
        check_embeddings(vectors, self._step)
        protocol = self._pool.protocol
        return score_ranking(query_gallery_distances(vectors, protocol), protocol)

    def _save(self, name: str, network: SiameseNetwork) -> None:
        notes: dict[str, Any] = {
            "recipe": self._recipe.model_dump(mode="json", exclude={"init", "teachers"}),
            "teachers": [path.stem for path in self._recipe.teachers],
            "step": self._step,
            "minutes": round(self._seconds / 60, 1),
            "trained_on": self._pool.sources,
            "scores": None if self._scores is None else asdict(self._scores),
        }
        save_checkpoint(network, self._folder / name, notes=notes)

    def _save_state(self) -> None:
        state = RunState(
            step=self._step,
            tensors={name: part.state_dict() for name, part in self._parts().items()},
            random=torch.get_rng_state(),
            best=-1.0,
            seconds=self._seconds,
            recipe=self._recipe.model_dump_json(),
        )
        write_state(state, self._folder / STATE)

    def _parts(self) -> dict[str, Any]:
        return {
            "student": self._student,
            "classifier": self._classifier,
            "memory": self._memory,
            "averaged": self._averaged,
            "optimiser": self._optimiser,
        }


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
