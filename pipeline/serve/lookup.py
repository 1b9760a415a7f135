"""The interface between the page and whoever reads pictures and archives for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pipeline.datatypes import FloatArray
from pipeline.person_picture import PersonPicture

__all__ = ["FoundSighting", "Lookup", "Narrowed"]


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What a search is narrowed to.

    Attributes:
        count: How many at most.
        archives: Where; empty is everywhere, an empty name what the page shows.
        cameras: Only these; none = all.
        since_s: Only what ended no earlier, seconds since the epoch; runs have no dates.
        until_s: Only what began no later.
    """

    count: int = 50
    archives: Sequence[str] = ()
    cameras: Sequence[str] = ()
    since_s: float | None = None
    until_s: float | None = None


@dataclass(frozen=True, slots=True)
class FoundSighting:
    """One sighting that looks like who is looked for.

    Attributes:
        archive: Where; empty is what the page shows.
        sighting: Its name there.
        similarity: Cosine, -1 to 1.
        camera: Its camera.
        first_s: When it began: seconds since the epoch, or of a run.
        last_s: When it ended.
        has_dates: Whether these are dates.
        identity: Whose it is, ``None`` where that is not decided.
        name: What they are called.
    """

    archive: str
    sighting: str
    similarity: float
    camera: str
    first_s: float
    last_s: float
    has_dates: bool
    identity: int | None
    name: str


class Lookup(Protocol):
    """Reads pictures that people give, and finished work; called from any thread."""

    @property
    def archives(self) -> Sequence[str]:
        """Names of the runs, archives and recordings that may be asked for."""

    def video_at(self, camera: str, time_s: float) -> tuple[Path, float] | None:
        """Return the annotated video of a camera at a moment, and how far into it that is."""

    def person_on(self, content: bytes) -> PersonPicture:
        """Return the clearest person on a picture.

        Raises:
            InputError: It is no picture, or nobody is on it.
        """

    def vector_of(self, archive: str, identity: int) -> FloatArray:
        """Return the mean embedding of an identity; an empty archive is what the page shows.

        Raises:
            InputError: There is no such archive, or nobody there has that number.
        """

    def find(self, vector: FloatArray, narrowed: Narrowed) -> tuple[list[FoundSighting], bool]:
        """Return the sightings most like a person, best first, and whether all were searched.

        Raises:
            InputError: There is no such archive.
        """

    def found_picture(self, archive: str, sighting: str) -> bytes | None:
        """Return the picture of what was found in an archive lately."""

    def identity_of(self, archive: str, identity: int) -> PersonPicture:
        """Return an identity of one of the archives.

        Raises:
            InputError: There is no such archive, or nobody there has that number.
        """
