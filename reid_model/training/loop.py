"""The training from labels."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from torch.utils.data import DataLoader

from reid_model.data.batches import Batch
from reid_model.errors import RecipeError
from reid_model.evaluation.embedding import embed_pixels, network_input
from reid_model.network import SiameseNetwork
from reid_model.recipe import Recipe
from reid_model.training.losses import LossSum, Outputs
from reid_model.training.preparation import TrainingSet
from reid_model.training.run import Learner, TrainingRun
from reid_model.training.start import check_loss, start_network
from reid_model.training.workers import PREFETCHED, workers_that_fit
from reid_model.writing import make_folder

__all__ = ["Trainer"]


class Trainer(TrainingRun[Recipe]):
    """A training from labels, see `TrainingRun`.

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
        self._images = images
        if recipe.precision == "fp16" and (cpu or not torch.cuda.is_available()):
            raise RecipeError("precision fp16 needs a GPU: use bf16 or no on a CPU")
        self._accelerator = Accelerator(mixed_precision=recipe.precision, cpu=cpu)
        network = start_network(recipe.architecture, init=recipe.init, pretrained=recipe.pretrained)
        losses = LossSum(
            recipe.losses, dim=recipe.architecture.embedding_dim, identities=images.identities
        )
        if recipe.init is not None:
            losses.start_from(_identity_means(network, images))
        optimiser = _optimiser(recipe, network, losses)
        network = network.to(memory_format=torch.channels_last)  # 2.4 times as fast on a CPU
        averaged = copy.deepcopy(network).eval().requires_grad_(False)
        averaged.to(self._accelerator.device)
        # The branches are one module so that accelerate synchronises the gradients of both.
        self._step_module, prepared = self._accelerator.prepare(
            _TrainingStep(network, losses, compiled=recipe.compiled), optimiser
        )
        modules: _TrainingStep = self._accelerator.unwrap_model(self._step_module)
        learner = Learner(
            network=modules.network,
            averaged=averaged,
            optimiser=prepared,
            parts={"step": modules, "optimiser": prepared, "averaged": averaged},
            held_out=images.held_out_pixels,
            protocol=images.protocol,
            notes={
                "started_from": None if recipe.init is None else _fingerprint(recipe.init),
                "trained_on": images.description(recipe),
            },
        )
        make_folder(folder)
        super().__init__(recipe, folder, learner, is_main=self._accelerator.is_main_process)

    def _losses(self) -> Iterator[dict[str, float]]:
        yield from map(self._advance, self._batches())

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
        device = self._accelerator.device
        images = network_input(batch.images.to(device), self._recipe.architecture)
        self._step_module.train()
        with self._accelerator.autocast():
            total, parts = self._step_module(
                images, batch.labels.to(device), batch.tuples.to(device)
            )
        check_loss(float(total.detach()), self._step + 1)
        self._learner.optimiser.zero_grad()
        self._accelerator.backward(total)
        self._learner.optimiser.step()
        return {
            "loss": float(total.detach()),
            **{f"loss/{name}": float(v) for name, v in parts.items()},
        }


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
