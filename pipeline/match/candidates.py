"""Candidates of a track: similarity to identities of the gallery, and constraints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from pipeline.datatypes import FloatArray
from pipeline.match.evidence import TrackEvidence
from pipeline.match.persons import PersonBook
from pipeline.match.review import Key
from pipeline.match.spans import Spans
from pipeline.match.track_book import TrackBook
from pipeline.match.view import View

__all__ = ["compare", "likely_persons"]


def likely_persons(
    keys: Sequence[Key],
    nearest: Sequence[set[int]],
    tracks: TrackBook,
    book: PersonBook,
    view: View,
) -> dict[Key, set[int]]:
    """Return for each track the numbers of the persons most like it, and of those where it is.

    Args:
        keys: The tracks.
        nearest: For each of them, the persons most like it.
        tracks: All tracks.
        book: The persons.
        view: How tracks look, and where they are.
    """
    near = dict(zip(keys, nearest, strict=True))
    if view.rules.ground is None:
        return near
    since = _since(tracks.evidence[key] for key in keys)
    others = list(book.recent_keys)
    spans = Spans.all_of([tracks.spans(key, since=since) for key in [*keys, *others]])
    for one, other in view.rules.ground.near(spans.paths, spans.camera).tolist():
        if one < len(keys) <= other:
            near[keys[one]].add(book.number_of(others[other - len(keys)]))
    return near


def _since(tracks: Iterable[TrackEvidence]) -> int | None:
    """Return the first slot in which one of the tracks has a place."""
    return min((path.first for track in tracks if (path := track.path)), default=None)


def compare(
    tracks: Sequence[TrackEvidence],
    near: Sequence[set[int]],
    book: PersonBook,
    view: View,
    known: TrackBook,
) -> tuple[list[int], FloatArray, NDArray[np.bool_]]:
    """Compare ``N`` tracks with all persons that are near to any of them.

    Args:
        tracks: What is known of each.
        near: Numbers of the persons that each may show.
        book: The persons.
        view: What the cameras do to colours, and which of them overlap.
        known: All tracks.

    Returns:
        Numbers of ``M`` persons, ``(N, M)`` similarities and what places and gaps add to them, ``(N, M)``
        whether the track may show the person.
    """
    numbers = sorted(set[int]().union(*near))
    similarity = book.index.similarities(view.features(tracks), numbers)
    column_of = {number: column for column, number in enumerate(numbers)}
    allowed = np.zeros(similarity.shape, bool)
    for one, each in enumerate(near):
        allowed[one, [column_of[number] for number in each]] = True
    since = _since(tracks)

    def spans_of(key: Key) -> Spans:
        return known.spans(key, since=since)

    own = [spans_of((track.camera, track.track_id)) for track in tracks]
    theirs = [book.spans(number, spans_of) for number in numbers]
    spans = Spans.all_of([*own, *chain.from_iterable(theirs)])
    owner = np.repeat(np.arange(len(numbers)), [sum(map(len, each)) for each in theirs])
    row, span = np.nonzero(allowed[:, owner])
    column, span = owner[span], span + len(tracks)
    clashes = view.rules.clashing(spans, row, span)
    allowed[row[clashes], column[clashes]] = False
    worth = view.rules.similarity(spans, row, span)
    said = worth != 0
    if said.any():  # the mean over the person's tracks of which something is known
        count, total = np.zeros(similarity.shape), np.zeros(similarity.shape)
        np.add.at(count, (row[said], column[said]), 1)
        np.add.at(total, (row[said], column[said]), worth[said])
        similarity = similarity + (total / np.maximum(count, 1)).astype(np.float32)
    return numbers, similarity, allowed
