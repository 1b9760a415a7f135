"""Files that users give or ask for, by the readers and rules of `reid_model`.

Errors become this package's. Nothing else reads a picture that a user names, or decides whether a
single file may be replaced; `foreign_tables` does the same for CSV files. What is never replaced (the
list of `floor refine`, exports, galleries) and folders of results are checked where they are made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import InputError, OutputError, ReidPipelineError, SinkError
from reid_model import files
from reid_model.errors import ReidModelError
from reid_model.files import (
    MARK,
    is_same,
    read_regular,
    special_kind,
    unreadable,
    way_out,
    write_whole,
)
from reid_model.xml_files import XmlError, XmlTarget, parse_xml
from reid_model.yaml_files import read_yaml

if TYPE_CHECKING:
    from pipeline.datatypes import Image

__all__ = [
    "MARK",
    "check_outputs",
    "check_replaceable",
    "errors_as",
    "is_same",
    "picture_files",
    "read_picture",
    "read_regular",
    "read_xml",
    "read_yaml",
    "special_kind",
    "unreadable",
    "way_out",
    "write_figure",
    "write_whole",
]


def read_picture(path: Path) -> Image:
    """Return a picture as ``(H, W, 3)`` uint8 BGR, upright.

    Raises:
        InputError: It is missing, no picture, not whole, or far too large.
    """
    from reid_model.data.pixels import read_crop  # noqa: PLC0415 - start-up time

    with errors_as(InputError):
        return read_crop(path)


def read_xml(path: Path, target: XmlTarget, *, what: str) -> None:
    """Give the elements of a file to a target, such as ``xml.etree.ElementTree.TreeBuilder``.

    Raises:
        InputError: It is missing, no XML, not whole, or has a document type.
    """
    try:
        if kind := special_kind(path):
            raise InputError(f"{what} {path} is {kind}, no file: name a file")
        with path.open("rb") as file:
            parse_xml(file, target)
    except OSError as error:
        raise InputError(f"{what} {path} cannot be read: {error.strerror}") from None
    except (XmlError, ValueError) as error:
        raise InputError(f"{what} {path} is damaged or no XML: {error}") from None


def picture_files(folder: Path, *, below: bool = False) -> list[Path]:
    """Return the pictures in a folder, sorted, without hidden files; ``below`` = also deeper."""
    from reid_model.data.images import picture_files  # noqa: PLC0415 - start-up time

    return picture_files(folder, below=below)


def check_outputs(outputs: Iterable[Path], inputs: Iterable[Path] = ()) -> None:
    """Refuse outputs that are inputs of the same command, or each other.

    Raises:
        OutputError: Names both.
    """
    with errors_as(OutputError):
        files.check_outputs(outputs, inputs)


def check_replaceable(path: Path) -> None:
    """Refuse to write over what no command of this project wrote.

    Raises:
        OutputError: There is such a file, or something that is no file.
    """
    with errors_as(OutputError):
        files.check_replaceable(path)


def write_figure(figure: Any, path: Path) -> None:
    """Write a matplotlib figure as PNG, whole or not at all.

    Raises:
        SinkError: The file cannot be written.
    """
    from reid_model import writing  # noqa: PLC0415 - start-up time

    with errors_as(SinkError):
        writing.write_figure(figure, path, dpi=120)


@contextmanager
def errors_as(kind: type[ReidPipelineError], what: str = "") -> Iterator[None]:
    """Turn errors of `reid_model` into one of this package's, with what a file is in front."""
    try:
        yield
    except ReidModelError as error:
        raise kind(f"{what} {error}".strip()) from None
