"""CSV files that users give or may have changed, by the reader of `reid_model`.

Errors become this package's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

import pandas as pd

from pipeline.errors import InputError
from pipeline.foreign import errors_as
from reid_model import csv_tables
from reid_model.csv_tables import numbers_in

__all__ = ["first_line", "numbers_in", "read_csv", "read_csv_in_pieces", "read_headless"]


def read_csv(
    path: Path,
    *,
    what: str,
    text: Collection[str] = ("camera",),
    all_text: bool = False,
    raises: type[InputError] = InputError,
) -> pd.DataFrame:
    """Return a CSV with a line of columns.

    Args:
        path: The file.
        what: What it is to the user, for the message.
        text: Columns that are names, whatever they look like.
        all_text: All of them are.
        raises: Error for a file that is missing or no CSV.
    """
    with errors_as(raises, what):
        return csv_tables.read_csv(path, text=text, all_text=all_text)


def read_csv_in_pieces(
    path: Path,
    *,
    what: str,
    raises: type[InputError],
    all_text: bool = False,
    rows_at_once: int | None = None,
    content: bytes | None = None,
) -> Iterator[pd.DataFrame]:
    """Yield a CSV of cameras, so many rows at a time; see ``reid_model.csv_tables``."""
    with errors_as(raises, what):
        yield from csv_tables.read_csv_in_pieces(
            path,
            text=("camera", "run"),
            all_text=all_text,
            rows_at_once=rows_at_once,
            content=content,
        )


def first_line(path: Path, *, what: str, raises: type[InputError]) -> str:
    """Return the first line of a text that is not empty."""
    with errors_as(raises, what):
        return csv_tables.first_line(path)


def read_headless(path: Path, *, what: str, raises: type[InputError] = InputError) -> pd.DataFrame:
    """Return text in columns without a line that names them, as of MOT Challenge."""
    with errors_as(raises, what):
        return csv_tables.read_headless(path)
