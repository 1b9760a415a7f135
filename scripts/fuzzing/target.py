"""What a parser needs to be fuzzed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Target"]


@dataclass(frozen=True, slots=True)
class Target:
    """A parser.

    Attributes:
        seeds: Makes valid inputs in an empty folder.
        read: Reads an input, given an empty folder to lay it in.
    """

    seeds: Callable[[Path], list[bytes]]
    read: Callable[[bytes, Path], object]
