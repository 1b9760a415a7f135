"""What the writers of all formats share: private files, long lists in JSON, rounding."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

import pandas as pd

from pipeline.results import BoxSequence

__all__ = [
    "SCORE_DECIMALS",
    "Named",
    "Read",
    "private_file",
    "rounded_boxes",
    "size_at",
    "write_list",
]

PIXEL_DECIMALS = 3
SCORE_DECIMALS = 5

Named = Iterable[tuple[str, BoxSequence]]
Read = Callable[[], Named]
"""Gives the sequences with their names, each time it is called."""


def private_file(path: Path) -> TextIO:
    """Open a new text file that only the owner may read: it says who was where.

    Names of files that are no UTF-8 come out as in ``as_json``.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    return os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace", newline="")


def write_list(file: TextIO, name: str, items: Iterator[Mapping[str, Any]]) -> int:
    """Write one entry of a JSON object, an item to a line; return how many there were."""
    count = 0
    file.write(f'"{name}": [')
    for item in items:
        file.write(",\n" if count else "\n")
        json.dump(item, file, ensure_ascii=False)
        count += 1
    file.write("]")
    return count


def rounded_boxes(table: pd.DataFrame) -> pd.DataFrame:
    """Return the columns x, y, w, h in pixels, rounded."""
    return table[["x", "y", "w", "h"]].astype(float).round(PIXEL_DECIMALS)


def size_at(frame: int, sequence: BoxSequence) -> tuple[int, int] | None:
    """Return width and height of a frame, ``None`` where they are unknown."""
    before = [size for first, size in sequence.sizes if first <= frame]
    return before[-1] if before else None
