"""Repair of fragmented MP4 files after a kill or a full disk."""

from __future__ import annotations

import os
import struct

__all__ = ["cut_torn_fragment"]


def cut_torn_fragment(descriptor: int) -> int:
    """Cut what follows the last whole fragment of a file.

    A fragmented MP4 is a row of boxes: ``ftyp moov (moof mdat)*``, then an index that players
    do without. Each fragment is playable if the boxes before it are.

    Args:
        descriptor: A file open for reading and writing.

    Returns:
        The size that is left; 0, and nothing cut, where there is not one whole fragment.

    Raises:
        OSError: The file cannot be read or cut.

    Source: ISO/IEC 14496-12, 4.2 (boxes) and 8.8 (fragments).
    """
    size = os.fstat(descriptor).st_size
    at = whole = 0
    before = b""
    while (box := _box(descriptor, at)) is not None:
        length, kind = box
        at += length
        if at > size:
            break
        if kind == b"mdat" and before == b"moof":
            whole = at
        before = kind
    if 0 < whole < size:
        os.ftruncate(descriptor, whole)
    return whole


def _box(descriptor: int, at: int) -> tuple[int, bytes] | None:
    """Return the length and the kind of the box at a place, ``None`` where there is none."""
    head = os.pread(descriptor, 16, at)
    if len(head) < 8:
        return None
    length, kind = struct.unpack(">I4s", head[:8])
    if length == 1 and len(head) == 16:
        length = struct.unpack(">Q", head[8:])[0]
    return (length, kind) if length >= 8 else None
