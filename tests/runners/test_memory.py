"""Giving freed memory back."""

import ctypes
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.runners.memory import release_freed_memory

PIECE = 64 << 10
"""Below the size that the C library gives back by itself."""


def own_mb():
    text = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(re.search(r"RssAnon:\s+(\d+)", text).group(1)) / 1024


STORES = r"""
import ctypes, re, sys, threading
from pipeline.runners.memory import limit_kept_memory

if sys.argv[1] == "limited":
    assert limit_kept_memory()
libc = ctypes.CDLL(None)
libc.malloc.restype = libc.fopen.restype = ctypes.c_void_p
libc.malloc.argtypes, libc.free.argtypes = [ctypes.c_size_t], [ctypes.c_void_p]
libc.malloc_info.argtypes = [ctypes.c_int, ctypes.c_void_p]
libc.fclose.argtypes = [ctypes.c_void_p]


def told():
    file = libc.fopen(sys.argv[2].encode(), b"w")
    libc.malloc_info(0, file)
    libc.fclose(file)
    text = open(sys.argv[2], encoding="ascii").read()
    own = int(re.findall(r'<total type="mmap" count="(\d+)"', text)[-1])
    return text.count("<heap nr="), own


libc.free(libc.malloc(16 << 20))  # from which the library learns to keep pieces of that size
before = told()[1]
libc.malloc(1 << 20)
barrier = threading.Barrier(12)


def work():
    libc.malloc(64)
    barrier.wait()


threads = [threading.Thread(target=work) for _ in range(12)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
stores, own = told()
print(stores, own - before)
"""
"""Prints how many stores a process with many threads has, and whether a large piece is outside."""

glibc_alone = pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "malloc_trim") if sys.platform == "linux" else True,
    reason="the C library cannot give memory back on demand",
)


@glibc_alone
@pytest.mark.parametrize("kind", ["limited", "usual"])
def test_large_pieces_and_many_threads_leave_no_store_of_freed_memory(tmp_path, kind):
    command = [sys.executable, "-c", STORES, kind, str(tmp_path / "info.xml")]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    stores, outside = map(int, printed.split())
    if kind == "limited":
        assert (stores, outside) == (2, 1)
    else:  # the fault is there without it
        assert stores > 2
        assert outside == 0


@glibc_alone
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
