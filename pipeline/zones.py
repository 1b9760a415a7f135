"""Counting people in zones and over lines, over all cameras, nobody twice.

Only event time counts, so recorded work gives what it gave live, but for identities that were
corrected later.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.datatypes import UNASSIGNED, FloatArray
from pipeline.passages import VISIT_GAP_S, Passage
from pipeline.polygons import Floats, crossings, distance, inside
from pipeline.zone_settings import FLOOR, Point, ZoneMap

__all__ = ["ZoneCounter"]

Key = tuple[str, int]
"""Camera and number of a track."""

MIN_INSIDE_S = 0.5
"""Who is inside for less has only brushed the border."""
LEAVE_S = 1.0
"""Who is seen outside for so long has left."""
PATIENCE_S = 2.0
"""How long an identity is waited for; who has none by then counts as somebody of their own."""
MARGIN = 0.04
"""Heights of a person that one has to be away from a line to count as on a side of it."""
MARGIN_M, MARGIN_SHARE = 0.07, 0.5
"""The same of a line in metres, and its share of the place's uncertainty, whichever is more."""
LINE_GAP_S = 2.0
"""Between two sightings of a track on both sides of a line."""
FLICKER_S = 0.5
"""Who is back on the other side within less never crossed: their box lost its feet for a moment."""
ONCE_S = 10.0
"""Whoever crosses a line the same way in several cameras within so long did it once."""


@dataclass(slots=True)
class _Stay:
    key: Key
    first_s: float
    last_s: float
    is_outside: bool = False
    is_told: bool = False


@dataclass(slots=True)
class _Place:
    """Where a track was seen on a side of a line: first and last."""

    first: Floats
    first_s: float
    last: Floats
    last_s: float


@dataclass(frozen=True, slots=True)
class _Crossing:
    time_s: float
    key: Key
    line: str
    is_in: bool


