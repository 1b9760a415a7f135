"""A training from its first step to its last: rate, average, curves, scores, saved states."""

from __future__ import annotations

import contextlib
import logging
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from reid_model.checkpoint import save_checkpoint
from reid_model.errors import RecipeError
from reid_model.evaluation.embedding import embed_pixels
from reid_model.evaluation.protocol import Protocol
from reid_model.evaluation.ranking import RankingScores, query_gallery_distances, score_ranking
from reid_model.network import SiameseNetwork
from reid_model.recipe import RunRecipe, Schedule
from reid_model.training.curves import CurveLog, draw_curves
from reid_model.training.start import check_embeddings, move_average
from reid_model.training.state import RunState, read_state, write_state

__all__ = ["Learner", "Progress", "TrainingRun", "rate_factor"]

logger = logging.getLogger(__name__)

R = TypeVar("R", bound=RunRecipe)

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


@dataclass(frozen=True, slots=True, eq=False)
class Learner:
    """What a run changes, and what judges it.

    Attributes:
        network: The network that learns.
        averaged: The average of its weights, which is evaluated and saved.
        optimiser: Moves the weights.
        parts: Everything with a state that a killed run goes on from, by name.
        held_out: ``(M, H, W, 3)`` uint8 BGR crops of held-out identities.
        protocol: Queries and gallery among them.
        notes: What checkpoints say of the run, beside its recipe and scores.
    """

    network: SiameseNetwork
    averaged: SiameseNetwork
    optimiser: torch.optim.Optimizer
    parts: Mapping[str, Any]
    held_out: NDArray[np.uint8]
    protocol: Protocol
    notes: Mapping[str, Any]


class TrainingRun(ABC, Generic[R]):
    """One run: a recipe, a learner, a folder.

    The folder gets ``last.safetensors`` and ``best.safetensors`` (averaged weights), ``curves.csv``,
    ``curves.png``, TensorBoard events and ``state.pt``.

    Args:
        recipe: What to do.
        folder: Where results go.
        learner: What changes.
        is_main: Whether this process, of several, evaluates and writes.
    """

    def __init__(self, recipe: R, folder: Path, learner: Learner, *, is_main: bool = True) -> None:
        self._recipe, self._folder, self._learner = recipe, folder, learner
        self._is_main = is_main
        self._step, self._seconds, self._best = 0, 0.0, -1.0
        self._scores: RankingScores | None = None

    @abstractmethod
    def _losses(self) -> Iterator[dict[str, float]]:
        """Make one step after the other, from the present one on; yield its losses by name."""

    def resume(self) -> int:
        """Go on from the folder's state; return how many steps it had made.

        Raises:
            WeightsError: There is no state, or it is damaged.
            RecipeError: It is the state of another recipe.
        """
        state = read_state(self._folder / STATE)
        # Parsed, so that a setting that came later does not part a run from its state.
        if type(self._recipe).model_validate_json(state.recipe) != self._recipe:
            raise RecipeError(
                f"{self._folder} holds a run of another recipe: use the same one, or another --out"
            )
        for name, part in self._learner.parts.items():
            part.load_state_dict(state.tensors[name])
        torch.set_rng_state(state.random)
        self._step, self._best, self._seconds = state.step, state.best, state.seconds
        return self._step

    def run(self, report: Callable[[Progress], None]) -> RankingScores:
        """Train to the end and return the final scores on the held-out identities.

        Args:
            report: Called after every step.

        Raises:
            RecipeError: The training is lost; what was saved before is kept.
            OutputError: A file cannot be written; what was written before is kept.
        """
        steps, learner = self._recipe.schedule.steps, self._learner
        clock, spent = time.monotonic(), self._seconds
        losses_of_steps = self._losses()
        with contextlib.ExitStack() as stack:
            curves = None
            if self._is_main:
                curves = stack.enter_context(
                    contextlib.closing(CurveLog(self._folder, after=self._step))
                )
            while self._step < steps:
                rate = self._recipe.optimiser.rate * rate_factor(self._recipe.schedule, self._step)
                for group in learner.optimiser.param_groups:
                    group["lr"] = rate
                losses = next(losses_of_steps)
                self._step += 1
                decay = self._recipe.averaging.decay
                move_average(learner.averaged, learner.network, decay=decay, step=self._step)
                self._seconds = spent + time.monotonic() - clock
                if curves is not None:
                    self._watch(losses, curves, rate=rate)
                report(Progress(self._step, steps, losses, self._scores))
        if self._is_main:
            draw_curves(self._folder, self._folder / "curves.png")
        if self._scores is None:
            self._scores = self._evaluated(learner.averaged)
        return self._scores

    def _watch(self, losses: Mapping[str, float], curves: CurveLog, *, rate: float) -> None:
        """Write curves, evaluate and save where it is time for it."""
        recipe, step, averaged = self._recipe, self._step, self._learner.averaged
        ends = step == recipe.schedule.steps
        is_judged = step % recipe.validation.every_steps == 0 or ends
        is_saved = step % recipe.save_every_steps == 0 or ends
        if step % CURVE_EVERY_STEPS == 0 or ends:
            curves.write(step, {**losses, "rate": rate, "minutes": self._seconds / 60})
        if not is_judged and not is_saved:
            return
        # Also before weights are saved: those that give nothing to compare are not.
        scores = self._evaluated(averaged)
        if is_judged:
            self._scores = scores
            curves.write(step, {"rank1": scores.rank1, "mAP": scores.mean_average_precision})
            logger.info(
                "step %d: rank-1 %.3f, mAP %.3f", step, scores.rank1, scores.mean_average_precision
            )
            if scores.mean_average_precision > self._best:
                self._best = scores.mean_average_precision
                self._save("best.safetensors", averaged)
        if is_saved:
            self._save("last.safetensors", averaged)
            self._save_state()

    def _evaluated(self, network: SiameseNetwork) -> RankingScores:
        learner = self._learner
        vectors = embed_pixels(network, learner.held_out, flip=self._recipe.validation.flip)
        check_embeddings(vectors, self._step)
        return score_ranking(query_gallery_distances(vectors, learner.protocol), learner.protocol)

    def _save(self, name: str, network: SiameseNetwork) -> None:
        notes = {
            "recipe": self._recipe.model_dump(mode="json", exclude={"init", "teachers"}),
            "step": self._step,
            "minutes": round(self._seconds / 60, 1),
            "scores": None if self._scores is None else asdict(self._scores),
            **self._learner.notes,
        }
        save_checkpoint(network, self._folder / name, notes=notes)

    def _save_state(self) -> None:
        state = RunState(
            step=self._step,
            tensors={name: part.state_dict() for name, part in self._learner.parts.items()},
            random=torch.get_rng_state(),
            best=self._best,
            seconds=self._seconds,
            recipe=self._recipe.model_dump_json(),
        )
        write_state(state, self._folder / STATE)
