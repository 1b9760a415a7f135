"""Weights to begin a training with."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file

from detector_training.distillation import PERSON
from pipeline.detect.pickled import refuse_code
from pipeline.detect.ultralytics_adapter import contained

STATE = "state.pt"
"""Of a run: what it needs to go on."""
LAST = re.compile(r"\.cv3\.\d\.2\.(weight|bias)$")
"""Of the layers that give a score for every class."""
BRANCH = 4
"""Parts of a name that tell a layer, or a branch of the head, which is taken as a whole."""

State = Mapping[str, torch.Tensor]


def beginning(files: Sequence[Path], wanted: State) -> dict[str, torch.Tensor]:
    """Return weights from files; each layer from the first file in which it has the right size.

    Args:
        files: `state.pt` of a run, a safetensors file that ships, or weights of ultralytics, of
            which the class of persons is kept.
        wanted: State of the network that shall have them.

    Raises:
        SystemExit: Some layer has another size in every file.
    """
    sources = [_one_class(_read(file)) for file in files]
    branches: dict[str, list[str]] = {}
    for name in wanted:
        branches.setdefault(".".join(name.split(".")[:BRANCH]), []).append(name)
    state = {}
    for branch, names in branches.items():
        fitting = [
            source
            for source in sources
            if all(name in source and source[name].shape == wanted[name].shape for name in names)
        ]
        if not fitting:
            raise SystemExit(f"{branch} has another size in {', '.join(map(str, files))}")
        state |= {name: fitting[0][name] for name in names}
    return state


def _read(path: Path) -> State:
    if path.suffix == ".safetensors":
        return load_file(path)
    if path.name == STATE:
        average: State = torch.load(path, map_location="cpu", weights_only=True)["average"]
        return average
    refuse_code(path)
    with contained():
        stored = torch.load(path, map_location="cpu", weights_only=False)
    network = stored.get("ema") or stored["model"]
    state: State = network.float().state_dict()
    return state


def _one_class(state: State) -> State:
    """Keep the score of persons alone."""
    return {
        name: each[PERSON : PERSON + 1] if LAST.search(name) else each
        for name, each in state.items()
    }