class ZoneCounter:
    """Follows who is where; not safe for threads.

    Args:
        maps: Zones and lines by camera; those of ``FLOOR`` are in metres and count in all cameras.
        y_up: Whether ``y_m`` goes up where ``x_m`` goes to the right, seen from above.
    """

    def __init__(self, maps: Mapping[str, ZoneMap], *, y_up: bool = True) -> None:
        self._to_map = np.array([1.0, -1.0 if y_up else 1.0])
        self._zones = {where: self._arrays(where, each.zones) for where, each in maps.items()}
        self._lines = {where: self._arrays(where, each.lines) for where, each in maps.items()}
        self._whose: dict[Key, Hashable] = {}
        self._seen: dict[Key, float] = {}
        self._stays: dict[tuple[str, Hashable], _Stay] = {}
        self._places: dict[tuple[str, str, Key], _Place] = {}
        self._crossings: list[_Crossing] = []
        self._crossed: dict[tuple[str, Hashable, bool], tuple[float, str]] = {}
        self._now_s = float("-inf")

    def inside(self) -> dict[str, int]:
        """Return how many people are in each zone now."""
        counts = {name: 0 for zones in self._zones.values() for name in zones}
        for (name, _), stay in self._stays.items():
            counts[name] += stay.is_told
        return counts

    def see(
        self,
        camera: str,
        time_s: float,
        track_ids: Sequence[int],
        global_ids: Sequence[int],
        xyxy: FloatArray,
        *,
        places: Floats | None = None,
    ) -> list[Passage]:
        """Take in one frame of a camera and return what became sure by it, oldest first.

        Args:
            camera: Its name.
            time_s: When it was taken; cameras may come in any order within a second or so.
            track_ids: ``(N,)`` who is in it.
            global_ids: ``(N,)`` their identities.
            xyxy: ``(N, 4)`` boxes in pixels.
            places: ``(N, 3)`` places and their uncertainty in metres, NaN where they are not known.
        """
        self._now_s = max(self._now_s, time_s)
        told = self._settle(self._now_s)  # what ended in a pause before this frame
        keys = [(camera, track) for track in track_ids]
        for key, number in zip(keys, global_ids, strict=True):
            self._name(key, number if number != UNASSIGNED else key)
            self._seen[key] = time_s
        boxes = np.asarray(xyxy, np.float64).reshape(-1, 4)
        feet = np.stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]], axis=1)
        self._see_at(camera, keys, time_s, feet, MARGIN * (boxes[:, 3] - boxes[:, 1]))
        if places is not None:
            known = np.isfinite(places[:, 0])
            placed = [key for key, is_known in zip(keys, known.tolist(), strict=True) if is_known]
            margins = np.maximum(MARGIN_M, MARGIN_SHARE * places[known, 2])
            self._see_at(FLOOR, placed, time_s, places[known, :2] * self._to_map, margins)
        return [*told, *self._settle(self._now_s)]

    def finish(self) -> list[Passage]:
        """Return what is left to tell at the end; who is inside then has left."""
        return self._settle(float("inf"))

    def _arrays(self, where: str, shapes: Mapping[str, Sequence[Point]]) -> dict[str, Floats]:
        turn = self._to_map if where == FLOOR else 1.0
        return {name: np.asarray(points, np.float64) * turn for name, points in shapes.items()}

    def _see_at(
        self, where: str, keys: Sequence[Key], time_s: float, points: Floats, margins: Floats
    ) -> None:
        for name, polygon in self._zones.get(where, {}).items():
            for key, is_inside in zip(keys, inside(points, polygon).tolist(), strict=True):
                self._place_in_zone(name, key, time_s, is_inside=is_inside)
        for name, line in self._lines.get(where, {}).items():
            is_clear = distance(points, line) >= margins
            for key, point, clear in zip(keys, points, is_clear.tolist(), strict=True):
                self._place_at_line((where, name), line, key, point, time_s, is_clear=clear)

    def _name(self, key: Key, person: Hashable) -> None:
        """Note whose a track is; what was known of it under another name goes with it."""
        before = self._whose.get(key, key)
        self._whose[key] = person
        if before == person:
            return
        for zone, who in [each for each in self._stays if each[1] == before]:
            stay = self._stays[zone, who]
            if stay.key != key:
                continue
            del self._stays[zone, who]
            other = self._stays.get((zone, person))
            if other is None:
                self._stays[zone, person] = stay
                continue
            other.first_s = min(other.first_s, stay.first_s)
            other.last_s = max(other.last_s, stay.last_s)
            other.is_told |= stay.is_told
        if before == key:
            for (where, name, own), place in self._places.items():
                if own == key:
                    self._join_at_line((where, name), key, place)

    def _join_at_line(self, which: tuple[str, str], key: Key, place: _Place) -> None:
        """Find a crossing between the end of a person's track and the begin of the next one."""
        line, person = self._lines[which[0]][which[1]], self._whose[key]
        for (*other_line, other), earlier in self._places.items():
            is_before = 0 < place.first_s - earlier.last_s <= LINE_GAP_S
            if is_before and (*other_line,) == which and self._whose.get(other) == person:
                self._cross(
                    which[1], crossings(earlier.last, place.first, line), key, place.first_s
                )

    def _place_in_zone(self, name: str, key: Key, time_s: float, *, is_inside: bool) -> None:
        person = self._whose[key]
        stay = self._stays.get((name, person))
        if not is_inside:
            if stay is not None:
                stay.is_outside = True
            return
        if stay is None:
            stay = self._stays[name, person] = _Stay(key, time_s, time_s)
        stay.key, stay.last_s, stay.is_outside = key, max(stay.last_s, time_s), False

    def _place_at_line(
        self,
        which: tuple[str, str],
        line: Floats,
        key: Key,
        point: Floats,
        time_s: float,
        *,
        is_clear: bool,
    ) -> None:
        place = self._places.get((*which, key))
        if not is_clear:
            if place is not None:
                place.last_s = time_s
            return
        if place is None:
            place = self._places[*which, key] = _Place(point, time_s, point, time_s)
            if self._whose[key] != key:
                self._join_at_line(which, key, place)
            return
        if time_s - place.last_s <= LINE_GAP_S:
            self._cross(which[1], crossings(place.last, point, line), key, time_s)
        place.last, place.last_s = point, time_s

    def _cross(self, name: str, way: int, key: Key, time_s: float) -> None:
        if not way:
            return
        for each in self._crossings:
            is_back = each.key == key and each.line == name and each.is_in != (way > 0)
            if is_back and time_s - each.time_s < FLICKER_S:
                self._crossings.remove(each)
                return
        self._crossings.append(_Crossing(time_s, key, name, way > 0))

    def _settle(self, now_s: float) -> list[Passage]:
        told = [*self._settle_zones(now_s), *self._settle_lines(now_s)]
        for key in [key for key, seen_s in self._seen.items() if now_s - seen_s > VISIT_GAP_S]:
            del self._seen[key], self._whose[key]
        gone = [each for each in self._places if each[2] not in self._seen]
        for each in gone:
            del self._places[each]
        self._crossed = {who: s for who, s in self._crossed.items() if now_s - s[0] <= ONCE_S}
        return sorted(told, key=lambda each: (each.time_s, each.name, each.kind))

    def _settle_zones(self, now_s: float) -> list[Passage]:
        told = []
        for (zone, person), stay in list(self._stays.items()):
            number = person if isinstance(person, int) else UNASSIGNED
            is_sure = number != UNASSIGNED or now_s - stay.first_s >= PATIENCE_S
            if not stay.is_told and is_sure and stay.last_s - stay.first_s >= MIN_INSIDE_S:
                stay.is_told = True
                told.append(Passage("entry", zone, stay.first_s, *stay.key, number))
            if now_s - stay.last_s > (LEAVE_S if stay.is_outside else VISIT_GAP_S):
                del self._stays[zone, person]
                if stay.is_told:
                    dwell_s = stay.last_s - stay.first_s
                    told.append(Passage("exit", zone, stay.last_s, *stay.key, number, dwell_s))
        return told

    def _settle_lines(self, now_s: float) -> list[Passage]:
        told, waiting = [], []
        for each in self._crossings:
            person = self._whose.get(each.key, each.key)
            number = person if isinstance(person, int) else UNASSIGNED
            if now_s - each.time_s < (PATIENCE_S if number == UNASSIGNED else FLICKER_S):
                waiting.append(each)
                continue
            camera = each.key[0]
            before_s, where = self._crossed.get((each.line, person, each.is_in), (-np.inf, camera))
            if where == camera or each.time_s - before_s > ONCE_S:
                kind = "line_in" if each.is_in else "line_out"
                told.append(Passage(kind, each.line, each.time_s, *each.key, number))
                self._crossed[each.line, person, each.is_in] = each.time_s, camera
        self._crossings = waiting
        return told
