"""Files that are there whole or not at all, and one line where they cannot be written."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reid_model.errors import OutputError
from reid_model.files import MARK, way_out, write_whole

__all__ = ["make_folder", "write_atomically", "write_figure", "writing"]


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file; one that was there stays as it was if that fails, or is killed.

    Raises:
        OutputError: It cannot be written.
    """
    with writing(path, size_bytes=len(content)):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)


def write_figure(figure: Any, path: Path, *, dpi: int) -> None:
    """Write a matplotlib figure as a PNG.

    Raises:
        OutputError: It cannot be written.
    """
    png = io.BytesIO()
    figure.savefig(png, dpi=dpi, format="png", metadata={"Software": MARK})
    write_atomically(path, png.getvalue())


def make_folder(path: Path) -> Path:
    """Make a folder where there is none, and return it.

    Raises:
        OutputError: It cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"folder {path} cannot be made ({error.strerror}): choose another"
        ) from None
    return path


@contextmanager
def writing(path: Path, *, size_bytes: int | None = None) -> Iterator[None]:
    """Turn an ``OSError`` into a line that says which file, how much room it needs and there is.

    Args:
        path: What is being written.
        size_bytes: How long it is, where that is known.

    Raises:
        OutputError: Instead of an ``OSError``.
    """
    try:
        yield
    except OSError as error:
        room = _room(path, size_bytes)
        raise OutputError(
            f"{path} could not be written ({error.strerror or type(error).__name__}{room}): "
            f"{way_out(error)}; what was written before is kept"
        ) from None


def _room(path: Path, size_bytes: int | None) -> str:
    needs = "" if size_bytes is None else f"; it needs {size_bytes / 1e6:.1f} MB"
    existing = next(each for each in (path.parent, *path.absolute().parents) if each.exists())
    return f"{needs}; {shutil.disk_usage(existing).free / 1e6:.1f} MB are free"
