"""A page of sightings that look like somebody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.datatypes import UNDECIDED
from pipeline.report.lanes import css_colour
from pipeline.report.pictures import data_uri
from pipeline.report.templates import fill

__all__ = ["FoundCard", "render_found"]


@dataclass(frozen=True, slots=True)
class FoundCard:
    """One sighting.

    Attributes:
        similarity: Cosine to the query, -1 to 1.
        identity: Whose it is, ``UNDECIDED`` where nobody is named.
        camera: Where.
        first_s: When it began, since 1970 or since the start of a run.
        last_s: When it ended.
        file: Video of the best crop, empty where unknown.
        at_s: Time of the best crop in it.
        picture: Encoded best crop, empty where there is none.
    """

    similarity: float
    identity: int
    camera: str
    first_s: float
    last_s: float
    file: str
    at_s: float | None
    picture: bytes

    @property
    def named(self) -> bool:
        """Whether anybody is named."""
        return self.identity != UNDECIDED

    @property
    def colours(self) -> tuple[str, str]:
        """Background, as in the videos, and ink of the identity's number."""
        return css_colour(self.identity)

    @property
    def uri(self) -> str:
        """The picture inside the page."""
        return data_uri(self.picture)


def render_found(
    cards: Sequence[FoundCard], *, where: str, asked: str, query: bytes = b"", filters: str = ""
) -> str:
    """Return one page of HTML that needs no other file and no network.

    Every text is escaped and pictures are encoded anew.

    Args:
        cards: Sightings, best first.
        where: Name of what was searched.
        asked: What was looked for, in words.
        query: Encoded picture of it, if it was one.
        filters: What the search was narrowed to, in words.
    """
    return fill(
        "found.html", cards=cards, where=where, asked=asked, query=data_uri(query), filters=filters
    )
