"""Every setting of a training run: its default, unit and range, in one place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from reid_model.architecture import Architecture
from reid_model.data.augment import Augmentation
from reid_model.errors import RecipeError
from reid_model.yaml_files import read_yaml

__all__ = [
    "Averaging",
    "BatchSettings",
    "ImageSettings",
    "LossPart",
    "LossTerm",
    "Optimiser",
    "Recipe",
    "RunRecipe",
    "Schedule",
    "Section",
    "Validation",
    "load_recipe",
    "read_recipe",
]

Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
Kind = TypeVar("Kind", bound=BaseModel)


class Section(BaseModel):
    """A part of a recipe: unknown keys are refused."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        validate_default=True,
        use_attribute_docstrings=True,
        allow_inf_nan=False,  # no bound refuses what is no number
    )


class ImageSettings(Section):
    """The images trained on."""

    source: Path
    """A folder in Market-1501 naming, or a CSV of image, identity and camera."""
    folder: Path | None = None
    """What the paths in a CSV are relative to; none = the folder of the CSV."""
    mask: bool = False
    """Take the background out of every image, of the held-out ones too."""


class Validation(Section):
    """The identities that are held out and tell which weights are best."""

    identities: Path | None = None
    """A JSON list of them; none = a random share."""
    share: Annotated[float, Field(gt=0, lt=1)] = 0.15
    """Random share of the identities that is held out where no list is given."""
    every_steps: Count = 500
    """Steps between two evaluations."""
    flip: bool = False
    """Add the mirrored image's embedding when evaluating."""


class BatchSettings(Section):
    """What a step sees."""

    kind: Literal["identities", "triplets"] = "identities"
    """Identity-balanced batches, or the rows of a CSV of fixed triplets."""
    identities: Annotated[int, Field(ge=2)] = 16
    """Identities in a batch (``identities``)."""
    images: Annotated[int, Field(ge=2)] = 4
    """Images of each identity (``identities``)."""
    csv: Path | None = None
    """Columns Anchor, Negative, Positive (``triplets``)."""
    size: Count = 32
    """Triplets in a batch (``triplets``)."""

    @model_validator(mode="after")
    def _check_csv(self) -> BatchSettings:
        if self.kind == "triplets" and self.csv is None:
            raise ValueError("batches of fixed triplets need csv, the file that lists them")
        return self


class LossPart(Section):
    """A class of pytorch-metric-learning and how to construct it."""

    name: str
    """Class name."""
    options: dict[str, Any] = {}
    """Its constructor's arguments."""


class LossTerm(LossPart):
    """One term of the loss.

    ``name`` is a loss of pytorch-metric-learning, or ``IdentityLoss`` or
    ``StageSimilarityLoss``.
    """

    distance: LossPart | None = None
    """How the loss compares embeddings; none = its own default."""
    miner: LossPart | None = None
    """Which pairs or triplets of a batch count; none = all, or the fixed ones."""
    on: Literal["before", "after", "unit"] = "unit"
    """The embedding before the neck, after it, or after it and of unit length."""
    weight: Positive = 1.0
    """Factor of the term."""


class Optimiser(Section):
    """What turns gradients into steps."""

    name: Literal["Adam", "AdamW", "SGD"] = "AdamW"
    """A class of ``torch.optim``."""
    rate: Positive = 3.5e-4
    """Learning rate at its highest."""
    weight_decay: Annotated[float, Field(ge=0)] = 5e-4
    """Decay of the weights."""


class Schedule(Section):
    """How long, and at what share of the learning rate."""

    steps: Count
    """Optimiser steps."""
    warmup_steps: Annotated[int, Field(ge=0)] = 0
    """Steps over which the rate rises from almost nothing."""
    shape: Literal["constant", "cosine"] = "cosine"
    """What the rate does after that; ``cosine`` ends at nothing."""


class Averaging(Section):
    """An exponential moving average of the weights is what is evaluated and saved."""

    decay: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share that the average keeps per step; 0 = no averaging."""


class RunRecipe(Section):
    """What every training has."""

    validation: Validation = Validation()
    architecture: Architecture = Architecture()
    optimiser: Optimiser = Optimiser()
    schedule: Schedule
    averaging: Averaging = Averaging()
    init: Path | None = None
    """Checkpoint to start from; its architecture may differ where the tensors do not."""
    pretrained: bool = False
    """Start from timm's ImageNet weights (needs the internet once)."""
    seed: Annotated[int, Field(ge=0)] = 1
    """Of everything random."""
    compiled: bool = False
    """Train through ``torch.compile``: 1.4 times as fast on a CPU after a minute and a half of
    compiling, twice as fast for a distillation on a GPU; needs a C++ compiler."""
    save_every_steps: Count = 250
    """Steps between two saved states that a killed run goes on from."""


class Recipe(RunRecipe):
    """One training from labels."""

    images: ImageSettings
    batch: BatchSettings = BatchSettings()
    augmentation: Augmentation = Augmentation()
    losses: Annotated[list[LossTerm], Field(min_length=1)]
    precision: Literal["no", "bf16", "fp16"] = "no"
    """Mixed precision of accelerate; ``no`` = float32."""
    workers: Annotated[int, Field(ge=0, le=64)] = 1
    """Processes that prepare batches."""


def load_recipe(path: Path, *, changes: Mapping[str, Any] | None = None) -> Recipe:
    """Read a recipe from YAML.

    Args:
        path: The file.
        changes: Settings by their dotted path, which replace the file's.

    Raises:
        RecipeError: It cannot be read, or a key is unknown or out of range; the message gives
            the key's path.
    """
    return read_recipe(path, Recipe, changes=changes)


def read_recipe(path: Path, kind: type[Kind], *, changes: Mapping[str, Any] | None = None) -> Kind:
    """Read a recipe of one kind from YAML, as `load_recipe` does.

    Raises:
        RecipeError: It cannot be read, or a key is unknown or out of range; the message gives
            the key's path.
    """
    tree = read_yaml(path, what="recipe", raises=RecipeError)
    if not isinstance(tree, dict):
        raise RecipeError(f"recipe {path}: expected a mapping of settings")
    for key, value in (changes or {}).items():
        *sections, name = key.split(".")
        section = tree
        for part in sections:
            section = section.setdefault(part, {})
        section[name] = value
    try:
        return kind.model_validate(tree)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in fault["loc"])
        given = (
            ""
            if fault["type"] in {"missing", "extra_forbidden"}
            else f", got {fault['input']!r:.80}"
        )
        raise RecipeError(f"recipe {path}: {key}: {fault['msg']}{given}") from None
