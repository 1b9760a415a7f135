"""What differs where the page shows finished work instead of a live run."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Finished"]


@dataclass(frozen=True, slots=True)
class Finished:
    """The time that finished work covers.

    Attributes:
        name: What it is called.
        first_s: When it begins: seconds since the epoch, of a run from its start.
        last_s: When it ends.
        has_dates: Whether times are dates; those of a run are not.
    """

    name: str
    first_s: float
    last_s: float
    has_dates: bool
