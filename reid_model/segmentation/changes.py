"""Images without their background, or in front of another one, for evaluation."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reid_model.data.images import IdentityImage
from reid_model.data.pixels import read_crop
from reid_model.segmentation.masker import PersonMasker, on_background, without_background

__all__ = ["BackgroundChange"]


class BackgroundChange:
    """Takes backgrounds out, or exchanges them, by the masks of people.

    Which background an image gets follows from its file name, whatever comes before it.

    Args:
        images: Those that backgrounds are taken from.
        mask: Take the background out, after the exchange if there is one.
        replace: Put every person in front of the background of another identity's image.
        weights: Of the masks; ``None`` takes the package's own.

    Raises:
        WeightsError: The weights cannot be used.
        BackendError: A package is missing.
    """

    def __init__(
        self,
        images: Sequence[IdentityImage],
        *,
        mask: bool,
        replace: bool,
        weights: Path | None = None,
    ) -> None:
        self._images = list(images)
        self._mask = mask
        self._replace = replace
        self._masker = PersonMasker(weights)

    @property
    def name(self) -> str:
        """What is done, for reports."""
        done = [("replaced", self._replace), ("masked", self._mask)]
        return ", ".join(word for word, does in done if does) or "kept"

    def __call__(
        self, images: Sequence[IdentityImage], crops: Sequence[NDArray[np.uint8]]
    ) -> list[NDArray[np.uint8]]:
        """Return the changed pixels of images, whose own are ``crops``."""
        changed = list(crops)
        if self._replace:
            others = [read_crop(self._other(image).path) for image in images]
            masks, other_masks = self._masker.masks(changed), self._masker.masks(others)
            changed = [
                on_background(*each)
                for each in zip(changed, masks, others, other_masks, strict=True)
            ]
        if self._mask:
            # Masks of what would be seen, not those that the exchange was made with.
            masks = self._masker.masks(changed)
            changed = [
                without_background(crop, mask) for crop, mask in zip(changed, masks, strict=True)
            ]
        return changed

    def _other(self, image: IdentityImage) -> IdentityImage:
        """Return an image of somebody else, where there is somebody."""
        seed = int.from_bytes(hashlib.sha256(image.path.name.encode()).digest()[:8])
        rng = np.random.default_rng(seed)
        for _ in range(100):
            other = self._images[int(rng.integers(len(self._images)))]
            if other.identity != image.identity:
                return other
        return image
