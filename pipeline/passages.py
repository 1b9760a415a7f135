"""What happened in zones and at lines, and what it comes to."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median

__all__ = ["Passage", "ZoneTotal"]


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
        """How long somebody was usually inside, ``None`` where nobody left."""
        return median(self.dwells_s) if self.dwells_s else None

    def add(self, passage: Passage) -> None:
        """Count a passage."""
        if passage.kind in {"entry", "line_in"}:
            self.entries += 1
        else:
            self.exits += 1
        if passage.dwell_s is not None:
            self.dwells_s.append(passage.dwell_s)
