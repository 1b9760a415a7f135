"""Unit vectors and the nearest among them: exact while they are few, approximate beyond."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.datatypes import FloatArray, IntArray
from pipeline.errors import ModelError
from reid_model.installation import install_hint

__all__ = ["EXACT_UP_TO", "ExactVectors", "IndexedVectors", "Vectors", "grown"]

BoolArray = NDArray[np.bool_]

EXACT_UP_TO = 20_000
"""Vectors that are compared one by one: as fast as an index of so few, and never wrong."""
KEPT_DIMENSIONS = 96
"""Numbers of the short vectors that all are compared by first."""
TRAINING_ROWS = 50_000
CANDIDATES = 8
"""So many times the wanted number are then compared by their whole vectors."""


class Vectors(Protocol):
    """A growing set of unit vectors, numbered in the order in which they came."""

    def __len__(self) -> int:
        """How many there are."""

    def add(self, vectors: FloatArray) -> None:
        """Append ``(N, D)`` float32 unit rows."""

    def nearest(
        self, query: FloatArray, count: int, allowed: BoolArray | None
    ) -> tuple[FloatArray, IntArray]:
        """Return similarities and numbers of the most similar vectors, best first.

        Args:
            query: ``(D,)`` unit vector.
            count: How many at most.
            allowed: ``(len,)`` which may be found; ``None`` = all.
        """

    def save(self, path: Path) -> None:
        """Write them to a file."""


class ExactVectors:
    """Every vector is compared.

    Args:
        vectors: ``(N, D)`` float32 unit rows to begin with.
    """

    def __init__(self, vectors: FloatArray) -> None:
        self._vectors = vectors

    @classmethod
    def load(cls, path: Path) -> ExactVectors:
        """Read what ``save`` wrote; raises ``OSError`` or ``ValueError`` where it is damaged."""
        return cls(np.load(path, allow_pickle=False))

    @property
    def vectors(self) -> FloatArray:
        """``(N, D)`` float32."""
        return self._vectors

    def __len__(self) -> int:
        """How many there are."""
        return len(self._vectors)

    def add(self, vectors: FloatArray) -> None:
        """Append ``(N, D)`` float32 unit rows."""
        self._vectors = np.concatenate([self._vectors, vectors])

    def nearest(
        self, query: FloatArray, count: int, allowed: BoolArray | None
    ) -> tuple[FloatArray, IntArray]:
        """Return similarities and numbers of the most similar vectors, best first."""
        rows = np.arange(len(self._vectors)) if allowed is None else np.flatnonzero(allowed)
        similarity = (self._vectors if allowed is None else self._vectors[rows]) @ query
        best = np.argsort(-similarity, kind="stable")[:count]
        return similarity[best].astype(np.float32), rows[best].astype(np.int64)

    def save(self, path: Path) -> None:
        """Write them to a file."""
        with path.open("wb") as file:
            np.save(file, self._vectors, allow_pickle=False)


class IndexedVectors:
    """All short vectors are compared, then the whole ones of the best; eight bits a number.

    The short ones are the leading principal components. Nothing is sorted into lists, so an
    index that grows is as good as one made anew, and filters cost nothing.

    Args:
        index: Of faiss.
        mapped: The file in which it lies; such an index is only read.
    """

    def __init__(self, index: Any, *, mapped: Path | None = None) -> None:
        self._index = index
        self._mapped = mapped

    @classmethod
    def train(cls, vectors: FloatArray) -> IndexedVectors:
        """Return an empty index that suits a sample of ``(N, D)`` vectors.

        Raises:
            ModelError: faiss is not installed.
        """
        faiss = _faiss()
        count, dim = vectors.shape
        short = min(KEPT_DIMENSIONS, dim, count)
        index = faiss.index_factory(dim, f"PCA{short},SQ8,Refine(SQ8)", faiss.METRIC_INNER_PRODUCT)
        index.train(np.ascontiguousarray(vectors[:: max(1, count // TRAINING_ROWS)]))
        return cls(index)

    @classmethod
    def load(cls, path: Path) -> IndexedVectors:
        """Read what ``save`` wrote; raises ``RuntimeError`` where it is damaged."""
        faiss = _faiss()
        return cls(faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC), mapped=path)

    def __len__(self) -> int:
        """How many there are."""
        return int(self._index.ntotal)

    def add(self, vectors: FloatArray) -> None:
        """Append ``(N, D)`` float32 unit rows."""
        if self._mapped is not None:
            self._index, self._mapped = _faiss().read_index(str(self._mapped)), None
        self._index.add(np.ascontiguousarray(vectors))

    def nearest(
        self, query: FloatArray, count: int, allowed: BoolArray | None
    ) -> tuple[FloatArray, IntArray]:
        """Return similarities and numbers of the most similar vectors, best first."""
        faiss = _faiss()
        narrowed = faiss.SearchParameters()
        if allowed is not None:
            narrowed = faiss.SearchParameters(
                sel=faiss.IDSelectorBitmap(np.packbits(allowed, bitorder="little"))
            )
        options = faiss.IndexRefineSearchParameters(
            k_factor=CANDIDATES,
            base_index_params=faiss.SearchParametersPreTransform(index_params=narrowed),
        )
        wanted = min(count, len(self))
        similarity, rows = self._index.search(query[None], wanted, params=options)
        there = rows[0] >= 0
        return similarity[0][there].astype(np.float32), rows[0][there].astype(np.int64)

    def save(self, path: Path) -> None:
        """Write them to a file."""
        _faiss().write_index(self._index, str(path))


def _faiss() -> Any:
    try:
        import faiss  # noqa: PLC0415 - optional, and slow to load
    except ImportError:
        raise ModelError(
            f"more than {EXACT_UP_TO} sightings are searched by faiss, which is not installed: "
            + install_hint("large")
        ) from None
    return faiss


def grown(known: Vectors | None, added: FloatArray) -> Vectors:
    """Return vectors with ``(N, D)`` more behind them, compared one by one while they are few.

    Args:
        known: Those of before; may be changed.
        added: float32 unit rows, at least one unless these are the first.
    """
    if isinstance(known, ExactVectors) and len(known) + len(added) > EXACT_UP_TO:
        return grown(None, np.concatenate([known.vectors, added]))
    if known is None:
        if len(added) <= EXACT_UP_TO:
            return ExactVectors(added)
        known = IndexedVectors.train(added)
    known.add(added)
    return known
