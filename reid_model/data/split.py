"""Splits by identity: nobody is in two parts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from reid_model.data.images import IdentityImage
from reid_model.errors import DatasetError
from reid_model.files import special_kind

__all__ = ["of_identities", "read_identities", "split_by_identity"]


def read_identities(source: Path, *, known: Iterable[str]) -> frozenset[str]:
    """Read a JSON list of identities.

    Numbers match names by value (``2`` is ``0002``).

    Raises:
        DatasetError: It is no such file, or names an identity that has no images.
    """
    try:
        if kind := special_kind(source):
            raise DatasetError(f"identities {source} are {kind}, no file: name a JSON file")
        listed = json.loads(source.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise DatasetError(f"identities {source} cannot be read: {error}") from None
    if not isinstance(listed, list) or not all(isinstance(v, int | str) for v in listed):
        raise DatasetError(f"identities {source}: expected a JSON list of names or numbers")
    names = set(known)
    by_number = {int(name): name for name in names if name.isdecimal()}
    chosen = set()
    for entry in listed:
        name = by_number.get(entry) if isinstance(entry, int) else entry
        if name not in names:
            name = by_number.get(int(entry)) if str(entry).isdecimal() else None
        if name is None:
            raise DatasetError(f"identities {source}: {entry!r} has no images")
        chosen.add(name)
    if not chosen:
        raise DatasetError(f"identities {source}: the list is empty")
    return frozenset(chosen)


def split_by_identity(
    identities: Iterable[str], *, shares: Sequence[float], seed: int
) -> tuple[frozenset[str], ...]:
    """Split identities at random into parts; the same seed always gives the same parts.

    Args:
        identities: Whom to split; their order does not matter.
        shares: Size of every part but the last, in (0, 1), together below 1; the last part is
            the rest.
        seed: Of the random order.

    Returns:
        One set more than there are shares, disjoint, none of them empty.

    Raises:
        DatasetError: A part would be empty.
    """
    order = sorted(set(identities))
    np.random.default_rng(seed).shuffle(order)
    ends = np.rint(np.cumsum(np.asarray(shares, float)) * len(order)).astype(int)
    edges = [0, *ends.tolist(), len(order)]
    parts = tuple(frozenset(order[start:end]) for start, end in pairwise(edges))
    if not all(parts):
        raise DatasetError(
            f"{len(order)} identities cannot be split into parts of {list(shares)} and the rest: "
            "a part would be empty"
        )
    return parts


def of_identities(
    images: Sequence[IdentityImage], identities: frozenset[str]
) -> list[IdentityImage]:
    """Return the images of the given identities, in order."""
    return [image for image in images if image.identity in identities]
