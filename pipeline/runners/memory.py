"""Memory that was freed goes back to the system."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from functools import cache

__all__ = ["limit_kept_memory", "release_freed_memory"]

M_MMAP_THRESHOLD = -3
M_ARENA_MAX = -8
MAX_KEPT_BYTES = 256 << 10
"""A larger piece, as frames and batches are, comes from the system and goes back when freed."""
MAX_STORES = 2


def limit_kept_memory() -> bool:
    """Return whether the C library will keep little of what this process frees.

    For programs that run for weeks, before they start threads. Linux's C library otherwise learns
    from the first large pieces that are freed to keep such pieces, up to 32 MB each, in as many
    stores as eight per core. Frames of changing sizes, allocated and freed by dozens of threads,
    leave them full of gaps: hundreds of megabytes within hours although nothing is in use. The
    price is that the system has to clear every new frame: some percent of a live run's work.
    Elsewhere nothing is done.
    """
    allow = _of_c_library("mallopt")
    return (
        allow is not None
        and bool(allow(M_MMAP_THRESHOLD, MAX_KEPT_BYTES))
        and bool(allow(M_ARENA_MAX, MAX_STORES))
    )


def release_freed_memory() -> bool:
    """Return whether freed memory could be given back to the system.

    Small pieces, too, whose neighbours are still in use, from time to time.
    """
    trim = _of_c_library("malloc_trim")
    return trim is not None and bool(trim(0))


@cache
def _of_c_library(name: str) -> Callable[..., int] | None:
    if sys.platform != "linux":
        return None
    return getattr(ctypes.CDLL(None), name, None)  # other C libraries lack it
