"""How many processes may prepare batches: as many as the shared memory has room for."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

from reid_model.data.batches import BatchSource

__all__ = ["PREFETCHED", "workers_that_fit"]

PREFETCHED = 4
"""Batches that each process prepares ahead."""
SHARED = Path("/dev/shm")  # nosec B108 # its size is asked, nothing is written

logger = logging.getLogger(__name__)


def workers_that_fit(wanted: int, source: BatchSource) -> int:
    """Return the number of processes, 0 where their batches would not fit.

    A process that finds no room is killed, and the training would wait for it for ever. Where
    ``/dev/shm`` is small (64 MB in a container), batches are prepared in the process that trains.
    """
    if not wanted or not SHARED.is_dir():
        return wanted
    batch = source[0]
    needed = sum(each.nbytes for each in batch) * (PREFETCHED + 1) * wanted
    free = shutil.disk_usage(SHARED).free
    if needed <= free:
        return wanted
    logger.warning(
        "%s has %.1f MB, %d workers need %.1f MB: batches are prepared without workers, slower; "
        "give a container more (--shm-size), or set workers: 0",
        SHARED,
        free / 1e6,
        wanted,
        needed / 1e6,
    )
    return 0
