"""Training batches as pure functions of the seed and the step.

Nothing here has a state: step 700 of a run that was resumed is step 700 of the run that was
not, whatever the number of workers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from reid_model.data.augment import Augmentation, augmented
from reid_model.data.images import IdentityImage
from reid_model.errors import DatasetError

__all__ = ["Batch", "BatchSource", "Draw", "IdentityDraw", "TupleDraw"]

DRAW_STREAM, PIXEL_STREAM, ORDER_STREAM = 0, 1, 2
"""Independent random streams of one seed."""


class Batch(NamedTuple):
    """What one training step sees.

    Attributes:
        images: ``(N, H, W, 3)`` uint8 BGR.
        labels: ``(N,)`` int64, number of the identity among those trained on.
        tuples: ``(T, 3)`` int64 rows of anchor, positive and negative, or ``(0, 3)`` where
            the losses find their own.
    """

    images: torch.Tensor
    labels: torch.Tensor
    tuples: torch.Tensor


class Draw(Protocol):
    """Chooses the images of a step."""

    def rows(self, step: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return ``(N,)`` image numbers and ``(T, 3)`` places in them that form triplets."""

    @property
    def steps_per_epoch(self) -> int:
        """Steps in which everything is seen about once."""


class IdentityDraw:
    """Batches of P identities with K images each, from as many cameras as there are.

    Args:
        images: What to draw from.
        identities: P.
        per_identity: K.
        seed: Of the whole run.

    Raises:
        DatasetError: There are fewer than P identities, or one has a single image.
    """

    def __init__(
        self, images: Sequence[IdentityImage], *, identities: int, per_identity: int, seed: int
    ) -> None:
        cameras: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        for row, image in enumerate(images):
            cameras[image.identity][image.camera].append(row)
        for identity, own in cameras.items():
            if sum(map(len, own.values())) < 2:
                raise DatasetError(
                    f"identity {identity} has one image only: nothing can be compared with it"
                )
        if len(cameras) < identities:
            raise DatasetError(
                f"a batch wants {identities} identities, the images show {len(cameras)}"
            )
        self._cameras = [list(cameras[name].values()) for name in sorted(cameras)]
        self._identities = identities
        self._per_identity = per_identity
        self._seed = seed

    @property
    def steps_per_epoch(self) -> int:
        """Steps in which every identity comes once."""
        return len(self._cameras) // self._identities

    def rows(self, step: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return ``(P * K,)`` image numbers, identity by identity, and no triplets."""
        epoch, place = divmod(step, self.steps_per_epoch)
        order = np.random.default_rng([self._seed, ORDER_STREAM, epoch]).permutation(
            len(self._cameras)
        )
        rng = np.random.default_rng([self._seed, DRAW_STREAM, step])
        chosen = order[place * self._identities : (place + 1) * self._identities]
        rows = [self._of_identity(self._cameras[identity], rng) for identity in chosen]
        return np.concatenate(rows), np.zeros((0, 3), np.int64)

    def _of_identity(
        self, cameras: Sequence[Sequence[int]], rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """Return K images, going round the cameras, none twice before all were taken."""
        pools = [list(rng.permutation(cameras[k])) for k in rng.permutation(len(cameras))]
        taken: list[int] = []
        while len(taken) < self._per_identity:
            if not any(pools):
                pools = [list(rng.permutation(own)) for own in cameras]
            for pool in pools:
                if pool and len(taken) < self._per_identity:
                    taken.append(pool.pop())
        return np.array(taken, np.int64)


class TupleDraw:
    """Batches of fixed triplets, all of them in random order once an epoch.

    Args:
        triplets: ``(T, 3)`` image numbers: anchor, positive, negative.
        size: Triplets in a batch.
        seed: Of the whole run.

    Raises:
        DatasetError: There are no triplets.
    """

    def __init__(self, triplets: NDArray[np.int64], *, size: int, seed: int) -> None:
        if not len(triplets):
            raise DatasetError("no triplets are left for training")
        self._triplets = triplets
        self._size = min(size, len(triplets))
        self._seed = seed

    @property
    def steps_per_epoch(self) -> int:
        """Steps in which every triplet comes once; the last few of an odd number do not."""
        return len(self._triplets) // self._size

    def rows(self, step: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return anchors, then positives, then negatives, and where they stand."""
        epoch, place = divmod(step, self.steps_per_epoch)
        order = np.random.default_rng([self._seed, ORDER_STREAM, epoch]).permutation(
            len(self._triplets)
        )
        chosen = self._triplets[order[place * self._size : (place + 1) * self._size]]
        places = np.arange(self._size, dtype=np.int64)[:, None] + self._size * np.arange(3)
        return chosen.T.reshape(-1), places


@dataclass(frozen=True, slots=True)
class BatchSource(Dataset[Batch]):
    """The batch of every step, for a data loader with ``batch_size=None``.

    Attributes:
        pixels: ``(N, H, W, 3)`` uint8 BGR.
        labels: ``(N,)`` int64.
        draw: Chooses images.
        augmentation: Changes them.
        seed: Of the whole run.
        steps: How many steps there are, over all processes.
    """

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    draw: Draw
    augmentation: Augmentation
    seed: int
    steps: int

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int) -> Batch:
        rows, tuples = self.draw.rows(step)
        rng = np.random.default_rng([self.seed, PIXEL_STREAM, step])
        others = rng.integers(0, len(self.pixels), len(rows))
        images = [
            augmented(self.pixels[row], self.augmentation, rng, other=self.pixels[other])
            for row, other in zip(rows, others, strict=True)
        ]
        return Batch(
            torch.from_numpy(np.stack(images)),
            torch.from_numpy(self.labels[rows]),
            torch.from_numpy(tuples),
        )
