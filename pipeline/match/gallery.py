"""Persons that outlive a run: today's people are recognised tomorrow.

A gallery is one ``.npz`` file with the mean feature of each person, in half precision, and a
JSON text with what must fit when it is read again. It holds no picture and no track.
"""

from __future__ import annotations

import io
import json
import os
import zlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import InputError, OutputError
from pipeline.foreign import special_kind, way_out
from pipeline.layout.files import write_whole
from pipeline.locks import Lock
from pipeline.match.persons import Person, PersonBook
from pipeline.match.spans import GALLERY_SPAN, Spans

__all__ = [
    "GalleryFile",
    "drop_from_gallery",
    "forget_in_gallery",
    "gallery_lock",
    "load_gallery",
    "save_gallery",
]

FORMAT = 1
MAX_BYTES = 1_000_000_000
"""Size of a gallery's tables; a million persons have half of it."""
DAMAGE = (
    ArithmeticError,
    BadZipFile,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    RecursionError,
    RuntimeError,
    TypeError,
    ValueError,
    zlib.error,
)
"""What damaged archives and tables lead to; an encrypted one is a ``RuntimeError``."""


class GalleryFile:
    """The file that a run takes its known persons from and leaves all its persons in.

    It is the run's own from its reading to ``close``: two runs at once would give the same
    numbers to different people, and bring back who was forgotten meanwhile.

    Args:
        path: An earlier run's gallery, or where a new one shall be.
        dim: Length of an embedding.
        weights_sha256: Hash of the network's weights.

    Raises:
        InputError: The file is damaged, or was made with other weights.
        OutputError: The folder does not exist or cannot be written, or another command uses
            the gallery.
    """

    def __init__(self, path: Path, *, dim: int, weights_sha256: str) -> None:
        self.path = path
        self._weights_sha256 = weights_sha256
        self._dim = dim
        self._start: PersonBook | None = None
        if not path.parent.is_dir():
            raise OutputError(f"gallery {path}: the folder {path.parent} does not exist")
        if not os.access(path.parent, os.W_OK) or path.is_dir():
            raise OutputError(f"gallery {path} cannot be written: choose another place")
        if path.is_symlink() and not path.exists():
            # To begin anew in its place would give everybody a new number.
            raise OutputError(f"gallery {path} is a link that leads nowhere: is a disk missing?")
        self._lock = _lock(path)
        if path.exists():
            self._start = load_gallery(path, dim=dim, weights_sha256=weights_sha256)

    def known(self) -> PersonBook:
        """Return the persons that the file held at first; nobody where there was none."""
        return PersonBook(self._dim) if self._start is None else self._start

    def save(self, book: PersonBook) -> None:
        """Put these persons in place of the file; call it at the end, or now and then.

        Raises:
            OutputError: The file cannot be written.
        """
        save_gallery(self.path, book, weights_sha256=self._weights_sha256)

    def close(self) -> None:
        """Let other commands use the file."""
        self._lock.release()


def save_gallery(path: Path, book: PersonBook, *, weights_sha256: str) -> None:
    """Write persons, so that a later run knows them; the file appears whole or not at all.

    Args:
        path: Where to; an older gallery there is replaced.
        book: The persons, as ``OnlineMatcher.gallery`` returns them.
        weights_sha256: Hash of the network's weights.

    Raises:
        OutputError: The file cannot be written.
    """
    persons = {number: person for number, person in book.persons().items() if person.past_count}
    numbers = sorted(persons)
    means = [persons[n].past_sum / np.float32(persons[n].past_count) for n in numbers]
    about = {
        "format": FORMAT,
        "dim": book.dim,
        "weights_sha256": weights_sha256,
        "next_number": book.next_number,
    }
    arrays: dict[str, NDArray[Any]] = {
        "number": np.array(numbers, np.int64),
        "mean": np.array(means, np.float16).reshape(-1, book.dim),
        "tracks": np.array([persons[n].past_count for n in numbers], np.int64),
        "frames": np.array([persons[n].past_frames for n in numbers], np.int64),
        "about": np.array(json.dumps(about)),
    }
    _write(path, arrays)


