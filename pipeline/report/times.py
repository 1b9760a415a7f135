"""Times and durations as people read them."""

from __future__ import annotations

import math
from datetime import UTC, datetime

__all__ = ["duration", "moment", "ticks"]

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


def ticks(first_s: float, last_s: float, *, most: int) -> list[float]:
    """Return round times between two, at most ``most + 1``, for an axis."""
    span = max(last_s - first_s, 1e-9)
    step: float = next((s for s in STEPS_S if span / s <= most), 0)
    if not step:
        step = DAY_S * math.ceil(span / DAY_S / most)
    begin = math.ceil(first_s / step)
    return [n * step for n in range(begin, math.floor(last_s / step) + 1)]
