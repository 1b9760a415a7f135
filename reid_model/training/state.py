"""Everything that a killed run needs to go on as if nothing had happened."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from reid_model.errors import WeightsError
from reid_model.writing import write_atomically

__all__ = ["RunState", "read_state", "write_state"]


@dataclass(frozen=True, slots=True)
class RunState:
    """A moment between two steps.

    Attributes:
        step: How many steps were made.
        tensors: State dicts of the network, the losses, the optimiser and the averaged network.
        random: State of torch's generator; batches need none, they follow from the step.
        best: Best score so far, or -1.
        seconds: Time spent training so far.
        recipe: The recipe as JSON; another one cannot go on from here.
    """

    step: int
    tensors: dict[str, Any]
    random: torch.Tensor
    best: float
    seconds: float
    recipe: str


def write_state(state: RunState, path: Path) -> None:
    """Write a state so that a kill at any moment leaves the old one or the new one.

    Raises:
        OutputError: It cannot be written; the old one is kept.
    """
    content = io.BytesIO()
    torch.save({name: getattr(state, name) for name in RunState.__slots__}, content)
    write_atomically(path, content.getvalue())


def read_state(path: Path) -> RunState:
    """Read a state; tensors and plain values only, no code.

    Raises:
        WeightsError: It is missing or damaged.
    """
    if not path.is_file():
        raise WeightsError(f"no state to resume from at {path}: start without --resume")
    try:
        return RunState(**torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # unpickling raises whatever a damaged file leads to
        reason = " ".join(str(error).split())[:150]
        raise WeightsError(f"state {path} cannot be read ({reason}): start again") from None