def forget_in_gallery(path: Path, number: int) -> None:
    """Remove a person from a file of known persons; the number is not given out again.

    Raises:
        InputError: The file is missing or damaged, or nobody in it has that number.
        OutputError: The file cannot be written, or a run uses it, which would bring the person
            back.
    """
    if not drop_from_gallery(path, [number]):
        raise InputError(
            f"gallery {path} has no identity {number}: check the file, or leave it out"
        )


def drop_from_gallery(path: Path, numbers: Collection[int]) -> int:
    """Remove persons from a file of known persons; return how many were in it.

    Raises:
        InputError: The file is missing or damaged.
        OutputError: The file cannot be written, or a run uses it, which would bring the persons
            back.
    """
    if not path.is_file():
        raise InputError(f"gallery {path} does not exist: check the path")
    with _lock(path):
        with _read_safely(path) as content:
            arrays = {name: content[name] for name in content.files}
            keep = ~np.isin(arrays["number"], list(numbers))
        if not keep.all():
            _write(path, {n: each if n == "about" else each[keep] for n, each in arrays.items()})
    return int(np.sum(~keep))


def gallery_lock(path: Path) -> Path:
    """Return the file that keeps other runs from a gallery; one that was killed leaves it."""
    path = path.resolve()
    return path.with_name(f".{path.name}.lock")


def _lock(path: Path) -> Lock:
    return Lock(gallery_lock(path), what=f"gallery {path.resolve()}")


def _write(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    path = path.resolve()  # through a link, which stays
    content = io.BytesIO()
    np.savez_compressed(content, allow_pickle=False, **arrays)
    try:
        write_whole(path, content.getvalue(), private=True)
    except OSError as error:
        raise OutputError(
            f"gallery {path} cannot be written ({error.strerror}): {way_out(error)}"
        ) from None


def load_gallery(path: Path, *, dim: int, weights_sha256: str) -> PersonBook:
    """Read the persons of earlier runs.

    Args:
        path: A file that ``save_gallery`` wrote.
        dim: Length of an embedding.
        weights_sha256: Hash of the network's weights; others see other features.

    Raises:
        InputError: The file is missing, damaged, or was made with other weights.
    """
    with _read_safely(path) as content:
        about: Mapping[str, Any] = json.loads(str(content["about"]))
        numbers, means = content["number"], content["mean"].astype(np.float32)
        tracks, frames = content["tracks"], content["frames"]
        if about["format"] != FORMAT:
            raise InputError(f"gallery {path} has format {about['format']}, expected {FORMAT}")
        if about["weights_sha256"] != weights_sha256 or about["dim"] != dim:
            raise InputError(
                f"gallery {path} was made with other re-identification weights: use these "
                f"again (SHA-256 {about['weights_sha256'][:16]}...), or start a new gallery"
            )
        book = PersonBook(dim, next_number=int(about["next_number"]))
        for number, mean, count, boxes in zip(numbers, means, tracks, frames, strict=True):
            past = Spans.of([GALLERY_SPAN])
            person = Person(mean * np.float32(count), int(count), int(boxes), past)
            book.add(int(number), person)
    return book


@contextmanager
def _read_safely(path: Path) -> Iterator[Any]:
    """Open a gallery, which may be anybody's file: no code, no bomb, one error for all damage."""
    try:
        if kind := special_kind(path):
            raise InputError(f"gallery {path} is {kind}, no file: name a file")
        with ZipFile(path) as parts:
            size = sum(part.file_size for part in parts.infolist())
        if size > MAX_BYTES:
            raise InputError(f"gallery {path} holds {size} bytes, at most {MAX_BYTES} are read")
        with np.load(path, allow_pickle=False) as content:
            yield content
    except DAMAGE as error:
        raise InputError(f"gallery {path} cannot be read: {error}") from None
