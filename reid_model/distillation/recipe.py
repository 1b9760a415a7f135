"""Every setting of a distillation: its default, unit and range, in one place."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from reid_model.recipe import Averaging, Optimiser, RunRecipe, Section, read_recipe

__all__ = ["CropSource", "DistillationRecipe", "LossWeights", "load_distillation"]

Share = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=0)]


class CropSource(Section):
    """A folder of crops that nobody labelled."""

    folder: Path
    """Folder of pictures, subfolders included, one person each."""
    share: Annotated[float, Field(gt=0)]
    """How often its crops are drawn, beside the shares of the other sources."""


class LossWeights(Section):
    """What each term of the loss counts."""

    teacher: Weight = 6.0
    """1 minus the cosine of the student's and the teachers' embedding."""
    similarity: Weight = 10.0
    """Mean squared difference of the similarity matrices of a batch."""
    contrast: Weight = 0.5
    """Cross-entropy of finding a crop's own teacher embedding among those of the batch."""
    neighbours: Weight = 0.5
    """Divergence of the similarities to crops of earlier batches from the teachers'."""
    identity: Weight = 0.15
    """Label-smoothed cross-entropy of the identities, on labelled crops."""
    triplet: Weight = 0.4
    """Batch-hard triplet loss on unit embeddings, on labelled crops."""


class DistillationRecipe(RunRecipe):
    """One distillation: teachers, crops, and how the student learns."""

    teachers: Annotated[list[Path], Field(min_length=1)]
    """Re-identification networks as OpenVINO ``.xml`` that take BGR from 0 to 255."""
    labelled: Path
    """Crops with identities: a folder in Market-1501 naming, or a CSV."""
    labelled_share: Annotated[float, Field(gt=0)] = 0.45
    """How often labelled crops are drawn among the unlabelled part of a batch."""
    unlabelled: tuple[CropSource, ...] = ()
    """Crops without identities."""
    backgrounds: Path | None = None
    """Folder of pictures of places; people are put in front of them."""
    batch_size: Annotated[int, Field(ge=8)] = 384
    """Crops in a batch."""
    identities: Annotated[int, Field(ge=2)] = 24
    """Labelled identities in a batch."""
    images: Annotated[int, Field(ge=2)] = 4
    """Crops of each of them."""
    change_clothes: Share = 0.5
    """Share of unlabelled crops whose clothes get other colours and patterns."""
    change_background: Share = 0.3
    """Share of crops that get another background."""
    remembered: Annotated[int, Field(ge=1)] = 16384
    """Crops of earlier batches that the student has to rank as the teachers do."""
    losses: LossWeights = LossWeights()
    optimiser: Optimiser = Optimiser(name="AdamW", rate=2e-3, weight_decay=0.02)
    averaging: Averaging = Averaging(decay=0.9985)


def load_distillation(
    path: Path, *, changes: dict[str, object] | None = None
) -> DistillationRecipe:
    """Read a recipe from YAML.

    Args:
        path: The file.
        changes: Settings by their dotted path, which replace the file's.

    Raises:
        RecipeError: It cannot be read, or a key is unknown or out of range.
    """
    return read_recipe(path, DistillationRecipe, changes=changes)
