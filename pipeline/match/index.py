"""Mean features of all persons in one matrix, compared in one product."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.datatypes import FloatArray, IntArray

__all__ = ["PersonIndex", "best"]

FIRST_ROWS = 64
BLOCK_ROWS = 512


class PersonIndex:
    """A growing matrix with a row per person.

    Args:
        dim: Length of a feature.
    """

    def __init__(self, dim: int) -> None:
        self._rows: FloatArray = np.zeros((FIRST_ROWS, dim), np.float32)
        self._numbers = np.zeros(FIRST_ROWS, np.int64)
        self._versions = np.zeros(FIRST_ROWS, np.int64)  # at which each row was put
        self.version = 0
        """Grows whenever a person is put."""
        self._position: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._position)

    def __contains__(self, number: int) -> bool:
        return number in self._position

    def put(self, number: int, mean: FloatArray) -> None:
        """Set the ``(D,)`` mean feature of a person."""
        position = self._position.get(number)
        if position is None:
            position = len(self._position)
            if position == len(self._rows):
                self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])
                self._numbers = np.concatenate([self._numbers, np.zeros_like(self._numbers)])
                self._versions = np.concatenate([self._versions, np.zeros_like(self._versions)])
            self._position[number] = position
            self._numbers[position] = number
        self.version += 1
        self._rows[position], self._versions[position] = mean, self.version

    def remove(self, number: int) -> None:
        """Forget a person, if it is there; the last row takes the free place."""
        if number not in self._position:
            return
        position = self._position.pop(number)
        last = len(self._position)
        if position != last:
            self._rows[position], self._versions[position] = self._rows[last], self._versions[last]
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
        return [
            set(best(numbers, cosine, count))
            for numbers, cosine in self.scan(features, least=least)
        ]

    def scan(self, features: FloatArray, *, least: float) -> list[tuple[IntArray, FloatArray]]:
        """Return for each ``(N, D)`` row the numbers and cosines of all persons from a cosine on."""
        columns = np.ascontiguousarray(features.T)
        parts = []
        for start in range(0, len(self), BLOCK_ROWS):  # whose products stay in the cache
            cosine = self._rows[start : min(start + BLOCK_ROWS, len(self))] @ columns
            row, column = np.nonzero(cosine >= least)
            parts.append((row + start, column, cosine[row, column]))
        rows, column, cosine = (np.concatenate(each) for each in zip(*parts, strict=True))
        own = [column == each for each in range(len(features))]
        return [(self._numbers[rows[each]], cosine[each]) for each in own]

    def changed_since(self, version: int) -> list[int]:
        """Return the numbers of the persons that are new or look different since a version."""
        held = len(self)
        changed: list[int] = self._numbers[:held][self._versions[:held] > version].tolist()
        return changed

    def similarities(self, features: FloatArray, numbers: Sequence[int]) -> FloatArray:
        """Return ``(N, len(numbers))`` mean cosines with the given persons."""
        rows = self._rows[[self._position[number] for number in numbers]]
        result: FloatArray = features @ rows.T
        return result


def best(numbers: IntArray, cosine: FloatArray, count: int) -> list[int]:
    """Return the numbers of the greatest cosines, ``count`` at most, in any order."""
    if len(numbers) > count:
        numbers = numbers[np.argpartition(cosine, len(numbers) - count)[len(numbers) - count :]]
    found: list[int] = numbers.tolist()
    return found
