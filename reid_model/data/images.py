"""Lists of images that know who is on them, and the checks they have to pass."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reid_model.csv_tables import read_csv
from reid_model.errors import DatasetError

__all__ = [
    "MARKET_NAME",
    "SUFFIXES",
    "IdentityImage",
    "crop_files",
    "picture_files",
    "read_identity_csv",
    "read_images",
    "read_market_folder",
    "read_table",
]

MARKET_NAME = re.compile(r"(?P<identity>-?\d+)_c(?P<camera>\d+)")
"""``0002_c1s1_000451_03.jpg``: identity 0002, camera 1; the rest is sequence, frame and box."""
SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
JUNK = frozenset({"-1", "0000"})
"""Market-1501's names for boxes that count for nothing, and for distractors."""


@dataclass(frozen=True, slots=True)
class IdentityImage:
    """One picture of one person.

    Attributes:
        path: The file.
        identity: Whose picture it is; a name, so ``0002`` is not ``2``.
        camera: Which camera took it.
    """

    path: Path
    identity: str
    camera: str


def read_images(source: Path, *, folder: Path | None = None) -> list[IdentityImage]:
    """Read a folder in Market-1501 naming, or a CSV of image, identity and camera.

    Args:
        source: The folder, one that has them in a folder ``images``, or the CSV.
        folder: What the paths in a CSV are relative to; ``None`` = the CSV's own folder.

    Raises:
        DatasetError: It does not exist or cannot be used.
    """
    if source.is_dir():
        inner = source / "images"
        return read_market_folder(inner if inner.is_dir() else source)
    if source.suffix.lower() == ".csv":
        return read_identity_csv(source, folder=folder)
    raise DatasetError(
        f"images {source}: expected a folder in Market-1501 naming or a .csv of "
        "image,identity,camera"
    )


def picture_files(folder: Path, *, below: bool = False) -> list[Path]:
    """Return the pictures in a folder by their suffix, sorted; hidden files are left out.

    Macs leave a hidden ``._NAME.jpg``, which is no picture, beside each file that they copy.

    Args:
        folder: An existing folder.
        below: Also those of the folders in it.
    """
    found = folder.rglob("*") if below else folder.iterdir()
    return sorted(
        path for path in found if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
    )


def crop_files(folder: Path) -> list[Path]:
    """Return the pictures in a folder of crops and those below it.

    Raises:
        DatasetError: There are none.
    """
    found = picture_files(folder, below=True) if folder.is_dir() else []
    if not found:
        raise DatasetError(f"crop folder {folder} holds no pictures: check the path")
    return found


def read_market_folder(folder: Path) -> list[IdentityImage]:
    """Return the images of a folder in Market-1501 naming, sorted by file name.

    Junk boxes and distractors (identity -1 and 0000) are left out.

    Raises:
        DatasetError: There is no such folder, a name does not fit, or nothing is left.
    """
    if not folder.is_dir():
        raise DatasetError(f"image folder {folder} does not exist: check the path")
    images = []
    for path in picture_files(folder):
        parts = MARKET_NAME.match(path.name)
        if parts is None:
            raise DatasetError(
                f"image {path}: the name does not say identity and camera, expected one like "
                "0002_c1s1_000451_03.jpg; use a CSV of image,identity,camera for other names"
            )
        if parts["identity"] not in JUNK:
            images.append(IdentityImage(path, parts["identity"], parts["camera"]))
    if not images:
        raise DatasetError(f"image folder {folder} holds no images ({', '.join(sorted(SUFFIXES))})")
    return images


def read_identity_csv(source: Path, *, folder: Path | None = None) -> list[IdentityImage]:
    """Return the images that a CSV with the columns image, identity and camera names.

    Raises:
        DatasetError: The CSV cannot be read, a row names no image, an image is named twice, or
            an identity has one image only.
    """
    table = read_table(source, columns=("image", "identity", "camera"))
    base = source.parent if folder is None else folder
    images: list[IdentityImage] = []
    row_of: dict[Path, int] = {}
    for row, (name, identity, camera) in enumerate(table, start=2):
        path = base / name
        if not path.is_file():
            raise DatasetError(f"{source} row {row}: image {path} does not exist")
        if path in row_of:
            raise DatasetError(f"{source} row {row}: image {name} stands in row {row_of[path]} too")
        row_of[path] = row
        images.append(IdentityImage(path, identity, camera))
    counts = Counter(image.identity for image in images)
    for image in images:
        if counts[image.identity] == 1:
            raise DatasetError(
                f"{source} row {row_of[image.path]}: identity {image.identity} has one image only, "
                "nothing can be compared with it: add another or drop the row"
            )
    return images


def read_table(source: Path, *, columns: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the rows of a CSV, the wanted columns only, as text.

    Row 1 of the file is its header; the first returned row is row 2.

    Raises:
        DatasetError: The file is missing, is no CSV, lacks a column, has an empty field, or no
            rows.
    """
    table = read_csv(source, all_text=True)
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise DatasetError(
            f"CSV {source} has the columns {', '.join(map(str, table.columns))}; "
            f"expected {', '.join(columns)} (missing: {', '.join(missing)})"
        )
    rows = [tuple(values) for values in table[list(columns)].itertuples(index=False, name=None)]
    if not rows:
        raise DatasetError(f"CSV {source} has no rows")
    for number, values in enumerate(rows, start=2):
        for column, value in zip(columns, values, strict=True):
            if not value.strip():
                raise DatasetError(f"{source} row {number}: column {column} is empty")
    return rows
