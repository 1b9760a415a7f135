"""Checks of output paths before work starts."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from pipeline.errors import OutputError
from pipeline.foreign import check_outputs, check_replaceable, is_same
from pipeline.layout.archive import ARCHIVE_RECORD, IDENTITIES_PARQUET
from pipeline.layout.recording import AUDIT_FILE, GALLERY_FILE, RECORDING_RECORD, REGISTRY
from pipeline.layout.run import RUN_FILES
from pipeline.results import is_results

__all__ = ["check_files", "check_folder"]

OF_RESULTS = {*RUN_FILES, ARCHIVE_RECORD, IDENTITIES_PARQUET}
OF_RESULTS |= {AUDIT_FILE, GALLERY_FILE, RECORDING_RECORD, REGISTRY}


def check_files(
    outputs: Sequence[Path | None],
    inputs: Sequence[Path | None] = (),
    *,
    into: Path | None = None,
) -> None:
    """Refuse files that cannot be written, or must not be: inputs, and what we did not write.

    Args:
        outputs: Files to write; ``None`` where none was asked for.
        inputs: What the same command reads.
        into: Folder of results that it makes.

    Raises:
        OutputError: Names the file.
    """
    written = [each for each in outputs if each is not None]
    check_outputs(written, [each for each in inputs if each is not None])
    for path in written:
        check_folder(path.parent)
        is_taken = path.name in OF_RESULTS or path.suffix == ".mp4"
        is_inside = into is not None and is_same(path.parent, into)
        if is_taken and (is_inside or is_results(path.parent)):
            raise OutputError(
                f"output {path} is a file of the work in {path.parent}: choose another"
            )
        check_replaceable(path)


def check_folder(path: Path) -> None:
    """Refuse a folder that can neither be made nor be written.

    Raises:
        OutputError: It, or the nearest folder above it, is a file or cannot be written.
    """
    existing = next((each for each in (path, *path.parents) if os.path.lexists(each)), path)
    if not existing.is_dir():
        raise OutputError(f"output {path} is no folder, as {existing} is a file: choose another")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise OutputError(f"output {path} cannot be written: choose another")
