"""The training loop."""

from __future__ import annotations

import copy
import hashlib
import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from torch.utils.data import DataLoader

from reid_model.checkpoint import save_checkpoint
from reid_model.data.batches import Batch
from reid_model.errors import RecipeError
from reid_model.evaluation.embedding import embed_pixels, network_input
from reid_model.evaluation.ranking import (
    RankingScores,
    query_gallery_distances,
    score_ranking,
)
from reid_model.network import SiameseNetwork
from reid_model.recipe import Recipe, Schedule
from reid_model.training.curves import CurveLog, draw_curves
from reid_model.training.losses import LossSum, Outputs
from reid_model.training.preparation import TrainingSet
from reid_model.training.start import (
    check_embeddings,
    check_loss,
    move_average,
    start_network,
)
from reid_model.training.state import RunState, read_state, write_state
from reid_model.training.workers import PREFETCHED, workers_that_fit
from reid_model.writing import make_folder

__all__ = ["Progress", "Trainer", "rate_factor"]

logger = logging.getLogger(__name__)

STATE = "state.pt"
CURVE_EVERY_STEPS = 20
WARMUP_START = 1e-3
"""Share of the rate that warm-up starts from."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands, for whoever shows it.

    Attributes:
        step: Steps made.
        steps: Steps in all.
        losses: Of the last step, by name.
        scores: The latest on held-out identities, if any yet.
    """

    step: int
    steps: int
    losses: Mapping[str, float]
    scores: RankingScores | None


def rate_factor(schedule: Schedule, step: int) -> float:
    """Return the share of the highest learning rate at a step, counted from 0."""
    if step < schedule.warmup_steps:
        return WARMUP_START + (1 - WARMUP_START) * step / schedule.warmup_steps
    if schedule.shape == "constant":
        return 1.0
    span = max(1, schedule.steps - schedule.warmup_steps)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - schedule.warmup_steps) / span)))


