"""The interface between the page and whoever reads pictures and archives for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlencode

from pydantic import computed_field

from pipeline.datatypes import UNASSIGNED, FloatArray
from pipeline.person_picture import PersonPicture
from pipeline.serve.replies import Reply, hex_colour

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


class FoundSighting(Reply):
    """One sighting that looks like who is looked for."""

    archive: str
    """Where; empty is what this page shows."""
    sighting: str
    similarity: float
    """Cosine, -1 to 1."""
    camera: str
    first_s: float
    last_s: float
    has_dates: bool
    """Whether times are since the epoch; those of runs count from their start."""
    identity: int | None
    """Whose it is, null where that is not decided."""
    name: str

    @computed_field  # type: ignore[prop-decorator]
    @property
    def colour(self) -> str:
        """The colour of its boxes, ``#rrggbb``."""
        return hex_colour(self.identity or UNASSIGNED)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def picture(self) -> str:
        """Address of its picture."""
        if not self.archive and self.sighting.isdecimal():
            return f"/api/sightings/{self.sighting}/thumbnail.jpg"
        query = urlencode({"archive": self.archive, "sighting": self.sighting})
        return f"/api/search/picture.jpg?{query}"


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
