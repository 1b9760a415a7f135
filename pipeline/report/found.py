"""The page of search results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.report.lanes import css_colour
from pipeline.report.pictures import data_uri
from pipeline.report.templates import fill
from pipeline.results.found import Found

__all__ = ["render_found"]


def render_found(
    found: Sequence[Found], *, where: str, asked: str, query: bytes = b"", filters: str = ""
) -> str:
    """Return one page of HTML that needs no other file and no network.

    Every text is escaped and pictures are encoded anew.

    Args:
        found: Sightings, best first.
        where: Name of what was searched.
        asked: What was looked for, in words.
        query: Encoded picture of it, if it was one.
        filters: What the search was narrowed to, in words.
    """
    cards = [_card(each) for each in found]
    return fill(
        "found.html", cards=cards, where=where, asked=asked, query=data_uri(query), filters=filters
    )


def _card(found: Found) -> dict[str, Any]:
    """Return what the template shows of a sighting."""
    picture = found.picture
    return {
        "similarity": found.similarity,
        "named": found.named,
        "identity": f"{found.global_id} {found.name}".rstrip(),
        "colours": css_colour(found.global_id) if found.named else ("", ""),
        "camera": found.camera,
        "first_s": found.first_s,
        "last_s": found.last_s,
        "file": "" if picture is None else picture.file,
        "at_s": None if picture is None else picture.at_s,
        "uri": "" if picture is None else data_uri(picture.jpeg),
    }
