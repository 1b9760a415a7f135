"""Atomic writing of files, and reading of tables with checks for damage."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import ResultsError, SinkError
from pipeline.foreign import special_kind, unreadable, way_out, write_whole
from pipeline.whole_lines import read_whole

__all__ = [
    "as_json",
    "cannot_write",
    "partial_of",
    "read_lines",
    "read_table",
    "remove_halves",
    "write_atomically",
    "write_private",
    "write_table",
    "write_whole",
]

T = TypeVar("T")


def write_atomically(path: Path, content: bytes, *, private: bool = False) -> None:
    """Write a file whole or not at all, as ``write_whole`` does.

    Raises:
        SinkError: The file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content, private=private)
    except OSError as error:
        raise cannot_write(path, error) from None


def partial_of(path: Path) -> str | None:
    """Return the name of the file that a partial one was to become, ``None`` for others."""
    if path.suffix != ".partial":
        return None
    hidden = path.stem.removeprefix(".")
    name, _, process = hidden.rpartition(".")
    return name if process.isdecimal() else hidden


def remove_halves(folder: Path) -> None:
    """Remove what killed processes had half written; call it with the folder's lock.

    They may hold a person who was forgotten since.
    """
    for path in folder.rglob(".*.partial"):
        if path.stem.rpartition(".")[2].isdecimal():
            with suppress(OSError):
                path.unlink()


def cannot_write(path: Path, error: OSError) -> SinkError:
    """Return the error to raise when a file could not be written."""
    reason = error.strerror or type(error).__name__
    return SinkError(
        f"{path} could not be written ({reason}): {way_out(error)}; what was written before is kept"
    )


def as_json(content: object, *, indent: int | None = 2) -> bytes:
    r"""Return what is written as a JSON file or line, UTF-8.

    Bytes of a file name that are no UTF-8 are written as JSON escapes of surrogates (``\udcfc``),
    from which ``os.fsencode`` makes the name again.
    """
    text = json.dumps(content, indent=indent, ensure_ascii=False) + "\n"
    return text.encode("utf-8", "backslashreplace")


def write_private(path: Path, content: bytes) -> None:
    """Write a file that its owner alone may read, and its folder, whole or not at all.

    Raises:
        SinkError: It cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise cannot_write(path, error) from None
    write_atomically(path, content, private=True)


def write_table(path: Path, table: pa.Table) -> None:
    """Write a Parquet file that its owner alone may read, whole or not at all.

    Pages carry checksums, so that a byte that changes on the disk is noticed.

    Raises:
        SinkError: The file cannot be written.
    """
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd", write_page_checksum=True)
    write_private(path, buffer.getvalue())


def read_table(
    path: Path,
    columns: Sequence[str] | None = None,
    *,
    way_out: str,
    optional: Sequence[str] = (),
) -> pa.Table:
    """Read a Parquet file.

    Args:
        path: The file.
        columns: What to read of it; ``None`` = all.
        way_out: What to do where it is damaged, for the message.
        optional: What to read besides, as far as it is there.

    Raises:
        ResultsError: It is missing or damaged.
    """
    try:
        if kind := special_kind(path):
            raise OSError(f"it is {kind}")
        # An open file: a path would be taken for an address or have to be UTF-8.
        with path.open("rb") as content:
            file = pq.ParquetFile(content, page_checksum_verification=True)
            if columns is not None:
                present = set(file.schema_arrow.names)
                if missing := sorted(set(columns) - present):  # pyarrow says nothing of them
                    raise OSError(f"it has no column {missing[0]}")
                columns = [*columns, *(name for name in optional if name in present)]
            return file.read(columns=columns)
    except (OSError, pa.ArrowException) as error:
        raise ResultsError(unreadable(path, error, mend=way_out)) from None


def read_lines(path: Path, make: Callable[[Any], T]) -> Iterator[T]:
    """Yield what the lines of a file of JSON hold, nothing where there is no such file.

    Half a line at its end, being written or cut short by a kill, is left out.

    Args:
        path: The file.
        make: Returns what one line holds.

    Raises:
        ResultsError: It cannot be read, or a line is damaged.
    """
    try:
        whole = read_whole(path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise ResultsError(f"{path} cannot be read ({error.strerror})") from None
    for number, line in enumerate(whole.splitlines(), start=1):
        try:
            yield make(json.loads(line))
        except (ValueError, KeyError, TypeError, RecursionError):
            raise ResultsError(f"{path} is damaged in line {number}: remove that line") from None
