"""Finished work as the page reads it: people, sightings, pictures, events, edits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pipeline.datatypes import UNASSIGNED, Event
from pipeline.layout.edits import Edit
from pipeline.places import PATH_COLUMNS
from pipeline.results import Results
from pipeline.results.history import PersonRecord, SightingRecord
from pipeline.results.visits import seconds

__all__ = ["FinishedRecords"]

MAX_EVENTS = 5000


class FinishedRecords:
    """One moment of finished work; after an edit another one is made.

    Args:
        results: The work.
        told: Events of edits made meanwhile.
    """

    def __init__(self, results: Results, told: Sequence[Event] = ()) -> None:
        self._results = results
        self._edits = results.edits()
        table = results.sightings()
        first, last = seconds(table["first_time"]), seconds(table["last_time"])
        # The order is by time and name, which no edit changes, so numbers stay.
        number = np.arange(1, len(table) + 1)
        self._table = table.assign(number=number, first_s=first, last_s=last)
        self._known = self._table[self._table["global_id"] != UNASSIGNED]
        self._people = self._sum_up()
        events = list(results.events())[-MAX_EVENTS:]
        self._events = [*events, *told]

    @property
    def span_s(self) -> tuple[float, float]:
        """When the first sighting begins and the last one ends."""
        if self._table.empty:
            return 0.0, 0.0
        return float(self._table["first_s"].min()), float(self._table["last_s"].max())

    @property
    def newest_event(self) -> int:
        """Number of the newest event."""
        return max((each.number for each in self._events), default=0)

    def people(
        self, *, limit: int, search: str = "", seen_before_s: float | None = None
    ) -> list[PersonRecord]:
        """Return identities, those seen last first."""
        found = self._people
        if search:
            wanted = self._edits.found_by(search)
            found = [each for each in found if each.identity in wanted]
        if seen_before_s is not None:
            found = [each for each in found if each.last_s < seen_before_s]
        return found[:limit]

    def person(self, identity: int) -> PersonRecord | None:
        """Return one identity, by any number that it ever had."""
        shown = self._edits.shown(identity)
        return next((each for each in self._people if each.identity == shown), None)

    def sightings(
        self,
        *,
        limit: int,
        identity: int | None = None,
        since_s: float = float("-inf"),
        until_s: float = float("inf"),
    ) -> list[SightingRecord]:
        """Return sightings that overlap a span of time, newest first."""
        rows = self._known
        rows = rows[(rows["last_s"] >= since_s) & (rows["first_s"] <= until_s)]
        if identity is not None:
            rows = rows[rows["global_id"] == self._edits.shown(identity)]
        rows = rows.sort_values(["last_s", "number"], ascending=False).head(limit)
        columns = "number", "global_id", "camera", "first_s", "last_s", "frames", "sighting"
        given = self._edits.given
        return [
            SightingRecord(
                n,
                who,
                self._edits.name(who),
                camera,
                a,
                b,
                frames,
                name in given,
                *map(_known, place),
            )
            for n, who, camera, a, b, frames, name, *place in zip(
                *(rows[each].tolist() for each in (*columns, *PATH_COLUMNS)), strict=True
            )
        ]

    def name_of(self, sighting: int) -> str:
        """Return what edits call a sighting; its number where there is none."""
        row = self._row(sighting)
        return str(sighting) if row.empty else str(row["sighting"].iloc[0])

    def thumbnail(self, sighting: int) -> bytes | None:
        """Return a sighting's best picture as JPEG."""
        pictures = self._results.best_pictures(self._row(sighting))
        return next((each.jpeg for each in pictures.values()), None) or None

    def events(self, *, limit: int, after: int = 0, newest: bool = False) -> list[Event]:
        """Return events with a number above ``after``, oldest first."""
        found = [each for each in self._events if each.number > after]
        return found[-limit:] if newest else found[:limit]

    def edits(self, *, limit: int) -> list[Edit]:
        """Return edits, newest first."""
        return sorted(self._edits.by_number.values(), key=lambda edit: -edit.number)[:limit]

    def _row(self, sighting: int) -> pd.DataFrame:
        return self._table[self._table["number"] == sighting]

    def _pictured(self, people: Sequence[int]) -> set[str]:
        """Return a sighting of each person that has a picture, where not every sighting has one."""
        if self._results.kind != "run":
            return set()
        pictures = self._results.pictures_of(people, 1).values()
        return {each.sighting for some in pictures for each in some}

    def _sum_up(self) -> list[PersonRecord]:
        found = []
        ordered = self._known.sort_values("last_s", kind="stable")
        numbers = sorted(set(ordered["global_id"].tolist()))
        pictured = self._pictured(numbers)
        for who in numbers:
            rows = ordered[ordered["global_id"] == who]
            quality = rows["quality"].fillna(-1).where(~rows["sighting"].isin(pictured), 2.0)
            best = quality.to_numpy().argmax()
            found.append(
                PersonRecord(
                    who,
                    self._edits.name(who),
                    float(rows["first_s"].min()),
                    float(rows["last_s"].max()),
                    len(rows),
                    tuple(sorted(set(rows["camera"]))),
                    str(rows["camera"].iloc[-1]),
                    int(rows["number"].iloc[best]),
                    tuple(n for n in self._edits.members(who) if n != who),
                    *(_known(rows[each].iloc[-1]) for each in PATH_COLUMNS),
                )
            )
        return sorted(found, key=lambda each: (-each.last_s, each.identity))


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
