"""The interface between the page and whoever reads pictures and archives for it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from pipeline.person_picture import PersonPicture

__all__ = ["Lookup"]


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

    def identity_of(self, archive: str, identity: int) -> PersonPicture:
        """Return an identity of one of the archives.

        Raises:
            InputError: There is no such archive, or nobody there has that number.
        """
