"""One picture in memory that two processes share: the newest one, and never a torn one."""

from __future__ import annotations

import mmap
import os
import tempfile
import time

import numpy as np

from pipeline.datatypes import Image

__all__ = ["FrameSlot"]

HEADER_BYTES = 256
TRIES = 3
"""Reads before giving up until the next call; each fails only if two pictures were written
while one was copied."""

PUBLISHED = 0
BEGUN, ENDED = 1, 3  # one of each per buffer
TAKEN_S, PACE_S, GAP_S, ASKED_S = 0, 1, 2, 3
TIME_S = 4  # one per buffer


class FrameSlot:
    """A double buffer: one process writes, another reads, neither ever waits.

    Pictures are numbered from 1 and written to the two buffers in turn. A buffer carries the
    number of its picture in front of and behind the writing, so a reader that was overtaken
    twice notices, and a writer that was killed leaves the other buffer whole.

    The reader leaves word of when it took pictures, so that the writer need not convert those
    that nobody will look at: see ``is_wanted``.

    The memory has no name: the other process gets its file descriptor, and it is gone with the
    last of the two. So it is not limited by ``/dev/shm``, which is small in containers.

    Args:
        file: Descriptor of a file that is large enough; belongs to the slot.
        size: Width and height of the pictures.
    """

    def __init__(self, file: int, size: tuple[int, int]) -> None:
        width, height = size
        self.size = size
        self.file = file
        self._memory = memory = mmap.mmap(file, _bytes_for(size))
        self._counts = np.ndarray(8, np.int64, memory, 0)
        self._moments = np.ndarray(8, np.float64, memory, 64)
        self._pictures = np.ndarray((2, height, width, 3), np.uint8, memory, HEADER_BYTES)
        self._taken = 0

    @classmethod
    def create(cls, size: tuple[int, int]) -> FrameSlot:
        """Return a new, empty slot."""
        file = _nameless_file()
        os.ftruncate(file, _bytes_for(size))
        return cls(file, size)

    def write(self, image: Image, time_s: float) -> None:
        """Make a picture the newest one; it replaces one that was not taken."""
        number = int(self._counts[PUBLISHED]) + 1
        buffer = number % 2
        self._counts[BEGUN + buffer] = number
        self._pictures[buffer] = image
        self._moments[TIME_S + buffer] = time_s
        self._counts[ENDED + buffer] = number
        self._counts[PUBLISHED] = number

    def take(self) -> tuple[Image, float] | None:
        """Return a copy of the newest picture and its time, ``None`` if it was taken before."""
        now_s = time.monotonic()
        for _ in range(TRIES):
            number = int(self._counts[PUBLISHED])
            if number == self._taken:
                break
            buffer = number % 2
            image = self._pictures[buffer].copy()
            time_s = float(self._moments[TIME_S + buffer])
            if self._counts[BEGUN + buffer] == number == self._counts[ENDED + buffer]:
                self._taken = number
                self._note_taken(now_s)
                return image, time_s
        self._moments[ASKED_S] = now_s
        return None

    def _note_taken(self, now_s: float) -> None:
        gap_s = now_s - float(self._moments[TAKEN_S])
        # Of two gaps the shorter, so that one hold-up does not make the writer lazy.
        self._moments[PACE_S] = min(gap_s, float(self._moments[GAP_S]))
        self._moments[GAP_S] = gap_s
        self._moments[TAKEN_S] = now_s

    def is_wanted(self, now_s: float, *, interval_s: float) -> bool:
        """Return whether a picture that is there now is likely to be taken.

        It is if the reader came in vain since it took the last one, or is due before the next
        but one.

        Args:
            now_s: Now, by ``time.monotonic``, which all processes share.
            interval_s: Time between two pictures.
        """
        taken_s, pace_s, _, asked_s = (float(each) for each in self._moments[:4])
        return asked_s >= taken_s or now_s >= taken_s + pace_s - 2 * interval_s

    def close(self) -> None:
        """Give the memory up; nothing else may be called after."""
        # Arrays hold on to the buffer, which then could not be closed.
        del self._counts, self._moments, self._pictures
        self._memory.close()
        os.close(self.file)


def _bytes_for(size: tuple[int, int]) -> int:
    return HEADER_BYTES + 2 * size[0] * size[1] * 3


def _nameless_file() -> int:
    if hasattr(os, "memfd_create"):  # on Linux
        return os.memfd_create("picture")
    file, path = tempfile.mkstemp()
    os.unlink(path)  # noqa: PTH108 - of a path that nobody needs as an object
    return file
