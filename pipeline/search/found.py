"""What a search found."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pipeline.datatypes import UNDECIDED

__all__ = ["Sighting"]


@dataclass(frozen=True, slots=True)
class Sighting:
    """One track that looks like the query.

    Attributes:
        name: What it is called where it was found.
        similarity: Cosine to the query.
        camera: Where.
        first_s: When it began: seconds since 1970 (UTC), or from the start of a run.
        last_s: When it ended.
        identity: Whose it is, ``UNDECIDED`` where nobody is named.
        file: Video file of the best crop, empty where it is not recorded.
        at_s: Time of the best crop from the start of that file, or on the run's time line.
        thumbnail: JPEG of the best crop, empty where there is none.
    """

    name: str
    similarity: float
    camera: str
    first_s: float
    last_s: float
    identity: int = UNDECIDED
    file: str = ""
    at_s: float | None = None
    thumbnail: bytes = b""

    def with_identity(self, identity: int) -> Sighting:
        """Return it with its identity."""
        return replace(self, identity=identity)

    def with_place(self, file: str, at_s: float, thumbnail: bytes) -> Sighting:
        """Return it with its best crop."""
        return replace(self, file=file, at_s=at_s, thumbnail=thumbnail)
