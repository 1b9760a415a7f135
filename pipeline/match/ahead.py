"""The search for tracks that the next tick decides, done in the steps before it.

Among ten thousand persons the search takes longer than all the rest of a decision. It changes nothing:
what was found ahead is brought up to date when it is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.datatypes import FloatArray, IntArray
from pipeline.match.index import best
from pipeline.match.persons import PersonBook
from pipeline.match.review import Key
from pipeline.match.track_book import TrackBook
from pipeline.match.view import View

__all__ = ["SearchAhead"]

CANDIDATES = 32
"""Persons that a track is compared with in detail, besides those who stand where it does."""
MIN_PERSONS = 2048
"""Among fewer the search takes no time worth spreading."""
TRACKS_A_STEP = 8
"""A search for so many takes about as long as one for a single track: it reads all persons."""
SLACK = 0.01
"""Of the least cosine, which falls where tracklets are forgotten."""


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """What the search for one track found, and what must still be so for it to hold."""

    crops: int
    view: View
    least: float
    version: int
    numbers: IntArray
    cosine: FloatArray


class SearchAhead:
    """Remembers who is like the tracks that wait for the next tick.

    Args:
        book: The persons.
        tracks: The tracks.
    """

    def __init__(self, book: PersonBook, tracks: TrackBook) -> None:
        self._index = book.index
        self._tracks = tracks
        self._of: dict[Key, _Found] = {}

    def renew(self, view: View, *, least: float) -> None:
        """Search for a few of the tracks that are ready to be decided.

        Args:
            view: How tracks look.
            least: Cosine below which nobody matters.
        """
        if len(self._index) < MIN_PERSONS:
            return
        ready = (key for key in self._tracks.ready(at_end=False) if key[0] in view.cameras)
        due = [key for key in ready if not self._holds(key, view, least)][:TRACKS_A_STEP]
        if not due:
            return
        tracks = [self._tracks.evidence[key] for key in due]
        found = self._index.scan(view.features(tracks), least=least - SLACK)
        version = self._index.version
        for key, track, (numbers, cosine) in zip(due, tracks, found, strict=True):
            self._of[key] = _Found(track.crops, view, least - SLACK, version, numbers, cosine)

    def nearest(self, keys: Sequence[Key], view: View, *, least: float) -> list[set[int]]:
        """Return for each track the numbers of the persons most like it.

        Args:
            keys: The tracks.
            view: How tracks look.
            least: Cosine from which on persons count, where there are more than ``CANDIDATES``.
        """
        features = view.features([self._tracks.evidence[key] for key in keys])
        known = [row for row, key in enumerate(keys) if self._holds(key, view, least)]
        rest = [row for row in range(len(keys)) if row not in set(known)]
        near: dict[int, set[int]] = {}
        if rest:
            found = self._index.nearest(features[rest], CANDIDATES, least=least)
            near.update(zip(rest, found, strict=True))
        if known:
            changed = self._index.changed_since(min(self._of[keys[row]].version for row in known))
            cosine = self._index.similarities(features[known], changed)
            for row, own in zip(known, cosine, strict=True):
                near[row] = self._renewed(self._of[keys[row]], changed, own, least)
        self._of.clear()
        return [near[row] for row in range(len(keys))]

    def _renewed(
        self, found: _Found, changed: list[int], cosine: FloatArray, least: float
    ) -> set[int]:
        """Return who is near by now: those that were, but for who changed since, and these anew."""
        gone = set(changed)
        still = [n not in gone and n in self._index for n in found.numbers.tolist()]
        numbers = np.concatenate([found.numbers[still], np.array(changed, np.int64)])
        cosine = np.concatenate([found.cosine[still], cosine])
        near = cosine >= least
        return set(best(numbers[near], cosine[near], CANDIDATES))

    def _holds(self, key: Key, view: View, least: float) -> bool:
        found = self._of.get(key)
        return (
            found is not None
            and found.view is view
            and found.crops == self._tracks.evidence[key].crops
            and found.least <= least
        )
