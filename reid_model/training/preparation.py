"""From a recipe to what a training run needs: images, batches, held-out identities."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reid_model.data.batches import BatchSource, Draw, IdentityDraw, TupleDraw
from reid_model.data.images import IdentityImage, read_images
from reid_model.data.pixels import read_pixels
from reid_model.data.split import of_identities, read_identities, split_by_identity
from reid_model.data.tuples import read_triplets, triplets_of
from reid_model.errors import DatasetError
from reid_model.evaluation.protocol import Protocol, make_protocol
from reid_model.recipe import Recipe

__all__ = ["TrainingSet", "prepare"]


@dataclass(frozen=True, slots=True, eq=False)
class TrainingSet:
    """Everything that a run reads from disk.

    Attributes:
        images: Those trained on.
        pixels: Their ``(N, H, W, 3)`` uint8 BGR pixels.
        labels: ``(N,)`` int64 numbers of their identities.
        draw: Chooses a step's images.
        held_out_pixels: ``(M, H, W, 3)`` pixels of the held-out identities.
        protocol: Queries and gallery among them.
    """

    images: list[IdentityImage]
    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    draw: Draw
    held_out_pixels: NDArray[np.uint8]
    protocol: Protocol

    @property
    def identities(self) -> int:
        """How many identities are trained on."""
        return int(self.labels.max()) + 1

    def batches(self, recipe: Recipe, *, processes: int) -> BatchSource:
        """Return the batches of all steps of all processes."""
        return BatchSource(
            self.pixels,
            self.labels,
            self.draw,
            recipe.augmentation,
            recipe.seed,
            recipe.schedule.steps * processes,
        )

    def description(self, recipe: Recipe) -> dict[str, object]:
        """Return what a checkpoint says of the data it was trained on."""
        names = "\n".join(sorted({image.identity for image in self.images}))
        return {
            "source": recipe.images.source.name,
            "folder": recipe.images.source.parent.name,
            "images": len(self.images),
            "identities": self.identities,
            "identities_sha256": hashlib.sha256(names.encode()).hexdigest(),
            "held_out_identities": len(np.unique(self.protocol.identity)),
        }


def prepare(recipe: Recipe) -> TrainingSet:
    """Read and check the images of a recipe and split them by identity.

    Raises:
        DatasetError: Something about them cannot be used.
        BackendError: The recipe asks for masks, and a package is missing.
    """
    everything = read_images(recipe.images.source, folder=recipe.images.folder)
    known = frozenset(image.identity for image in everything)
    if recipe.validation.identities is not None:
        held_out = read_identities(recipe.validation.identities, known=known)
    else:
        shares = [recipe.validation.share]
        held_out, _ = split_by_identity(known, shares=shares, seed=recipe.seed)
    trained = known - held_out
    if not trained:
        raise DatasetError("every identity is held out: nothing is left to train on")
    images = of_identities(everything, trained)
    held = of_identities(everything, held_out)
    draw = _draw(recipe, images, trained)
    number = {name: row for row, name in enumerate(sorted(trained))}
    size = recipe.architecture.input_size
    pixels, held_out_pixels = (
        read_pixels((image.path for image in part), size) for part in (images, held)
    )
    if recipe.images.mask:
        pixels, held_out_pixels = _masked(pixels), _masked(held_out_pixels)
    return TrainingSet(
        images=images,
        pixels=pixels,
        labels=np.array([number[image.identity] for image in images], np.int64),
        draw=draw,
        held_out_pixels=held_out_pixels,
        protocol=make_protocol(held),
    )


def _masked(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    from reid_model.segmentation.masker import PersonMasker  # noqa: PLC0415 - optional

    return np.stack(PersonMasker().masked(list(pixels)))


def _draw(recipe: Recipe, images: list[IdentityImage], trained: frozenset[str]) -> Draw:
    settings = recipe.batch
    if settings.csv is None or settings.kind == "identities":
        return IdentityDraw(
            images,
            identities=settings.identities,
            per_identity=settings.images,
            seed=recipe.seed,
        )
    folder = recipe.images.folder or (
        recipe.images.source if recipe.images.source.is_dir() else recipe.images.source.parent
    )
    triplets = triplets_of(read_triplets(settings.csv, folder), trained)
    row_of = {image.path: row for row, image in enumerate(images)}
    try:
        rows = [[row_of[i.path] for i in (t.anchor, t.positive, t.negative)] for t in triplets]
    except KeyError as missing:
        raise DatasetError(
            f"{settings.csv}: image {missing.args[0]} is not among the images trained on"
        ) from None
    return TupleDraw(np.array(rows, np.int64).reshape(-1, 3), size=settings.size, seed=recipe.seed)
