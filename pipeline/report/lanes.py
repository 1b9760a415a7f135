"""Where the bars of a timeline lie: shares of the width, and rows that never overlap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.colours import identity_colour
from pipeline.report.times import duration, span, tick_texts, ticks
from pipeline.results.visits import Visit

__all__ = ["Axis", "Bar", "Lanes", "css_colour", "lay_out"]

MIN_WIDTH = 0.35
"""Percent of the width that a bar has at least, so that it can be seen and clicked."""
LABEL_WIDTH = 2.2
"""Percent of the width from which on a bar bears its number."""
MAX_TICKS = 6


@dataclass(frozen=True, slots=True)
class Axis:
    """The time line of a run, as shares of a width.

    Attributes:
        first_s: Left end, seconds.
        last_s: Right end, later than ``first_s``.
    """

    first_s: float
    last_s: float

    def percent(self, time_s: float) -> float:
        """Return where a time lies, 0 to 100."""
        return round(100 * (time_s - self.first_s) / (self.last_s - self.first_s), 3)

    def labels(self) -> list[tuple[float, str]]:
        """Return place and text of round times."""
        times = ticks(self.first_s, self.last_s, max_ticks=MAX_TICKS)
        places = [self.percent(time) for time in times]
        return list(zip(places, tick_texts(times), strict=True))


@dataclass(frozen=True, slots=True)
class Bar:
    """One visit to draw; places in percent of the width, the row counts from 0."""

    global_id: int
    left: float
    width: float
    row: int
    colour: str
    ink: str
    label: str
    hint: str


@dataclass(frozen=True, slots=True)
class Lanes:
    """The bars of one camera.

    Attributes:
        bars: In order of their begin.
        rows: How many rows they take.
        left_out: Visits that found no place.
    """

    bars: list[Bar]
    rows: int
    left_out: int


def lay_out(
    stays: Sequence[Visit],
    axis: Axis,
    *,
    max_rows: int,
    max_bars: int,
    names: Mapping[int, str] | None = None,
) -> Lanes:
    """Give each visit the first row that is free.

    Args:
        stays: Visits of one camera in order of their begin.
        axis: The time line.
        max_rows: Visits that need more rows at once are left out, later ones first.
        max_bars: Maximum number of visits to draw; beyond, the shortest are left out.
        names: Of identities that were given one.
    """
    longest = sorted(stays, key=lambda stay: -stay.dwell_s)[:max_bars]
    ends: list[float] = []
    bars = []
    for stay in sorted(longest, key=lambda each: (each.first_s, each.global_id)):
        width = max(MIN_WIDTH, axis.percent(stay.last_s) - axis.percent(stay.first_s))
        left = min(axis.percent(stay.first_s), 100 - width)
        row = next((n for n, end in enumerate(ends) if end <= left), len(ends))
        if row == max_rows:
            continue
        if row == len(ends):
            ends.append(0.0)
        ends[row] = left + width + 0.1
        colour, ink = css_colour(stay.global_id)
        name = (names or {}).get(stay.global_id)
        who = f"Person {stay.global_id}" + (f" {name}" if name else "")
        hint = f"{who}, {span(stay.first_s, stay.last_s)} ({duration(stay.dwell_s)})"
        label = str(stay.global_id) if width >= LABEL_WIDTH else ""
        bars.append(Bar(stay.global_id, left, round(width, 3), row, colour, ink, label, hint))
    return Lanes(bars, len(ends), len(stays) - len(bars))


def css_colour(global_id: int) -> tuple[str, str]:
    """Return the colour of an identity and one for text on it."""
    blue, green, red = identity_colour(global_id)
    bright = 0.114 * blue + 0.587 * green + 0.299 * red > 140
    return f"#{red:02x}{green:02x}{blue:02x}", "#161616" if bright else "#ffffff"
