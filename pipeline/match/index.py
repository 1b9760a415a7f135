"""Mean features of all persons in one matrix, compared in one product."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.datatypes import FloatArray

__all__ = ["PersonIndex"]

FIRST_ROWS = 64


class PersonIndex:
    """A growing matrix with a row per person.

    Args:
        dim: Length of a feature.
    """

    def __init__(self, dim: int) -> None:
        self._rows: FloatArray = np.zeros((FIRST_ROWS, dim), np.float32)
        self._numbers = np.zeros(FIRST_ROWS, np.int64)
        self._position: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._position)

    def put(self, number: int, mean: FloatArray) -> None:
        """Set the ``(D,)`` mean feature of a person."""
        position = self._position.get(number)
        if position is None:
            position = len(self._position)
            if position == len(self._rows):
                self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])
                self._numbers = np.concatenate([self._numbers, np.zeros_like(self._numbers)])
            self._position[number] = position
            self._numbers[position] = number
        self._rows[position] = mean

    def remove(self, number: int) -> None:
        """Forget a person, if it is there; the last row takes the free place."""
        if number not in self._position:
            return
        position = self._position.pop(number)
        last = len(self._position)
        if position != last:
            self._rows[position] = self._rows[last]
            moved = int(self._numbers[last])
            self._numbers[position] = moved
            self._position[moved] = position

    def nearest(self, features: FloatArray, count: int, *, least: float) -> list[set[int]]:
        """Return for each ``(N, D)`` row the numbers of the most similar persons.

        Args:
            features: Unit rows.
            count: How many at most.
            least: Cosine from which on persons count, where there are more than ``count``.
        """
        held = len(self._position)
        if held <= count:
            return [set(self._position)] * len(features)
        # This way round the few rows are copied by the product, not the many.
        similarity = (self._rows[:held] @ features.T).T
        found = []
        for row in similarity:
            near = np.flatnonzero(row >= least)
            if len(near) > count:
                near = near[np.argpartition(row[near], len(near) - count)[len(near) - count :]]
            found.append(set(self._numbers[near].tolist()))
        return found

    def similarities(self, features: FloatArray, numbers: Sequence[int]) -> FloatArray:
        """Return ``(N, len(numbers))`` mean cosines with the given persons."""
        rows = self._rows[[self._position[number] for number in numbers]]
        result: FloatArray = features @ rows.T
        return result
