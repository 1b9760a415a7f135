"""Candidates of a track: similarity to identities of the gallery, and constraints."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.datatypes import FloatArray
from pipeline.match.constraints import Spans
from pipeline.match.evidence import TrackEvidence
from pipeline.match.persons import PersonBook
from pipeline.match.review import Key
from pipeline.match.view import View

__all__ = ["compare"]


def compare(
    tracks: Sequence[TrackEvidence],
    near: Sequence[set[int]],
    book: PersonBook,
    view: View,
    spans_of: Callable[[Key], Spans],
) -> tuple[list[int], FloatArray, NDArray[np.bool_]]:
    """Compare ``N`` tracks with all persons that are near to any of them.

    Args:
        tracks: What is known of each.
        near: Numbers of the persons that each may show.
        book: The persons.
        view: What the cameras do to colours, and which of them overlap.
        spans_of: Gives when and where a track was.

    Returns:
        Numbers of ``M`` persons, ``(N, M)`` similarities, ``(N, M)`` whether the track may show
        the person.
    """
    numbers = sorted(set[int]().union(*near))
    similarity = book.similarities(view.features(tracks), numbers)
    allowed = np.zeros(similarity.shape, bool)
    spans = [book.spans(number, spans_of) for number in numbers]
    for row, track in enumerate(tracks):
        own = spans_of((track.camera, track.track_id))
        for column, number in enumerate(numbers):
            clashes = view.rules.clash(own, spans[column]) if number in near[row] else True
            allowed[row, column] = not clashes
    return numbers, similarity, allowed
