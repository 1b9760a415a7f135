"""The crops of a distillation, decoded once and kept on the device."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from reid_model.data.images import crop_files, read_images
from reid_model.data.pixels import read_pixels
from reid_model.data.split import of_identities, read_identities
from reid_model.distillation.recipe import DistillationRecipe
from reid_model.errors import DatasetError
from reid_model.evaluation.protocol import Protocol, make_protocol
from reid_model.preprocess import resized

__all__ = ["CropPool", "IdentityDraw", "read_pool"]

log = logging.getLogger(__name__)

Size = tuple[int, int]
MASK_SIZE = (64, 32)
"""Masks only guide changes of colour: a quarter of the teachers' resolution will do."""
USUAL_MASK = (0.12, 0.85)
"""A mask that covers less or more of its crop is taken for a failure."""
BACKGROUND_SIZE = (128, 64)


@dataclass(frozen=True, slots=True, eq=False)
class CropPool:
    """Crops as they are drawn from.

    Attributes:
        pixels: ``(N, 3, H, W)`` uint8 RGB, labelled crops first.
        masks: ``(N, 1, 64, 32)`` bool: the person; empty where none was found.
        labels: ``(L,)`` int64 numbers of the identities of the labelled crops.
        weights: ``(N,)`` how often each crop is drawn as an unlabelled one.
        places: ``(B, 3, 128, 64)`` uint8 RGB backgrounds.
        held_out: ``(M, h, w, 3)`` uint8 BGR crops of validation identities, in the student's size.
        protocol: Queries and gallery among them.
        sources: How many crops each source gave, by the name of its folder.
    """

    pixels: Tensor
    masks: Tensor
    labels: Tensor
    weights: Tensor
    places: Tensor
    held_out: NDArray[np.uint8]
    protocol: Protocol
    sources: dict[str, int]

    @property
    def identities(self) -> int:
        """How many identities are labelled."""
        return int(self.labels.max()) + 1

    def to(self, device: torch.device) -> CropPool:
        """Return the pool with its tensors on a device."""
        return replace(
            self,
            pixels=self.pixels.to(device),
            masks=self.masks.to(device),
            labels=self.labels.to(device),
            weights=self.weights.to(device),
            places=self.places.to(device),
        )


def read_pool(recipe: DistillationRecipe, size: Size, *, kept_masks: Path) -> CropPool:
    """Read all crops of a recipe; validation identities are kept apart.

    Args:
        recipe: Which folders, how often.
        size: ``(height, width)`` that the teachers want.
        kept_masks: Where the masks are kept once computed; read if they are of the same crops.

    Raises:
        DatasetError: A folder is missing or holds nothing that can be used.
    """
    everything = read_images(recipe.labelled)
    if recipe.validation.identities is None:
        raise DatasetError("distillation needs validation.identities: a JSON list of identities")
    known = frozenset(image.identity for image in everything)
    held_names = read_identities(recipe.validation.identities, known=known)
    labelled = of_identities(everything, known - held_names)
    held = of_identities(everything, held_names)
    if not labelled:
        raise DatasetError("every identity is held out: nothing is left to learn from")
    number = {name: n for n, name in enumerate(sorted(known - held_names))}
    paths = [image.path for image in labelled]
    shares = [recipe.labelled_share / len(labelled)] * len(labelled)
    sources = {recipe.labelled.name: len(labelled)}
    for source in recipe.unlabelled:
        found = crop_files(source.folder)
        paths += found
        shares += [source.share / len(found)] * len(found)
        sources[source.folder.name] = len(found)
    pixels = read_pixels(paths, size)
    places = [] if recipe.backgrounds is None else crop_files(recipe.backgrounds)
    return CropPool(
        pixels=_rgb(pixels),
        masks=torch.from_numpy(_masks(pixels, paths, kept_masks))[:, None],
        labels=torch.tensor([number[image.identity] for image in labelled]),
        weights=torch.tensor(shares),
        places=_rgb(read_pixels(places, BACKGROUND_SIZE)),
        held_out=read_pixels([image.path for image in held], recipe.architecture.input_size),
        protocol=make_protocol(held),
        sources=sources,
    )


def _rgb(pixels: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(pixels[..., ::-1].transpose(0, 3, 1, 2)))


def _masks(pixels: NDArray[np.uint8], paths: list[Path], kept: Path) -> NDArray[np.bool_]:
    """Return ``(N, 64, 32)`` masks, empty where what was found is no person."""
    from reid_model.segmentation.masker import PersonMasker  # noqa: PLC0415 - optional package

    digest = hashlib.sha256("\n".join(str(path) for path in paths).encode()).hexdigest()
    if kept.is_file():
        with np.load(kept) as content:
            if str(content["digest"]) == digest:
                return np.unpackbits(content["masks"], axis=-1).astype(bool)
    masker = PersonMasker()
    masks = np.zeros((len(pixels), *MASK_SIZE), bool)
    for row, crop in enumerate(pixels):
        mask = masker.masks([resized(crop, MASK_SIZE)])[0]
        if USUAL_MASK[0] < mask.mean() < USUAL_MASK[1]:
            masks[row] = mask
        if row % 1000 == 0:
            log.info("masks: %d of %d crops", row, len(pixels))
    kept.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(kept, masks=np.packbits(masks, axis=-1), digest=digest)
    return masks


class IdentityDraw:
    """Draws rows of so many crops of so many identities, some rows several times.

    Args:
        labels: ``(L,)`` int64 numbers of identities.
        identities: How many of them in a batch.
        images: How many crops of each.
    """

    def __init__(self, labels: Tensor, identities: int, images: int) -> None:
        self._identities, self._images = identities, images
        rows = [torch.nonzero(labels == n).flatten() for n in range(int(labels.max()) + 1)]
        self._counts = torch.tensor([len(each) for each in rows], device=labels.device)
        self._rows = pad_sequence(rows, batch_first=True)

    def __call__(self) -> Tensor:
        """Return ``(identities * images,)`` rows, those of one identity beside each other."""
        device = self._rows.device
        who = torch.randperm(len(self._rows), device=device)[: self._identities]
        places = torch.rand(len(who), self._images, device=device) * self._counts[who, None]
        return self._rows[who[:, None], places.long()].flatten()
