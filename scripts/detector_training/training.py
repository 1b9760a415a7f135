"""Training of a detector, resumable, at the pace of a CPU or of a GPU."""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from detector_training.batches import Size, batches
from detector_training.beginning import STATE, beginning
from detector_training.distillation import (
    Student,
    TeacherAssigner,
    by_picture,
    distillation_losses,
)
from pipeline.detect.ultralytics_adapter import contained

CURVES = "curves.csv"
PIECE = 320
"""Side of the pieces that most of the training sees, pixels."""
WHOLE = 384, 640
"""(height, width) that the running detector sees."""
WHOLE_SHARE = 0.15
"""Share of the steps, at the end, that see whole pictures."""
WARM_UP = 150
LAST_RATE = 0.02
"""Of the highest one."""
WEIGHT_DECAY = 5e-4
MAX_GRAD_NORM = 10.0
AVERAGE_DECAY, AVERAGE_RISE = 0.998, 100
"""Of the moving average, and the steps in which it comes near that."""
FEATURE_MAP_WEIGHT = 20.0
"""Of the distance to what the teacher sees, beside the losses of boxes and scores."""
ALONE_UNTIL, TOGETHER_FROM = 0.45, 0.7
"""Shares of the steps. Until the first, every stage is fed with the teacher's maps, where it learns
fastest; from the second on never."""
LOG_EVERY = 20
SAVE_EVERY_S = 120.0


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a run is.

    Attributes:
        model: Architecture of ultralytics.
        steps: Batches.
        batch: Pieces in a batch; of whole pictures fewer.
        rate: Highest learning rate.
        seed: Of weights and batches.
        fixed_norms: Whether batch norms keep the statistics that they began with.
    """

    model: str
    steps: int
    batch: int
    rate: float
    seed: int
    fixed_norms: bool = False

    def sizes(self) -> list[Size]:
        """Return the size of every step's batch."""
        first_whole = round(self.steps * (1 - WHOLE_SHARE))
        alike = self.batch * PIECE * PIECE // (WHOLE[0] * WHOLE[1])
        whole = (*WHOLE, max(2, alike))
        return [
            (PIECE, PIECE, self.batch) if step < first_whole else whole
            for step in range(self.steps)
        ]

    def rate_at(self, step: int) -> float:
        """Return the learning rate of a step: a rise, then half a cosine."""
        if step < WARM_UP:
            return self.rate * (step + 1) / WARM_UP
        done = (step - WARM_UP) / max(1, self.steps - WARM_UP)
        return self.rate * (LAST_RATE + (1 - LAST_RATE) * (1 + math.cos(math.pi * done)) / 2)

    def helped_at(self, step: int) -> float:
        """Return the share of maps that the teacher gives in a step."""
        left = TOGETHER_FROM - step / self.steps
        return min(1.0, max(0.0, left / (TOGETHER_FROM - ALONE_UNTIL)))


@dataclass(frozen=True, slots=True, eq=False)
class _Learner:
    """What changes with every step.

    Attributes:
        network: In training mode.
        average: ultralytics' moving average of it, which is what ships.
        optimiser: Of the network's weights.
        assigner: Is told what the teacher said about the batch.
        student: Compares what network and teacher see.
    """

    network: Any
    average: Any
    optimiser: torch.optim.Optimizer
    assigner: TeacherAssigner
    student: Student


def new_network(model: str) -> Any:
    """Return an ultralytics detection network of one class, with random weights."""
    with contained():
        from ultralytics.cfg import get_cfg  # noqa: PLC0415
        from ultralytics.nn.tasks import DetectionModel  # noqa: PLC0415

        network = DetectionModel(model, nc=1, verbose=False)
        network.args = get_cfg()
        network.names = {0: "person"}
    return network


def train(
    pictures: Path,
    out: Path,
    recipe: Recipe,
    *,
    teacher: Path | None,
    device: str,
    begin_with: Sequence[Path] = (),
    workers: int = 1,
) -> None:
    """Train to the last step; start from the folder's state if it has one.

    Args:
        pictures: Pools as `make_pools` left them.
        out: Folder of `state.pt` and `curves.csv`.
        recipe: Its number of steps may differ from the state's; the rest may not.
        teacher: Folder of the detector that is asked about every piece, of the same architecture;
            none = what is on unlabelled pictures is what the pools' answers say.
        device: ``cpu`` or ``cuda``.
        begin_with: Weights to begin with, as `beginning` takes them; none = random ones.
        workers: Processes that prepare batches, 0 or 1.
    """
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(recipe.seed)
    learner = _learner(recipe, device)
    first, minutes = _resume(out / STATE, recipe, learner)
    if not first and begin_with:
        state = beginning(begin_with, learner.network.state_dict())
        learner.network.load_state_dict(state)
        learner.average.ema.load_state_dict(state)
    stream = batches(
        pictures,
        sizes=recipe.sizes(),
        first=first,
        seed=recipe.seed,
        teacher=teacher,
        workers=workers,
    )
    began = saved = time.monotonic()
    sums: list[list[float]] = []
    for step, batch in enumerate(stream, start=first):
        for group in learner.optimiser.param_groups:
            group["lr"] = recipe.rate_at(step)
        helped, seed = recipe.helped_at(step), recipe.seed + step
        sums.append(_step(learner, batch, device, helped=helped, seed=seed))
        now = time.monotonic()
        spent = minutes + (now - began) / 60
        if (step + 1) % LOG_EVERY == 0:
            _log(out / CURVES, step + 1, recipe.rate_at(step), np.mean(sums, axis=0), spent)
            sums.clear()
        if now - saved > SAVE_EVERY_S or step + 1 == recipe.steps:
            _save(out / STATE, recipe, learner, done=(step + 1, spent))
            saved = now


