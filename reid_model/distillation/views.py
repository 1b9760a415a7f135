"""Draws crops and changes them: what the teachers see, and what the student has to bear."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

import torch
from torch import Tensor
from torch.nn import functional

from reid_model.distillation import augment
from reid_model.distillation.crops import CropPool, IdentityDraw
from reid_model.distillation.recipe import DistillationRecipe

__all__ = ["Batch", "Views", "compiled"]

P = ParamSpec("P")
R = TypeVar("R")

PLACE_PRINTS = 0.55
"""Share of the patterns on clothes that are pieces of places."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """What a step sees.

    Attributes:
        student: ``(N, 3, H, W)`` RGB in [0, 1], as the student gets them; labelled crops first.
        teacher: The same crops without what hides or blurs them.
        labels: ``(L,)`` identities of the labelled crops.
    """

    student: Tensor
    teacher: Tensor
    labels: Tensor


def compiled(function: Callable[P, R], recipe: DistillationRecipe) -> Callable[P, R]:
    """Return a function as the recipe wants it: compiled for its shapes, or as it is."""
    if not recipe.compiled:
        return function
    result: Callable[P, R] = torch.compile(function, dynamic=False)
    return result


class Views:
    """Makes the batches of a distillation.

    The student sees hard augmentation; the teachers see the same crops, with the same geometry,
    light, clothes and backgrounds, but not covered, coarse, blurred or erased.

    Args:
        recipe: How many crops, and how many of them change.
        pool: The crops.
    """

    def __init__(self, recipe: DistillationRecipe, pool: CropPool) -> None:
        self._recipe, self._pool = recipe, pool
        self._draw = IdentityDraw(pool.labels, recipe.identities, recipe.images)
        self._change_clothes = compiled(augment.change_clothes, recipe)
        self._change_light = compiled(augment.change_light, recipe)

    @torch.no_grad()
    def __call__(self) -> Batch:
        """Return the next batch."""
        pool, recipe = self._pool, self._recipe
        labelled = self._draw()
        free = recipe.batch_size - len(labelled)
        others = torch.multinomial(pool.weights, free, replacement=True)
        rows = torch.cat([labelled, others])
        images = pool.pixels[rows].float() / 255
        masks = functional.interpolate(pool.masks[rows].float(), images.shape[2:], mode="bilinear")
        place = torch.arange(len(rows), device=rows.device)
        unlabelled = (place >= len(labelled)).view(-1, 1, 1, 1)
        dressed = self._change_clothes(images, masks, self._prints(images), recipe.change_clothes)
        images = torch.where(unlabelled, dressed, images)
        if len(pool.places):
            places = self._places(images)
            images = augment.change_background(images, masks, places, recipe.change_background)
        images = augment.move(images, zoom=0.22, shift=0.14, angle=7)
        images = self._change_light(images, 1.0, 0.8)
        mixed = augment.mix_people(images, blended=0.15, joined=0.12)
        taught = torch.where(unlabelled, mixed, images)
        seen = augment.make_coarse(augment.cover(taught, 0.15), 0.4)
        seen = augment.erase(augment.add_noise(augment.blur(seen, 0.15), 0.3), 0.15)
        seen = self._change_light(seen, 0.35, 0.5)
        return Batch(seen, taught, pool.labels[labelled])

    def _places(self, images: Tensor) -> Tensor:
        """Return a place for every image, in its shape."""
        places = self._pool.places
        chosen = torch.randint(len(places), (len(images),), device=places.device)
        return functional.interpolate(
            places[chosen].float() / 255, list(images.shape[2:]), mode="bilinear"
        )

    def _prints(self, images: Tensor) -> Tensor:
        """Return a pattern for every image: a piece of a place, or drawn."""
        drawn = augment.draw_patterns(images)
        if not len(self._pool.places):
            return drawn
        found = torch.rand(len(images), 1, 1, 1, device=images.device) < PLACE_PRINTS
        return torch.where(found, self._places(images), drawn)
