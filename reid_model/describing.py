"""Descriptions of networks that others made: put together, tried on pictures, and only then kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError
from scipy.stats import mannwhitneyu

from reid_model.data.images import MARKET_NAME, SUFFIXES, read_images
from reid_model.data.pixels import read_crop
from reid_model.description import (
    MAKERS,
    Description,
    ModelFacts,
    said_by_file,
    sidecar_of,
    write_sidecar,
)
from reid_model.errors import DatasetError, OutputError, WeightsError
from reid_model.inference import load_embedder, runtime_of

__all__ = ["Trial", "describe"]

MAX_PICTURES = 200
"""More tell no more."""
USUAL = 0.9
"""Share of the crops whose mirror image must be closer than this share of the other crops."""
CLEARLY_BETTER = 0.05
"""By so much ROC AUC another way to feed a network must win to be thought the right one."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What a network gave on pictures.

    Attributes:
        sidecar: The file that was written.
        description: What is in it.
        dim: Length of an embedding.
        pictures: Number of crops; 0 here and ``None`` below where none were given.
        mirrored: Mean cosine of a crop and its mirror image.
        others: Mean cosine of two crops.
        roc_auc: How well similarity tells pairs of one person from pairs of two, where labelled.
    """

    sidecar: Path
    description: Description
    dim: int
    pictures: int = 0
    mirrored: float | None = None
    others: float | None = None
    roc_auc: float | None = None


def describe(
    model: Path,
    *,
    given: Mapping[str, Any],
    data: Path | None = None,
    overwrite: bool = False,
) -> Trial:
    """Write the sidecar of a model, if the model gives something sensible when fed so.

    Args:
        model: An ``.onnx`` file, an OpenVINO ``.xml`` file or its folder.
        given: Fields of a `Description` that the user says; the others are read from the file.
        data: Crops of people to try it on: labelled as for evaluation, or a folder of any.
        overwrite: Whether a sidecar that is there already may be replaced.

    Raises:
        WeightsError: The model cannot be used, something is not known of it, or its embeddings
            do not tell people apart.
        DatasetError: The crops cannot be used.
        OutputError: The sidecar is there already, or cannot be written.
    """
    sidecar = sidecar_of(model)
    if sidecar.exists() and not overwrite:
        raise OutputError(f"{sidecar} exists already: --overwrite replaces it")
    description = _put_together(model, {**said_by_file(model, _facts(model)), **given})
    network = load_embedder(model, description=description)
    trial = Trial(sidecar, description, network.dim)
    if data is not None:
        trial = _tried(model, trial, *_pictures(data))
    write_sidecar(model, description)
    return trial


def _facts(model: Path) -> ModelFacts:
    if not model.exists():
        raise WeightsError(f"weights {model} do not exist: check the path")
    kind = runtime_of(model)
    if kind == "onnx":
        from reid_model.backends.onnx import onnx_facts  # noqa: PLC0415 - optional

        return onnx_facts(model)
    if kind == "openvino":
        from reid_model.backends.openvino import openvino_facts  # noqa: PLC0415

        return openvino_facts(model)
    raise WeightsError(f"weights {model} are no .onnx or .xml file: checkpoints need no sidecar")


def _put_together(model: Path, fields: Mapping[str, Any]) -> Description:
    try:
        return Description.model_validate(fields)
    except ValidationError as error:
        problems = error.errors(include_url=False)
        missing = [str(each["loc"][0]) for each in problems if each["type"] == "missing"]
        if missing:
            raise WeightsError(
                f"weights {model} do not say their {', '.join(missing)}: give them, or --like "
                f"{', '.join(MAKERS)} for a network that was exported there (see --help)"
            ) from None
        where = ".".join(str(part) for part in problems[0]["loc"])
        raise WeightsError(f"weights {model}: {where}: {problems[0]['msg']}") from None


def _pictures(data: Path) -> tuple[list[NDArray[np.uint8]], list[str] | None]:
    """Return crops from all over the data, and who is on them if that is known."""
    if data.is_dir() and not (data / "images").is_dir():
        paths = [path for path in sorted(data.iterdir()) if path.suffix.lower() in SUFFIXES]
        if paths and not any(MARKET_NAME.match(path.name) for path in paths):
            return [read_crop(path) for path in _spread(paths)], None
    images = _spread(read_images(data))
    return [read_crop(image.path) for image in images], [image.identity for image in images]


def _spread(items: Sequence[Any]) -> list[Any]:
    """Return neighbours in pairs, from all over a list: labelled crops of one person stay together."""
    step = max(1, -(-len(items) // MAX_PICTURES))
    return [item for row, item in enumerate(items) if row // 4 % step == 0]


def _tried(
    model: Path, trial: Trial, crops: list[NDArray[np.uint8]], people: list[str] | None
) -> Trial:
    if len(crops) < 2:
        raise DatasetError(f"{len(crops)} crop to try {model} on: two or more are needed")
    network = load_embedder(model, description=trial.description)
    vectors = network.embed(crops)
    mirrored = (vectors * network.embed([crop[:, ::-1] for crop in crops])).sum(axis=1)
    cosine = vectors @ vectors.T
    np.fill_diagonal(cosine, np.nan)
    if np.mean(mirrored > np.nanquantile(cosine, USUAL, axis=1)) < USUAL:
        raise WeightsError(
            f"weights {model}: crops and their mirror images are hardly more alike (cosine "
            f"{mirrored.mean():.3f}) than crops of others ({np.nanmean(cosine):.3f}), so crops become "
            "their input in another way: look up size, colour, scale, mean and std at their source"
        )
    roc_auc = None if people is None else _roc_auc(vectors, people)
    if roc_auc is not None and people is not None:
        _look_for_better(model, trial.description, crops, people, roc_auc)
    return Trial(
        trial.sidecar,
        trial.description,
        trial.dim,
        pictures=len(crops),
        mirrored=float(mirrored.mean()),
        others=float(np.nanmean(cosine)),
        roc_auc=roc_auc,
    )


def _look_for_better(
    model: Path,
    description: Description,
    crops: list[NDArray[np.uint8]],
    people: list[str],
    roc_auc: float,
) -> None:
    """Feed the network as others want to be fed.

    Raises:
        WeightsError: It tells people apart clearly better then.
    """
    for maker, steps in MAKERS.items():
        other = description.model_copy(update=dict(steps))
        if other == description:
            continue
        try:
            vectors = load_embedder(model, description=other).embed(crops)
        except WeightsError:
            continue  # it gives nothing when it is fed so
        better = _roc_auc(vectors, people)
        if better is not None and better > roc_auc + CLEARLY_BETTER:
            raise WeightsError(
                f"weights {model} tell people apart better when fed as networks of {maker} are (ROC "
                f"AUC {better:.3f}, as described {roc_auc:.3f}): try --like {maker}"
            )


def _roc_auc(vectors: NDArray[np.float32], people: list[str]) -> float | None:
    """Return how often a pair of one person is more alike than a pair of two."""
    names = np.array(people)
    one, other = np.triu_indices(len(names), k=1)
    same = names[one] == names[other]
    if not same.any() or same.all():
        return None
    cosine = (vectors[one] * vectors[other]).sum(axis=1)
    wins = mannwhitneyu(cosine[same], cosine[~same]).statistic
    return float(wins / (same.sum() * (~same).sum()))
