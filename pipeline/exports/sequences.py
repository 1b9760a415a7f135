"""Sequences with names: stretches of frames that are numbered together.

A camera of a run is one sequence. In archives and recordings every video file is one, as each
counts its frames from 0.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.results import BoxSequence, Results

__all__ = ["named_sequences"]

UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")


def named_sequences(results: Results) -> Iterator[tuple[str, BoxSequence]]:
    """Yield the sequences with a unique name each that is safe as a file name.

    Raises:
        ResultsError: A table is missing or damaged.
    """
    taken: set[str] = set()
    for sequence in results.sequences():
        if results.kind == "run":
            # A stranger's table may hold names that lead out of a folder.
            is_safe = UNSAFE.search(sequence.camera) is None
            yield sequence.camera if is_safe else _free_name(sequence.camera, taken), sequence
        else:
            yield _free_name(sequence.file, taken), sequence


def _free_name(file: str, taken: set[str]) -> str:
    """Return a file name for a path that no other path has, whatever it is made of."""
    plain = UNSAFE.sub("_", file.rsplit(".", maxsplit=1)[0]).strip("_") or "file"
    name, number = plain, 1
    while name.lower() in taken:  # some file systems ignore case
        number += 1
        name = f"{plain}-{number}"
    taken.add(name.lower())
    return name
