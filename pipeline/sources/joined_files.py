"""Video files behind one another in one file, of which only the first is read.

Matroska, AVI, MPEG-TS and plain H.264 and HEVC are read on when files are joined with `cat`; MP4
and FLV are not, and FFmpeg says nothing of it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

__all__ = ["second_video_at"]

ONCE = (b"ftyp", b"moov")
"""Top-level boxes that a video has once."""
FLV_TAGS = (8, 9, 18)
"""Sound, pictures and metadata."""


def second_video_at(path: Path, *, format_name: str) -> int | None:
    """Return the byte where another video begins that FFmpeg does not read, if there is one.

    Only headers of boxes and tags are read.

    Args:
        path: The file.
        format_name: FFmpeg's name of its demuxer.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if format_name == "flv":
            return _second_flv(file, size)
        return _second_mp4(file, size) if "mp4" in format_name else None


def _second_mp4(file: BinaryIO, size: int) -> int | None:
    seen, at = set(), 0
    while at + 8 <= size:
        file.seek(at)
        head = file.read(16)
        length, kind = int.from_bytes(head[:4]), head[4:8]
        if kind in seen:
            return at
        if kind in ONCE:
            seen.add(kind)
        if length == 1:  # a length of 64 bits follows
            length = int.from_bytes(head[8:])
        if length < 8:  # up to the end of the file, or no box
            return None
        at += length
    return None


def _second_flv(file: BinaryIO, size: int) -> int | None:
    at = int.from_bytes(file.read(9)[5:]) + 4
    while at + 11 <= size:
        file.seek(at)
        head = file.read(11)
        if head.startswith(b"FLV\x01"):
            return at
        if head[0] & 0x1F not in FLV_TAGS:
            return None
        at += 11 + int.from_bytes(head[1:4]) + 4
    return None
