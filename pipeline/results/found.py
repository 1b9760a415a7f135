"""The result of a search."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.datatypes import UNASSIGNED
from pipeline.results.pieces import Picture

__all__ = ["Found"]


@dataclass(frozen=True, slots=True)
class Found:
    """One sighting that looks like the query.

    Attributes:
        sighting: Its name in the results that were searched.
        similarity: Cosine to the query, -1 to 1.
        camera: Where.
        first_s: When it began: seconds since 1970 (UTC), or of a run.
        last_s: When it ended.
        global_id: Whose it is, ``UNASSIGNED`` where it is unassigned.
        name: What that identity is called, empty if it has no name.
        picture: Its best crop, ``None`` where none was kept.
    """

    sighting: str
    similarity: float
    camera: str
    first_s: float
    last_s: float
    global_id: int = UNASSIGNED
    name: str = ""
    picture: Picture | None = None

    @property
    def named(self) -> bool:
        """Whether anybody is named."""
        return self.global_id != UNASSIGNED