class Trainer:
    """One run: a recipe, its data, a folder.

    The folder gets ``last.safetensors``, ``best.safetensors``, ``curves.csv``, ``curves.png``,
    TensorBoard events and ``state.pt``.

    Args:
        recipe: What to do.
        images: From `prepare`.
        folder: Where results go.
        cpu: Stay on the CPU even where there is a GPU.

    Raises:
        RecipeError: The recipe names an unknown loss, miner or option.
        WeightsError: The start weights cannot be used.
        OutputError: The folder cannot be made.
    """

    def __init__(
        self, recipe: Recipe, images: TrainingSet, folder: Path, *, cpu: bool = False
    ) -> None:
        torch.manual_seed(recipe.seed)
        torch.use_deterministic_algorithms(True, warn_only=True)
        self._recipe = recipe
        self._images = images
        self._folder = folder
        if recipe.precision == "fp16" and (cpu or not torch.cuda.is_available()):
            raise RecipeError("precision fp16 needs a GPU: use bf16 or no on a CPU")
        self._accelerator = Accelerator(mixed_precision=recipe.precision, cpu=cpu)
        network = start_network(recipe.architecture, init=recipe.init, pretrained=recipe.pretrained)
        losses = LossSum(
            recipe.losses, dim=recipe.architecture.embedding_dim, identities=images.identities
        )
        self._started_from: dict[str, str] | None = None
        if recipe.init is not None:
            self._started_from = _fingerprint(recipe.init)
            losses.start_from(_identity_means(network, images))
        optimiser = _optimiser(recipe, network, losses)
        network = network.to(memory_format=torch.channels_last)  # 2.4 times as fast on a CPU
        self._averaged = copy.deepcopy(network).eval().requires_grad_(False)
        self._averaged.to(self._accelerator.device)
        # The branches are one module so that accelerate synchronises the gradients of both.
        self._step_module, self._optimiser = self._accelerator.prepare(
            _TrainingStep(network, losses, compiled=recipe.compiled), optimiser
        )
        self._step = 0
        self._best = -1.0
        self._seconds = 0.0
        self._scores: RankingScores | None = None
        make_folder(folder)

    def resume(self) -> int:
        """Go on from the folder's state; return how many steps it had made.

        Raises:
            WeightsError: There is no state, or it is damaged.
            RecipeError: It is the state of another recipe.
        """
        state = read_state(self._folder / STATE)
        # Parsed, so that a setting that came later does not part a run from its state.
        if Recipe.model_validate_json(state.recipe) != self._recipe:
            raise RecipeError(
                f"{self._folder} holds a run of another recipe: use the same one, or another --out"
            )
        modules = self._modules
        modules.load_state_dict(state.tensors["step"])
        self._optimiser.load_state_dict(state.tensors["optimiser"])
        self._averaged.load_state_dict(state.tensors["averaged"])
        torch.set_rng_state(state.random)
        self._step, self._best, self._seconds = state.step, state.best, state.seconds
        return self._step

    def run(self, report: Callable[[Progress], None]) -> RankingScores:
        """Train to the end and return the final scores on the held-out identities.

        Args:
            report: Called after every step.

        Raises:
            OutputError: A file cannot be written; what was written before is kept.
        """
        recipe = self._recipe
        main = self._accelerator.is_main_process
        curves = CurveLog(self._folder, after=self._step) if main else None
        clock = time.monotonic()
        spent = self._seconds
        try:
            for batch in self._batches():
                losses = self._advance(batch)
                self._seconds = spent + time.monotonic() - clock
                self._watch(losses, curves)
                report(Progress(self._step, recipe.schedule.steps, losses, self._scores))
        finally:
            if curves is not None:
                curves.close()
        if main:
            draw_curves(self._folder, self._folder / "curves.png")
        if self._scores is None:
            self._scores = self._evaluated()
        return self._scores

    @property
    def _modules(self) -> _TrainingStep:
        unwrapped: _TrainingStep = self._accelerator.unwrap_model(self._step_module)
        return unwrapped

    def _batches(self) -> Iterator[Batch]:
        processes, rank = self._accelerator.num_processes, self._accelerator.process_index
        total = self._recipe.schedule.steps
        own = [step * processes + rank for step in range(self._step, total)]
        source = self._images.batches(self._recipe, processes=processes)
        workers = workers_that_fit(self._recipe.workers, source)
        return iter(
            DataLoader(
                source,
                batch_size=None,
                sampler=own,
                num_workers=workers,
                prefetch_factor=PREFETCHED if workers else None,
                # Forked workers share the decoded images instead of copying them.
                multiprocessing_context="fork" if workers else None,
                generator=torch.Generator().manual_seed(0),
            )
        )

    def _advance(self, batch: Batch) -> dict[str, float]:
        rate = self._recipe.optimiser.rate * rate_factor(self._recipe.schedule, self._step)
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        device = self._accelerator.device
        images = network_input(batch.images.to(device), self._recipe.architecture)
        self._step_module.train()
        with self._accelerator.autocast():
            total, parts = self._step_module(
                images, batch.labels.to(device), batch.tuples.to(device)
            )
        check_loss(float(total.detach()), self._step + 1)
        self._optimiser.zero_grad()
        self._accelerator.backward(total)
        self._optimiser.step()
        self._step += 1
        move_average(
            self._averaged,
            self._modules.network,
            decay=self._recipe.averaging.decay,
            step=self._step,
        )
        return {
            "loss": float(total.detach()),
            **{f"loss/{name}": float(v) for name, v in parts.items()},
        }

    def _watch(self, losses: Mapping[str, float], curves: CurveLog | None) -> None:
        """Write curves, evaluate and save where it is time for it."""
        recipe, step = self._recipe, self._step
        ends = step == recipe.schedule.steps
        if curves is not None and (step % CURVE_EVERY_STEPS == 0 or ends):
            rate = float(self._optimiser.param_groups[0]["lr"])
            curves.write(step, {**losses, "rate": rate, "minutes": self._seconds / 60})
        if curves is not None and (step % recipe.validation.every_steps == 0 or ends):
            self._scores = scores = self._evaluated()
            curves.write(step, {"rank1": scores.rank1, "mAP": scores.mean_average_precision})
            logger.info(
                "step %d: rank-1 %.3f, mAP %.3f", step, scores.rank1, scores.mean_average_precision
            )
            if scores.mean_average_precision > self._best:
                self._best = scores.mean_average_precision
                self._save("best.safetensors", scores)
        if curves is not None and (step % recipe.save_every_steps == 0 or ends):
            self._evaluated()  # weights that give nothing to compare are not saved
            self._save("last.safetensors", self._scores)
            self._save_state()

    def _evaluated(self) -> RankingScores:
        vectors = embed_pixels(
            self._averaged, self._images.held_out_pixels, flip=self._recipe.validation.flip
        )
        check_embeddings(vectors, self._step)
        protocol = self._images.protocol
        return score_ranking(query_gallery_distances(vectors, protocol), protocol)

    def _save(self, name: str, scores: RankingScores | None) -> None:
        notes: dict[str, Any] = {
            "recipe": self._recipe.model_dump(mode="json", exclude={"init"}),
            "started_from": self._started_from,
            "step": self._step,
            "minutes": round(self._seconds / 60, 1),
            "trained_on": self._images.description(self._recipe),
            "scores": None if scores is None else asdict(scores),
        }
        save_checkpoint(self._averaged, self._folder / name, notes=notes)

    def _save_state(self) -> None:
        state = RunState(
            step=self._step,
            tensors={
                "step": self._modules.state_dict(),
                "optimiser": self._optimiser.state_dict(),
                "averaged": self._averaged.state_dict(),
            },
            random=torch.get_rng_state(),
            best=self._best,
            seconds=self._seconds,
            recipe=self._recipe.model_dump_json(),
        )
        write_state(state, self._folder / STATE)


