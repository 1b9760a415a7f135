"""Identities while the video runs: decide when the evidence is clear, not before.

At each tick of event time, tracks with enough evidence are compared with the persons known, those
of one camera jointly, so that nobody is in one camera twice. A track gets the best person who is
similar enough and clearly ahead of the runner-up; else it waits, and in the end it is somebody new.
Every few seconds a review merges persons who proved to be one and moves tracks.
Neither the clock, nor the order of cameras in a tick, nor the machine's speed changes a result.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np

from pipeline.datatypes import (
    UNASSIGNED,
    CropEvidence,
    Event,
    Identities,
    IntArray,
    Tracklet,
    Tracks,
)
from pipeline.match.ahead import SearchAhead
from pipeline.match.assignment import assign
from pipeline.match.candidates import compare, likely_persons
from pipeline.match.keeping import forget_ended, forget_persons, keep_persons
from pipeline.match.near import NearPersons
from pipeline.match.offline import identities_of, resolve
from pipeline.match.persons import PersonBook
from pipeline.match.review import Key, regroup
from pipeline.match.track_book import TrackBook
from pipeline.match.view import View
from pipeline.settings import MatchSettings

__all__ = ["OnlineMatcher"]

MAX_ROUNDS = 4
"""Joint assignments per camera and tick; the later ones serve tracks that lost to another."""
NEAR_SHARE = 0.1
"""Of the recent tracks, searched again in a tick with nothing else to do."""
SET_BACK_S = 10.0
"""Time that goes back further is another one: the clock of the machine was set."""
MAX_RECENT = 256
"""Tracks that a review may move; older ones stay with their person for good."""


class OnlineMatcher:
    """Gives tracks of all cameras one global identity.

    Args:
        settings: When to decide and how sure to be.
        threshold: Cosine from which on a track is a person's, by how many tracklets there are.
        dim: Length of an embedding.
        known: Persons of an earlier run; they keep their numbers.
    """

    def __init__(
        self,
        settings: MatchSettings,
        *,
        threshold: Callable[[int], float],
        dim: int,
        known: PersonBook | None = None,
    ) -> None:
        self._settings = settings
        self._threshold_among = threshold
        self._dim = dim
        self._tracks = TrackBook(settings, dim)
        self._book = PersonBook(dim) if known is None else known
        self._known = {n: replace(p) for n, p in self._book.persons().items() if settings.resolve}
        self._view = View.blank(settings, dim)
        self._near = NearPersons(self._book, self._tracks.evidence)
        self._ahead = SearchAhead(self._book, self._tracks)
        self._events: list[Event] = []
        self._tick = self._review = -math.inf
        self._began_s: float | None = None
        self._forget_due = False

    @property
    def warnings(self) -> list[str]:
        """Why places of some cameras are not used, one line each."""
        return list(self._view.warnings.values())

    @property
    def persons(self) -> PersonBook:
        """The persons known by now."""
        return self._book

    def update(
        self, camera: str, time_s: float, tracks: Tracks, evidence: CropEvidence
    ) -> IntArray:
        """Take in one frame and return ``(N,)`` int64 identities, ``UNASSIGNED`` where open."""
        self._advance(time_s)
        keys = self._tracks.see(camera, time_s, tracks, evidence)
        self._book.touch([keys[row] for row in evidence.rows.tolist()])
        self._separate(keys, time_s)
        return np.array([self._book.number_of(key) for key in keys], np.int64)

    def drain_events(self) -> list[Event]:
        """Return the events since the last call, oldest first."""
        events, self._events = self._events, []
        return events

    def tracklets(self) -> list[Tracklet]:
        """Return the tracklets by (first time, camera, track); without resolving, the recent ones."""
        return self._tracks.tracklets()

    def finish(self) -> Identities:
        """Decide what is still open and return the identity of every tracklet."""
        self._decide(at_end=True)
        self._see_anew()
        self._regroup()
        tracklets = self.tracklets()
        if not self._settings.resolve:
            return identities_of(tracklets, self._book.by_track)
        return resolve(
            tracklets,
            self._settings,
            threshold=self._threshold,
            earlier=self._book.by_track,
            first_free=self._book.next_number,
            known=self._known,
        )

    def gallery(self, identities: Identities | None = None) -> PersonBook:
        """Return all persons for a later run; ``None`` while this one goes on, else as it finished."""
        whole = self._settings.resolve
        return keep_persons(
            PersonBook(self._dim, next_number=self._book.next_number),
            self._tracks.evidence,
            self._book.number_of if identities is None else lambda key: identities.global_id(*key),
            # Where tracks are forgotten on the way, their persons remember them.
            earlier=self._known if whole else self._book.persons(),
            only=None if whole else self._book.recent_keys,
            view=self._view,
        )

    def forget(self, numbers: Collection[int], tracks: Collection[Key]) -> None:
        """Forget persons, and tracks, whose trackers must not go on; not before a resolution."""
        forget_persons(self._book, self._tracks, numbers, tracks)

    def _separate(self, keys: Sequence[Key], time_s: float) -> None:
        """Take an identity back where a track comes back beside its successor, in one frame."""
        borne = Counter(self._book.number_of(key) for key in keys)
        for number in sorted(n for n, count in borne.items() if count > 1 and n != UNASSIGNED):
            twins = [key for key in keys if self._book.number_of(key) == number]
            twins.sort(key=lambda key: (self._tracks.evidence[key].first_s, key))
            for key in twins[1:]:
                self._book.leave(key)
                self._tracks.wait(key)
                self._events.append(Event(time_s, "split", number, *key))

    @property
    def _threshold(self) -> float:
        return self._threshold_among(self._book.compared())

    @property
    def _least(self) -> float:
        """Who is less alike can be neither the person of a track nor a rival."""
        return self._threshold - self._settings.margin

    # Ticks

    def _advance(self, time_s: float) -> None:
        """Do what is due: decisions at every tick, and of a review one part at a tick."""
        self._began_s = time_s if self._began_s is None else self._began_s
        tick = math.floor(time_s / self._settings.tick_s)
        if time_s < self._tracks.now_s - SET_BACK_S:
            self._tick, self._review = tick, math.floor(time_s / self._settings.review_s)
            self._tracks.now_s = time_s
        if tick > self._tick:
            busy = bool(self._tracks.waiting) and self._decide(at_end=False)
            every_s, next_s = self._settings.review_s, time_s + self._settings.tick_s
            if math.floor(time_s / every_s) > self._review:
                self._review = math.floor(time_s / every_s)
                if self._forget_due:  # where ticks are as rare as reviews
                    self._forget()
                self._regroup()
                self._forget_due = True
            elif self._forget_due:
                self._forget()
            elif math.floor(next_s / every_s) > self._review:
                self._see_anew()
            elif not busy:
                self._near.renew(NEAR_SHARE, self._view, least=self._least)
            self._tick = tick
        elif time_s > self._tracks.now_s:
            self._ahead.renew(self._view, least=self._least)
        self._tracks.now_s = max(self._tracks.now_s, time_s)

    def _decide(self, *, at_end: bool) -> bool:
        """Give identities to tracks whose evidence is clear by now; return whether there were any."""
        ready = self._tracks.ready(at_end=at_end)
        if not ready:
            return False
        # Here, not when a camera is first heard of, as that depends on the order in a step.
        self._tracks.number_cameras(ready)
        self._see_anew(only_if_incomplete=True)
        self._book.refresh(self._tracks.evidence, self._view)
        nearest = self._ahead.nearest(ready, self._view, least=self._least)
        near = likely_persons(ready, nearest, self._tracks, self._book, self._view)
        first_new = self._book.next_number
        for _, keys in groupby(ready, key=lambda key: key[0]):
            left = list(keys)
            for _ in range(len(left) if at_end else MAX_ROUNDS):
                self._book.refresh(self._tracks.evidence, self._view)
                new = set(range(first_new, self._book.next_number))
                left = self._decide_camera(left, {key: near[key] | new for key in left}, at_end)
                if not left:
                    break
        return True

    def _decide_camera(
        self, keys: Sequence[Key], near: Mapping[Key, set[int]], at_end: bool
    ) -> list[Key]:
        """Decide tracks of one camera; return those that lost their person to another one."""
        tracks = [self._tracks.evidence[key] for key in keys]
        numbers, similarity, allowed = compare(
            tracks, [near[key] for key in keys], self._book, self._view, self._tracks
        )
        threshold = self._threshold
        columns = assign(similarity, allowed, threshold=threshold)
        lost, took = [], False
        for row, (key, column) in enumerate(zip(keys, columns, strict=True)):
            self._tracks.mark_compared(key)
            options = np.where(allowed[row], similarity[row], -1.0)
            best = float(options.max(initial=-1.0))
            hurry = at_end or self._tracks.has_timed_out(key)
            if column is not None:
                rival = float(np.delete(options, column).max(initial=-1.0))
                if hurry or options[column] - rival >= self._settings.margin:
                    self._commit(key, numbers[column])
                    took = True
            elif best >= threshold:
                lost.append(key)
            elif self._tracks.may_be_new_identity(key) and (
                hurry or best < threshold - self._settings.margin
            ):
                self._commit(key, self._book.open(), is_new=True)
        return lost if took else []

    def _commit(self, key: Key, number: int, *, is_new: bool = False) -> None:
        moved = self._book.last_camera(number) not in ("", key[0])
        self._book.join(key, number, self._tracks.evidence[key].last_s)
        self._tracks.decided(key)
        kind = "new" if is_new else "hand_over" if moved else "sighting"
        self._events.append(Event(self._tracks.now_s, kind, number, *key))

    # Reviews

    def _see_anew(self, *, only_if_incomplete: bool = False) -> None:
        """Learn what the cameras do to colours, and which ones overlap."""
        if only_if_incomplete and self._view.knows(self._tracks.cameras):
            return
        tracks = self._tracks.with_crops(self._book.recent())
        cameras = self._tracks.cameras
        self._view = View.of(tracks, cameras, self._settings, self._dim, threshold=self._threshold)

    def _regroup(self) -> None:
        """Merge persons who proved to be one, move tracks to whom they fit better."""
        self._see_anew(only_if_incomplete=True)
        if not (recent := self._book.recent()):
            return
        self._book.touch(recent)
        self._book.refresh(self._tracks.evidence, self._view)
        features = self._view.features([self._tracks.evidence[key] for key in recent])
        nodes = [
            self._tracks.node(key, self._book.number_of(key), feature)
            for key, feature in zip(recent, features, strict=True)
        ]
        near = self._near.union(self._view, least=self._least) | {node.number for node in nodes}
        nodes += self._book.past_nodes(sorted(near))
        moves = regroup(
            nodes,
            rules=self._view.rules,
            threshold=self._threshold,
            loyalty=self._settings.margin,
            open_number=self._book.open,
        )
        self._events += self._book.apply(moves, self._tracks.now_s)

    def _forget(self) -> None:
        """Bound the memory: fold old tracks, drop persons not seen for long."""
        self._forget_due = False
        ended_s = self._tracks.now_s - self._settings.review_s
        folded = self._book.fold(
            self._tracks.evidence, self._view, self._tracks.spans, keep=MAX_RECENT, ended_s=ended_s
        )
        oldest_s = self._tracks.now_s - (self._settings.forget_after_s or math.inf)
        if self._began_s is None or oldest_s < self._began_s:
            oldest_s = -math.inf  # persons of a gallery have as long to show up as others
        self._book.drop(most=self._settings.max_identities, unseen_since_s=oldest_s)
        if not self._settings.resolve:
            forget_ended(self._book, self._tracks, folded, ended_s=ended_s)
