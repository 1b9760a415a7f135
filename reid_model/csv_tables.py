"""The one reader of CSV files and of text in columns, whoever wrote them.

Byte order marks, UTF-16, semicolons, tabs, Excel's line ``sep=;``, comments (``#``) above the columns, Windows lines, spaces around
names, numbers in scientific form and decimal commas are read as they are meant. Names stay text: a camera ``NA`` or
``01`` is called so. What cannot be meant (a column twice, rows longer than the header) is an
error.
"""

from __future__ import annotations

import csv
import io
import re
import warnings
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reid_model.errors import DatasetError
from reid_model.files import special_kind, way_out

__all__ = ["first_line", "numbers_in", "read_csv", "read_csv_in_pieces", "read_headless"]

SEPARATORS = (",", ";", "\t")
HEAD_BYTES = 1 << 16
ENCODINGS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
END = r"(?:\r\n|\r|\n)"
ABOVE = re.compile(rf"(?:sep=([,;\t])[,;\t]*{END})?(?:(?:#[^\r\n]*)?{END})*", re.IGNORECASE)
"""What may stand above a table: the separator, as Excel states it, and comments."""
LARGEST = 1e30
"""Beyond, no number stands for anything here: infinite, or a slip of the pen."""
EXACT = float(2**53)
"""Beyond, whole numbers are no longer told apart."""


def read_csv(path: Path, *, text: Collection[str] = (), all_text: bool = False) -> pd.DataFrame:
    """Return a CSV with a line of columns.

    Args:
        path: The file.
        text: Columns that are names, whatever they look like, and in no row empty.
        all_text: All of them are text, empty where nothing stands.

    Raises:
        DatasetError: It is missing, no regular file, or no CSV; the message names the file.
    """
    return next(read_csv_in_pieces(path, text=text, all_text=all_text))


def read_csv_in_pieces(
    path: Path,
    *,
    text: Collection[str] = (),
    all_text: bool = False,
    rows_at_once: int | None = None,
    content: bytes | None = None,
) -> Iterator[pd.DataFrame]:
    """Yield a CSV with a line of columns, so many rows at a time; at least one table.

    Args:
        path: The file.
        text: Columns that are names, whatever they look like, and in no row empty.
        all_text: All of them are text, empty where nothing stands.
        rows_at_once: ``None`` = all rows in one table.
        content: What is taken to be in the file, where it was read already.

    Raises:
        DatasetError: As of ``read_csv``.
    """
    head, encoding, stated, above = _head(path, content)
    first = _first_line(head)
    if not first:
        raise DatasetError(f"{path} is empty, it lacks even the line of columns")
    separator = stated or max(SEPARATORS, key=first.count)
    columns = [name.strip() for name in next(csv.reader([first], delimiter=separator))]
    while len(columns) > 1 and not columns[-1]:  # a separator at the end of each line
        columns.pop()
    twice = [name for name, count in Counter(columns).items() if count > 1]
    if twice:
        raise DatasetError(f"{path} has the column {twice[0]!r} twice: remove or rename one")
    names = columns if all_text else [name for name in columns if name in text]
    reader = _parsed(
        path,
        content,
        encoding=encoding,
        sep=separator,
        decimal="," if separator == ";" else ".",
        header=0,
        names=columns,
        dtype=dict.fromkeys(names, str),
        chunksize=rows_at_once,
        above=above,
    )
    empty = True
    for table in reader:
        for name in names:
            table[name] = table[name].fillna("").str.strip()
            without = table.index[table[name] == ""]
            if len(without) and not all_text:
                raise DatasetError(
                    f"{path}, row {without[0] + 1}: {name} is empty, expected a name"
                )
        empty = False
        yield table
    if empty:
        yield pd.DataFrame(columns=pd.Index(columns))


def first_line(path: Path) -> str:
    """Return the first line that is not empty, an empty text where there is none.

    Raises:
        DatasetError: The file is missing, no regular file, or no text.
    """
    return _first_line(_head(path, None)[0])


