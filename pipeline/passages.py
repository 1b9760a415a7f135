"""What happened in zones and at lines, and what it comes to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median

from pipeline.zone_settings import ZoneMap

__all__ = ["VISIT_GAP_S", "Passage", "ZoneCount", "ZoneTotal", "cameras_of", "totals_of"]

VISIT_GAP_S = 10.0
"""Who is out of view for no longer is still there: a visit to a camera and a stay in a zone go on.

Tracks break when a person is occluded.
"""


@dataclass(frozen=True, slots=True)
class Passage:
    """Somebody came into a zone or went out of it, or crossed a line.

    Attributes:
        kind: ``entry`` or ``exit`` of a zone, ``line_in`` or ``line_out``.
        name: Of the zone or line.
        time_s: When.
        camera: Where it was seen.
        track_id: By which track.
        global_id: Who, ``UNASSIGNED`` where that was not decided in time.
        dwell_s: Of an exit: how long they were inside.
    """

    kind: str
    name: str
    time_s: float
    camera: str
    track_id: int
    global_id: int
    dwell_s: float | None = None


@dataclass(slots=True)
class ZoneTotal:
    """What a zone or a line came to.

    Attributes:
        entries: Who came in, or crossed inwards.
        exits: Who went out, or crossed outwards.
        dwells_s: How long each was inside who left.
    """

    entries: int = 0
    exits: int = 0
    dwells_s: list[float] = field(default_factory=list)

    @property
    def median_dwell_s(self) -> float | None:
        """How long somebody was usually inside, ``None`` where nobody left.

        The median: a few who sit for hours would move a mean.
        """
        return median(self.dwells_s) if self.dwells_s else None

    def add(self, passage: Passage) -> None:
        """Count a passage."""
        if passage.kind in {"entry", "line_in"}:
            self.entries += 1
        else:
            self.exits += 1
        if passage.dwell_s is not None:
            self.dwells_s.append(passage.dwell_s)


@dataclass(frozen=True, slots=True)
class ZoneCount:
    """One zone or line at one moment.

    Attributes:
        name: What it is called.
        is_line: Whether it is a line.
        cameras: Where it is.
        inside: People in it now; 0 of a line.
        entries: Who came in, or crossed inwards.
        exits: Who went out, or crossed outwards.
        median_dwell_s: As in ``ZoneTotal``; ``None`` too where it was not asked for.
    """

    name: str
    is_line: bool
    cameras: tuple[str, ...]
    inside: int
    entries: int
    exits: int
    median_dwell_s: float | None


def cameras_of(maps: Mapping[str, ZoneMap]) -> dict[str, tuple[str, ...]]:
    """Return where each zone and line is, in order of their names."""
    cameras: dict[str, tuple[str, ...]] = {}
    for camera, each in maps.items():
        for name in (*each.zones, *each.lines):
            cameras[name] = (*cameras.get(name, ()), camera)
    return dict(sorted(cameras.items()))


def totals_of(names: Iterable[str], passages: Iterable[Passage]) -> dict[str, ZoneTotal]:
    """Return what zones and lines came to, in the order of their names."""
    totals = {name: ZoneTotal() for name in names}
    for each in passages:
        totals[each.name].add(each)
    return totals
