"""Giving freed memory back."""

import ctypes
import re
import sys
from pathlib import Path

import pytest

from pipeline.runners.memory import release_freed_memory

PIECE = 64 << 10
"""Below the size that the C library gives back by itself."""


def own_mb():
    text = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(re.search(r"RssAnon:\s+(\d+)", text).group(1)) / 1024


@pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "malloc_trim") if sys.platform == "linux" else True,
    reason="the C library cannot give memory back on demand",
)
def test_freed_pieces_between_used_ones_go_back_to_the_system():
    malloc, free = ctypes.CDLL(None).malloc, ctypes.CDLL(None).free
    malloc.restype, free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
    pieces = [malloc(PIECE) for _ in range(4096)]
    for piece in pieces:
        ctypes.memset(piece, 1, PIECE)
    last = pieces.pop()  # holds on to the top, so that nothing below it can shrink away
    for piece in pieces:
        free(piece)
    kept = own_mb()
    assert release_freed_memory()
    assert own_mb() < kept - 100
    free(last)