def read_headless(path: Path) -> pd.DataFrame:
    """Return text in columns without a line that names them, such as that of MOT Challenge.

    Columns may be separated by commas, semicolons, tabs or spaces. An empty file has none.

    Raises:
        DatasetError: As of ``read_csv``.
    """
    head, encoding, stated, above = _head(path, None)
    first = _first_line(head)
    if not first:
        return pd.DataFrame()
    separator = stated or max(SEPARATORS, key=first.count)
    if separator not in first:
        separator = r"\s+"
    options = {"sep": separator, "header": None}
    tables = _parsed(path, None, encoding=encoding, above=above, chunksize=None, **options)
    return next(iter(tables), pd.DataFrame()).dropna(axis="columns", how="all")


def numbers_in(column: pd.Series, *, whole: bool = False) -> NDArray[np.float64]:
    """Return a column as numbers, NaN where there is none; with ``whole``, where it has a part."""
    values = pd.to_numeric(column, errors="coerce").to_numpy(np.float64, copy=True)
    wrong = ~(np.abs(values) <= LARGEST)
    if column.dtype == bool:
        wrong[:] = True
    if whole:
        with np.errstate(invalid="ignore"):
            wrong |= (values != np.rint(values)) | (np.abs(values) > EXACT)
    values[wrong] = np.nan
    return values


def _first_line(head: str) -> str:
    # Not `splitlines`, which ends lines at more signs than a CSV does.
    return re.split(r"[\r\n]", head.strip(), maxsplit=1)[0]


def _head(path: Path, content: bytes | None) -> tuple[str, str, str | None, int]:
    """Return a table's beginning, its encoding, the separator if stated, and the lines above it."""
    try:
        if content is None:
            if kind := special_kind(path):
                raise DatasetError(f"{path} is {kind}, no file: write it to a file first")
            with path.open("rb") as file:
                content = file.read(HEAD_BYTES)
    except FileNotFoundError:
        raise DatasetError(f"{path} does not exist: check the path") from None
    except OSError as error:
        raise DatasetError(f"{path} cannot be read ({error.strerror}): {way_out(error)}") from None
    encoding = next((name for mark, name in ENCODINGS if content.startswith(mark)), "utf-8")
    head = content[:HEAD_BYTES]
    if encoding != "utf-16" and b"\0" in head:
        raise DatasetError(f"{path} is no text: expected a CSV")
    text = head.decode(encoding, "replace").removeprefix("\ufeff")
    found = ABOVE.match(text)
    above, stated = (found[0], found[1]) if found else ("", None)
    return text[len(above) :], encoding, stated, len(re.findall(END, above))


def _parsed(
    path: Path,
    content: bytes | None,
    *,
    encoding: str,
    above: int,
    chunksize: int | None,
    **options: object,
) -> Iterator[pd.DataFrame]:
    try:
        with (
            warnings.catch_warnings(),
            path.open(encoding=encoding, newline="")
            if content is None
            else io.TextIOWrapper(io.BytesIO(content), encoding, newline="") as file,
        ):
            for _ in range(above):
                file.readline()
            # Rows longer than the line of columns: which value belongs where is not known.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            found = pd.read_csv(  # type: ignore[call-overload]
                file,
                keep_default_na=False,
                na_values=[""],
                skipinitialspace=True,
                index_col=False,
                low_memory=False,
                chunksize=chunksize,
                **options,
            )
            yield from [found] if chunksize is None else found
    except pd.errors.EmptyDataError:
        return
    except pd.errors.ParserWarning:
        raise DatasetError(
            f"{path} has rows with more values than columns: name each column"
        ) from None
    except UnicodeDecodeError:
        raise DatasetError(f"{path} is no UTF-8: save it as a CSV in UTF-8") from None
    except (OSError, ValueError, OverflowError) as error:
        reason = " ".join(str(error).split())
        raise DatasetError(f"{path} cannot be read as CSV: {reason}") from None
