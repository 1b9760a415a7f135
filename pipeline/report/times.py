"""Times and durations as people read them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime

__all__ = ["duration", "moment", "span", "tick_texts", "ticks"]

EPOCH_FROM_S = 100_000_000.0
"""Times from here on are seconds since 1970: no run counts three years from its own start."""
STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200)
DAY_S = 86_400
LATEST_S = 253_402_300_799.0
"""The last second of the year 9999, beyond which there are no dates."""


def moment(seconds: float) -> str:
    """Return a time of a run: ``1:02:03.4`` from its start, or date and time (UTC)."""
    if EPOCH_FROM_S <= seconds <= LATEST_S:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
    tenths = round(abs(seconds) * 10)
    hours, rest = divmod(tenths, 36_000)
    minutes, rest = divmod(rest, 600)
    sign = "-" if seconds < 0 and tenths else ""
    begin = f"{hours}:{minutes:02d}" if hours else f"{minutes}"
    return f"{sign}{begin}:{rest // 10:02d}.{rest % 10}"


def span(first_s: float, last_s: float) -> str:
    """Return begin and end, the day once where both are on one."""
    first, last = moment(first_s), moment(last_s)
    if min(first_s, last_s) >= EPOCH_FROM_S and first[:10] == last[:10]:
        last = last[11:]
    return f"{first} to {last}"


def tick_texts(times: Sequence[float]) -> list[str]:
    """Return what stands at the ticks of an axis: dates with no times of day, or the reverse."""
    texts = [moment(time) for time in times]
    if not times or times[0] < EPOCH_FROM_S or times[-1] > LATEST_S:
        return [text.removesuffix(".0") for text in texts]
    if all(text.endswith(" 00:00:00") for text in texts):
        return [text[:10] for text in texts]
    seconds = slice(19) if any(time % 60 for time in times) else slice(16)
    begin = 11 if texts[0][:10] == texts[-1][:10] else 5
    return [text[seconds][begin:] for text in texts]


def duration(seconds: float) -> str:
    """Return a duration in the two units that matter: ``4.2 s``, ``3 min 5 s``, ``2 h 10 min``."""
    size = abs(seconds)
    sign = "-" if seconds < 0 and round(size, 1) else ""
    if size < 59.95:
        return f"{sign}{size:.1f} s"
    whole = round(size)
    if whole < 3600:
        return f"{sign}{whole // 60} min {whole % 60} s"
    minutes = round(size / 60)
    if minutes < 48 * 60:
        return f"{sign}{minutes // 60} h {minutes % 60} min"
    hours = round(size / 3600)
    return f"{sign}{hours // 24} d {hours % 24} h"


def ticks(first_s: float, last_s: float, *, max_ticks: int) -> list[float]:
    """Return round times between two, at most ``max_ticks + 1``, for an axis."""
    span = max(last_s - first_s, 1e-9)
    step: float = next((s for s in STEPS_S if span / s <= max_ticks), 0)
    if not step:
        step = DAY_S * math.ceil(span / DAY_S / max_ticks)
    begin = math.ceil(first_s / step)
    return [n * step for n in range(begin, math.floor(last_s / step) + 1)]