def _learner(recipe: Recipe, device: str) -> _Learner:
    network = new_network(recipe.model).to(device, memory_format=torch.channels_last)
    network.train()
    if recipe.fixed_norms:
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.eval()
    with contained():
        from ultralytics.utils.torch_utils import ModelEMA  # noqa: PLC0415

        average = ModelEMA(network, decay=AVERAGE_DECAY, tau=AVERAGE_RISE)
    # Only now: what looks into the network must not be copied into the average.
    student = Student(network)
    optimiser = torch.optim.AdamW(_groups(network), lr=recipe.rate)
    return _Learner(network, average, optimiser, distillation_losses(network), student)


def _groups(network: torch.nn.Module) -> list[dict[str, Any]]:
    """Weights that decay, and those (biases, batch norms) that do not."""
    everything = list(network.parameters())
    weights = [each for each in everything if each.ndim > 1]
    others = [each for each in everything if each.ndim <= 1]
    return [
        {"params": weights, "weight_decay": WEIGHT_DECAY},
        {"params": others, "weight_decay": 0.0},
    ]


def _step(
    learner: _Learner, batch: Mapping[str, torch.Tensor], device: str, *, helped: float, seed: int
) -> list[float]:
    """Learn from one batch; return the box, class, distribution and feature_map losses."""
    on_device = {name: each.to(device) for name, each in batch.items()}
    images = on_device["img"].to(memory_format=torch.channels_last).float() / 255
    learner.assigner.taught = on_device.pop("taught", None)
    certainty = on_device.pop("certainty")
    learner.assigner.certainty = by_picture(certainty, on_device["batch_idx"], len(images))
    names = [name for name in on_device if name.startswith("map")]
    maps = {int(name.removeprefix("map")): on_device.pop(name) for name in names}
    learner.student.observe(maps, helped, seed=seed)
    with torch.autocast(device.split(":", maxsplit=1)[0], torch.bfloat16):
        loss, parts = learner.network({**on_device, "img": images})
        feature_map = learner.student.distance()
    learner.optimiser.zero_grad()
    (loss.sum() / len(images) + FEATURE_MAP_WEIGHT * feature_map).backward()
    torch.nn.utils.clip_grad_norm_(learner.network.parameters(), MAX_GRAD_NORM)
    learner.optimiser.step()
    learner.average.update(learner.network)
    values = parts.values() if isinstance(parts, Mapping) else parts
    return [*(float(each) for each in values), float(feature_map.detach())]


def _log(path: Path, step: int, rate: float, losses: Any, minutes: float) -> None:
    is_new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.writer(file)
        if is_new:
            writer.writerow(
                ["step", "rate", "box", "class", "distribution", "feature_map", "minutes"]
            )
        figures = [f"{each:.4f}" for each in losses]
        writer.writerow([step, f"{rate:.6f}", *figures, f"{minutes:.2f}"])


def _save(path: Path, recipe: Recipe, learner: _Learner, *, done: tuple[int, float]) -> None:
    """Write the state, steps and minutes so that a kill at any moment leaves a whole one."""
    state = {
        "recipe": asdict(recipe),
        "step": done[0],
        "minutes": done[1],
        "network": learner.network.state_dict(),
        "average": learner.average.ema.state_dict(),
        "updates": learner.average.updates,
        "optimiser": learner.optimiser.state_dict(),
    }
    partial = path.with_suffix(".part")
    torch.save(state, partial)
    partial.replace(path)


def _resume(path: Path, recipe: Recipe, learner: _Learner) -> tuple[int, float]:
    """Put a stored state in place; return the next step and the minutes spent."""
    if not path.exists():
        return 0, 0.0
    state = torch.load(path, map_location="cpu", weights_only=True)
    now = asdict(recipe)
    changed = [
        name
        for name in ("model", "batch", "seed", "fixed_norms")
        if state["recipe"].get(name, False) != now[name]
    ]
    if changed:
        raise SystemExit(f"{path} is of another recipe ({', '.join(changed)}): use another --out")
    learner.network.load_state_dict(state["network"])
    learner.average.ema.load_state_dict(state["average"])
    learner.average.updates = state["updates"]
    learner.optimiser.load_state_dict(state["optimiser"])
    return int(state["step"]), float(state["minutes"])
