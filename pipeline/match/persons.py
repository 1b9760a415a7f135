"""The identities so far, and the tracks assigned to each."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pipeline.datatypes import UNASSIGNED, Event, FloatArray
from pipeline.match.evidence import TrackEvidence
from pipeline.match.index import PersonIndex
from pipeline.match.review import Key, Move, Node
from pipeline.match.spans import Spans
from pipeline.match.view import View

__all__ = ["Person", "PersonBook"]

MAX_PAST_SPANS = 64
"""Spans kept of folded tracks; older ones lie too far back to clash with anything."""

TRACKLETS_EACH = 6
"""Of a person, at most, when the threshold is chosen by the number of tracklets."""


@dataclass(slots=True)
class Person:
    """One identity.

    Recent tracks are known one by one, so that a review can move them elsewhere; older ones
    are folded into a sum.

    Attributes:
        past_sum: ``(D,)`` sum of the unit features of folded tracks.
        past_count: Number of folded tracks.
        past_frames: Number of their boxes.
        past_spans: When and where the newest of them were.
        recent: Tracks that are not folded yet.
        last_s: When the person was seen last, seconds.
        last_camera: Where; empty if not in this run.
    """

    past_sum: FloatArray
    past_count: int = 0
    past_frames: int = 0
    past_spans: Spans = field(default_factory=lambda: Spans.of([]))
    recent: set[Key] = field(default_factory=set)
    last_s: float = float("-inf")
    last_camera: str = ""

    def add_past(self, total: FloatArray, count: int, frames: int, spans: Spans) -> None:
        """Take folded tracks in; they can no longer be moved one by one."""
        self.past_sum = self.past_sum + total
        self.past_count += count
        self.past_frames += frames
        joined = self.past_spans.joined(spans.without_paths())
        newest = np.sort(np.argsort(joined.last_s, kind="stable")[-MAX_PAST_SPANS:])
        self.past_spans = joined.select(newest)


class PersonBook:
    """All persons, their tracks, and their mean features ready to be compared.

    Args:
        dim: Length of a feature.
        next_number: The number that the next new person gets.
    """

    def __init__(self, dim: int, *, next_number: int = 1) -> None:
        self.by_track: dict[Key, int] = {}
        """The identity of every track that has one."""
        self.next_number = next_number
        self._dim = dim
        self._tracklets = 0
        self._persons: dict[int, Person] = {}
        self._recent: dict[Key, None] = {}  # in the order in which they were decided
        self.index = PersonIndex(dim)
        """The mean features of all persons, as of the last refresh."""
        self._changed: set[int] = set()

    def __len__(self) -> int:
        return len(self._persons)

    @property
    def dim(self) -> int:
        """Length of a feature."""
        return self._dim

    def compared(self) -> int:
        """Return how many tracklets the persons stand for, a few of each: some stay all day."""
        return min(self._tracklets, TRACKLETS_EACH * len(self))

    def persons(self) -> Mapping[int, Person]:
        """Return the persons by number."""
        return self._persons

    def number_of(self, key: Key) -> int:
        """Return the identity of a track, ``UNASSIGNED`` where it has none."""
        return self.by_track.get(key, UNASSIGNED)

    def last_camera(self, number: int) -> str:
        """Return where a person was last, empty if never in this run."""
        return self._persons[number].last_camera

    @property
    def recent_keys(self) -> Collection[Key]:
        """The tracks that a review may move."""
        return self._recent.keys()

    def recent(self) -> list[Key]:
        """Return the tracks that a review may move, in order."""
        return sorted(self._recent)

    # Membership

    def open(self) -> int:
        """Return the number of a new person."""
        number = self.next_number
        self.next_number += 1
        self._persons[number] = Person(np.zeros(self._dim, np.float32))
        return number

    def add(self, number: int, person: Person) -> None:
        """Take in a person, with a number given before."""
        self._persons[number] = person
        self._tracklets += person.past_count + len(person.recent)
        self.next_number = max(self.next_number, number + 1)
        self._changed.add(number)

    def join(self, key: Key, number: int, last_s: float) -> None:
        """Give a track to a person."""
        person = self._persons[number]
        person.recent.add(key)
        self._tracklets += 1
        if last_s >= person.last_s:
            person.last_s, person.last_camera = last_s, key[0]
        self.by_track[key] = number
        self._recent[key] = None
        self._changed.add(number)

    def leave(self, key: Key) -> None:
        """Take a track from its person."""
        number = self.by_track.pop(key)
        self._persons[number].recent.discard(key)
        self._recent.pop(key, None)
        self._tracklets -= 1
        self._changed.add(number)

    def touch(self, keys: Collection[Key]) -> None:
        """Note that tracks look different than before."""
        self._changed.update(self.by_track[key] for key in keys if key in self.by_track)

    # Features

    def refresh(self, tracks: Mapping[Key, TrackEvidence], view: View) -> None:
        """Bring the mean features of changed persons up to date."""
        changed, self._changed = sorted(self._changed), set()
        # In sorted order, as sums of floats depend on it in the last bits.
        recent = {n: sorted(self._persons[n].recent) for n in changed if n in self._persons}
        keys = [key for number in recent for key in recent[number]]
        features = iter(view.features([tracks[key] for key in keys]) if keys else ())
        for number in changed:
            person = self._persons.get(number)
            if person is None or not (person.past_count or person.recent):
                self.index.remove(number)
                continue
            total = person.past_sum.copy()
            for _ in recent[number]:
                total += next(features)
            self.index.put(number, total / np.float32(person.past_count + len(recent[number])))

    def nearest(self, features: FloatArray, count: int, *, least: float) -> list[set[int]]:
        """Return for each row the numbers of the ``count`` most similar persons, from a cosine on."""
        return self.index.nearest(features, count, least=least)

    def spans(self, number: int, spans_of: Callable[[Key], Spans]) -> list[Spans]:
        """Return when and where a person was in this run: the past, then each recent track."""
        person = self._persons[number]
        spans = [person.past_spans, *map(spans_of, person.recent)]
        return spans[1:] if person.past_spans.is_gallery else spans

    # Reviews

    def past_nodes(self, numbers: Sequence[int]) -> list[Node]:
        """Return a node for the past of each of these persons that has one."""
        return [
            Node(
                number,
                None,
                person.past_sum / np.float32(person.past_count),
                float(person.past_count),
                person.past_frames,
                person.past_spans,
            )
            for number in numbers
            if (person := self._persons[number]).past_count
        ]

    def apply(self, moves: Sequence[Move], time_s: float) -> list[Event]:
        """Carry out a review's moves and return the events that tell of them."""
        for move in moves:
            if move.key is None:
                self._move_past(move.old, move.new)
            else:
                self.leave(move.key)
                old = self._persons[move.old]
                self.join(move.key, move.new, old.last_s)
        events = []
        gone = {m.old for m in moves if not self._is_somebody(m.old)}
        for dead in sorted(gone):
            heirs = sorted({m.new for m in moves if m.old == dead})
            if len(heirs) == 1:
                events.append(Event(time_s, "merge", heirs[0], other_id=dead))
            del self._persons[dead]
            self._changed.add(dead)
        merged = {event.other_id for event in events}
        events.extend(
            Event(time_s, "split", move.new, *move.key, other_id=move.old)
            for move in moves
            if move.key is not None and move.old not in merged
        )
        return events

    def _is_somebody(self, number: int) -> bool:
        person = self._persons[number]
        return bool(person.past_count or person.recent)

    def _move_past(self, old: int, new: int) -> None:
        giver, taker = self._persons[old], self._persons[new]
        taker.add_past(giver.past_sum, giver.past_count, giver.past_frames, giver.past_spans)
        if giver.last_s > taker.last_s:
            taker.last_s, taker.last_camera = giver.last_s, giver.last_camera
        giver.past_sum = np.zeros_like(giver.past_sum)
        giver.past_count = giver.past_frames = 0
        giver.past_spans = Spans.of([])
        for key, number in self.by_track.items():
            if number == old and key not in self._recent:
                self.by_track[key] = new
        self._changed |= {old, new}

    # Memory

    def forget(self, numbers: Collection[int]) -> list[Key]:
        """Forget persons and whose their tracks are; return those tracks."""
        keys = [key for key, number in self.by_track.items() if number in numbers]
        for key in keys:
            del self.by_track[key]
            self._recent.pop(key, None)
        for number in numbers:
            self._persons.pop(number, None)
        self._changed |= set(numbers)
        return keys

    def fold(
        self,
        tracks: Mapping[Key, TrackEvidence],
        view: View,
        spans_of: Callable[[Key], Spans],
        *,
        keep: int,
        ended_s: float,
    ) -> list[Key]:
        """Fold the oldest tracks into their persons' past and return them.

        Args:
            tracks: What is known of the tracks.
            view: How they look.
            spans_of: When and where a track was.
            keep: Tracks that stay recent.
            ended_s: Tracks seen since then stay recent as well.
        """
        surplus = max(0, len(self._recent) - keep)
        folded = [key for key in list(self._recent)[:surplus] if tracks[key].last_s < ended_s]
        for key in folded:
            number = self.by_track[key]
            person = self._persons[number]
            feature = view.features([tracks[key]])[0]
            person.add_past(feature, 1, tracks[key].frames, spans_of(key))
            person.recent.discard(key)
            del self._recent[key]
            self._changed.add(number)
        return folded

    def forget_track(self, key: Key) -> None:
        """Forget whose a folded track was."""
        self.by_track.pop(key, None)

    def drop(self, *, most: int, unseen_since_s: float) -> None:
        """Drop persons without recent tracks: those unseen for long, and the least recent."""
        idle = [(p.last_s, n) for n, p in self._persons.items() if not p.recent]
        gone = {number for last_s, number in idle if last_s < unseen_since_s}
        surplus = max(0, len(self._persons) - most)
        gone.update(number for _, number in heapq.nsmallest(surplus, idle))
        for number in gone:
            self._tracklets -= self._persons.pop(number).past_count
        self._changed |= gone
