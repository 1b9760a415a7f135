"""Reads crops and writes weights that are adapted to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from reid_model.adaptation import adapted
from reid_model.architecture import Architecture
from reid_model.checkpoint import load_checkpoint, save_checkpoint
from reid_model.data.images import crop_files, read_images
from reid_model.data.pixels import read_pixels
from reid_model.errors import DatasetError
from reid_model.evaluation.embedding import network_input

__all__ = ["Adapted", "adapt"]

BATCH = 16
NO_LONGER_TRUE = frozenset({"calibration", "scores"})
"""Notes of weights that hold for the embeddings of before."""


@dataclass(frozen=True, slots=True)
class Adapted:
    """What weights were adapted by.

    Attributes:
        crops: How many crops of places.
        places: How many places.
        persons: How many persons of whom there is more than one crop.
        exponent: Of the generalised mean, as it is now.
        edge_weight: Of the cells at the edge, as it is now.
    """

    crops: int
    places: int
    persons: int
    exponent: float
    edge_weight: float


def adapt(
    weights: Path,
    out: Path,
    *,
    crops: Sequence[Path],
    people: Sequence[Path],
    exponent: float | None = None,
    edge_weight: float | None = None,
) -> Adapted:
    """Write weights that are centred on places and blunted for what changes within a person.

    Args:
        weights: A checkpoint; not changed.
        out: The checkpoint to write.
        crops: A folder of each place.
        people: Sets of crops with identities, each as ``read_images`` takes it.
        exponent: Of the generalised mean from now on; ``None`` = as learned.
        edge_weight: Of the cells at the map's edge from now on; ``None`` = as before.

    Raises:
        WeightsError: The checkpoint cannot be used.
        DatasetError: A folder holds no pictures or nobody twice, or nothing was asked for.
        OutputError: The file cannot be written.
    """
    if not (crops or people) and exponent is None and edge_weight is None:
        raise DatasetError(
            "nothing to adapt by: give --crops, --people, --exponent or --edge-weight"
        )
    checkpoint = load_checkpoint(weights)
    architecture = checkpoint.architecture
    found = [crop_files(folder) for folder in crops]
    known, numbers = _people(people)
    persons = len(set(numbers))
    network = adapted(
        checkpoint.network,
        [_batches(paths, architecture) for paths in found],
        # Of nobody there is no batch, but one empty part of the numbers.
        zip(_batches(known, architecture), torch.split(torch.tensor(numbers), BATCH), strict=False),
        exponent=exponent,
        edge_weight=edge_weight,
    )
    exponent, edge_weight = float(network.p.detach()), network.architecture.edge_weight
    result = Adapted(sum(map(len, found)), len(found), persons, exponent, edge_weight)
    notes = {k: each for k, each in checkpoint.notes.items() if k not in NO_LONGER_TRUE}
    counts: Counter[str] = Counter()
    for folder, paths in zip(crops, found, strict=True):
        counts[folder.resolve().name] += len(paths)
    notes["adapted_by"] = {
        "crops": dict(counts),
        "persons": persons,
        "exponent": round(exponent, 4),
        "edge_weight": edge_weight,
    }
    save_checkpoint(network, out, notes=notes)
    return result


def _people(sources: Sequence[Path]) -> tuple[list[Path], list[int]]:
    """Return the crops of everybody who is seen twice, and the numbers of the persons on them."""
    numbers: dict[tuple[Path, str], int] = {}
    paths, on_them = [], []
    for source in sources:
        images = read_images(source)
        counts = Counter(image.identity for image in images)
        twice = [image for image in images if counts[image.identity] > 1]
        if not twice:
            raise DatasetError(f"{source} shows nobody twice: --people needs several crops of each")
        paths += [image.path for image in twice]
        on_them += [numbers.setdefault((source, image.identity), len(numbers)) for image in twice]
    return paths, on_them


def _batches(paths: Sequence[Path], architecture: Architecture) -> Iterator[Tensor]:
    """Yield ``(N, 3, H, W)`` normalised RGB."""
    for start in range(0, len(paths), BATCH):
        pixels = read_pixels(paths[start : start + BATCH], architecture.input_size)
        yield network_input(torch.from_numpy(pixels), architecture)