class _TrainingStep(torch.nn.Module):
    """Network and losses as one module: one forward pass, one set of gradients."""

    def __init__(self, network: SiameseNetwork, losses: LossSum, *, compiled: bool) -> None:
        super().__init__()
        self.network = network
        self.losses = losses
        # Compiled functions, not modules: the names in the state stay as they are.
        self._features = torch.compile(network.features) if compiled else network.features
        self._features_and_map = (
            torch.compile(network.features_and_map) if compiled else network.features_and_map
        )

    def forward(
        self, images: torch.Tensor, labels: torch.Tensor, tuples: torch.Tensor
    ) -> tuple[torch.Tensor, Mapping[str, torch.Tensor]]:
        if self.losses.compares_stages:
            before, after, early = self._features_and_map(images)
            outputs = Outputs(before.float(), after.float(), early.float())
        else:
            before, after = self._features(images)
            outputs = Outputs(before.float(), after.float(), None)
        total, parts = self.losses(outputs, labels, tuples)
        return total, parts


def _fingerprint(path: Path) -> dict[str, str]:
    return {"name": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def _identity_means(network: SiameseNetwork, images: TrainingSet) -> torch.Tensor:
    vectors = embed_pixels(network.eval(), images.pixels)
    sums = np.zeros((images.identities, vectors.shape[1]), np.float32)
    np.add.at(sums, images.labels, vectors)
    return torch.from_numpy(sums)


def _optimiser(recipe: Recipe, network: SiameseNetwork, losses: LossSum) -> torch.optim.Optimizer:
    settings = recipe.optimiser
    parameters = [p for p in (*network.parameters(), *losses.parameters()) if p.requires_grad]
    kind: Any = getattr(torch.optim, settings.name)
    options = {"momentum": 0.9} if settings.name == "SGD" else {}
    optimiser: torch.optim.Optimizer = kind(
        parameters, lr=settings.rate, weight_decay=settings.weight_decay, **options
    )
    return optimiser
