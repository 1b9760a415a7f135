"""Which persons stay known: in the gallery that a run leaves to a later one, and after an erasure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

import numpy as np

from pipeline.datatypes import UNASSIGNED
from pipeline.match.evidence import TrackEvidence
from pipeline.match.persons import Person, PersonBook
from pipeline.match.review import Key
from pipeline.match.spans import Spans
from pipeline.match.track_book import TrackBook
from pipeline.match.view import View

__all__ = ["forget_ended", "forget_persons", "keep_persons"]


def keep_persons(
    book: PersonBook,
    evidence: Mapping[Key, TrackEvidence],
    number_of: Callable[[Key], int],
    *,
    earlier: Mapping[int, Person],
    only: Collection[Key] | None,
    view: View,
) -> PersonBook:
    """Fill an empty book with earlier persons and those of some tracks, and return it.

    Args:
        book: Without persons.
        evidence: What is known of each track.
        number_of: Gives the number of a track's person.
        earlier: Persons by number; when and where they were is left out.
        only: The tracks that count; ``None`` = all.
        view: What the cameras do to colours.
    """
    for number, person in earlier.items():
        book.add(number, replace(person, past_spans=Spans.of([]), recent=set()))
    for key in sorted(evidence):
        number, track = number_of(key), evidence[key]
        if number == UNASSIGNED or not track.crops or (only is not None and key not in only):
            continue
        feature = view.features([track])[0]
        if number not in book.persons():
            book.add(number, Person(np.zeros(len(feature), np.float32)))
        book.persons()[number].add_past(feature, 1, track.frames, Spans.of([]))
    return book


def forget_persons(
    book: PersonBook, tracks: TrackBook, numbers: Collection[int], also: Collection[Key]
) -> None:
    """Forget persons with all their tracks, and other tracks; no number is given out again."""
    for key in {*book.forget(numbers), *also}:
        if book.number_of(key) != UNASSIGNED:
            book.leave(key)
        if key in tracks.evidence:
            tracks.forget(key)


def forget_ended(
    book: PersonBook, tracks: TrackBook, folded: Collection[Key], *, ended_s: float
) -> None:
    """Forget tracks whose persons remember them, and waiting ones that were last seen before."""
    for key in folded:
        tracks.forget(key)
        book.forget_track(key)
    tracks.forget_waiting(ended_s=ended_s)
