"""The persons most like each recent track, searched a part of the tracks at a time.

Among ten thousand persons the search for all recent tracks takes longer than all the rest of a
review, so it is spread over the ticks between two reviews.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.match.evidence import TrackEvidence
from pipeline.match.persons import PersonBook
from pipeline.match.review import Key
from pipeline.match.view import View

__all__ = ["NearPersons"]

NEAR_PERSONS = 2
"""Persons per recent track that take part in a review although they were not seen lately."""


class NearPersons:
    """Remembers for each recent track who it was most like when it was searched last.

    Args:
        book: The persons.
        tracks: What is known of the tracks.
    """

    def __init__(self, book: PersonBook, tracks: Mapping[Key, TrackEvidence]) -> None:
        self._book = book
        self._tracks = tracks
        self._of: dict[Key, set[int]] = {}  # those that were searched longest ago come first

    def renew(self, share: float, view: View, *, least: float) -> None:
        """Search a share of the recent tracks again, new ones first.

        Args:
            share: Of all of them, 0 to 1.
            view: How tracks look.
            least: Cosine below which nobody is near.
        """
        recent = self._forget()
        due = [key for key in recent if key not in self._of] + list(self._of)
        self._search(due[: round(share * len(recent) + 0.5)], view, least)

    def union(self, view: View, *, least: float) -> set[int]:
        """Return the persons near any recent track; tracks that were never searched are, now."""
        recent = self._forget()
        self._search([key for key in recent if key not in self._of], view, least)
        return set().union(*self._of.values()) & self._book.persons().keys()

    def _forget(self) -> list[Key]:
        """Let tracks go that are not recent any more; return those that are, in order."""
        recent = self._book.recent()
        still = set(recent)
        self._of = {key: near for key, near in self._of.items() if key in still}
        return recent

    def _search(self, keys: Sequence[Key], view: View, least: float) -> None:
        if not keys:
            return
        self._book.refresh(self._tracks, view)
        features = view.features([self._tracks[key] for key in keys])
        nearest = self._book.nearest(features, NEAR_PERSONS, least=least)
        for key, near in zip(keys, nearest, strict=True):
            self._of.pop(key, None)
            self._of[key] = near
