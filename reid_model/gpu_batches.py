"""As many images in one forward pass as the memory of a GPU has room for."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import torch

__all__ = ["GpuBatches"]

log = logging.getLogger(__name__)

Item = TypeVar("Item")
Result = TypeVar("Result")


class GpuBatches:
    """Batches of one size; half of it, from then on, where memory runs out.

    Args:
        size: Items in a batch.
        what: The items, for the log.
        name: Who takes them, for the log.
    """

    def __init__(self, size: int, *, what: str, name: str) -> None:
        self.size = size
        self._full_size = size
        self._what = what
        self._name = name

    def results(
        self, function: Callable[[Sequence[Item]], Iterable[Result]], items: Sequence[Item]
    ) -> list[Result]:
        """Return what the function makes of each item, called with a batch at a time.

        Raises:
            torch.cuda.OutOfMemoryError: There is no memory for one item.
        """
        found: list[Result] = []
        while len(found) < len(items):
            batch = items[len(found) : len(found) + self.size]
            try:
                found.extend(function(batch))  # arrays add themselves otherwise
            except torch.cuda.OutOfMemoryError:
                if len(batch) == 1:
                    raise
                if self.size == self._full_size:
                    log.warning(
                        "%s: short of memory, taking fewer %s at once", self._name, self._what
                    )
                self.size = (len(batch) + 1) // 2
        return found
