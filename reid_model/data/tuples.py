"""Fixed triplets and pairs, as the paper's CSV lists them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reid_model.data.images import MARKET_NAME, IdentityImage, read_table
from reid_model.errors import DatasetError

__all__ = ["Triplet", "read_triplets", "triplets_of"]


@dataclass(frozen=True, slots=True)
class Triplet:
    """Three pictures: two of one person, one of another."""

    anchor: IdentityImage
    positive: IdentityImage
    negative: IdentityImage


def read_triplets(source: Path, folder: Path) -> list[Triplet]:
    """Read a CSV with the columns Anchor, Negative and Positive: images named as in Market-1501.

    Args:
        source: The CSV.
        folder: What its file names are relative to.

    Raises:
        DatasetError: A row names a missing image, anchor and positive are of different
            identities or one and the same image, or the negative is of the anchor's identity.
    """
    triplets = []
    rows = read_table(source, columns=("Anchor", "Positive", "Negative"))
    for row, names in enumerate(rows, start=2):
        where = f"{source} row {row}"
        anchor, positive, negative = (_image(folder / name, where) for name in names)
        if anchor.identity != positive.identity:
            raise DatasetError(
                f"{where}: anchor {names[0]} is of identity {anchor.identity}, positive {names[1]} "
                f"of {positive.identity}; expected the same"
            )
        if anchor.path == positive.path:
            raise DatasetError(f"{where}: anchor and positive are the same image {names[0]}")
        if anchor.identity == negative.identity:
            raise DatasetError(
                f"{where}: anchor {names[0]} and negative {names[2]} are both of identity "
                f"{anchor.identity}; expected different ones"
            )
        triplets.append(Triplet(anchor, positive, negative))
    return triplets


def triplets_of(triplets: Sequence[Triplet], identities: frozenset[str]) -> list[Triplet]:
    """Return the triplets whose three pictures are all of the given identities."""
    return [
        triplet
        for triplet in triplets
        if {triplet.anchor.identity, triplet.negative.identity} <= identities
    ]


def _image(path: Path, where: str) -> IdentityImage:
    if not path.is_file():
        raise DatasetError(f"{where}: image {path} does not exist")
    parts = MARKET_NAME.match(path.name)
    if parts is None:
        raise DatasetError(f"{where}: image name {path.name} does not say identity and camera")
    return IdentityImage(path, parts["identity"], parts["camera"])
