"""Cutting a video at key frames, so that its parts can be decoded apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.datatypes import Frame
from pipeline.errors import DecodeError
from pipeline.sources.container import Damage, decoded_frames, demuxed, open_container
from pipeline.sources.picture_converter import PictureConverter
from pipeline.sources.video_file import VideoFile

__all__ = ["WHOLE", "Chunk", "find_chunks", "read_chunk"]


@dataclass(frozen=True, slots=True)
class Chunk:
    """A run of frames that begins with a key frame.

    Attributes:
        first_index: Number of its first frame in the file.
        frames: How many frames it has; ``None`` for a whole file, which need not be known.
        start_pts: Stamp of its first frame, in ticks of the stream.
        end_pts: Stamp of the first frame after it, ``None`` at the end of the file.
    """

    first_index: int = 0
    frames: int | None = None
    start_pts: int = 0
    end_pts: int | None = None


WHOLE = Chunk()
"""A file that is not cut."""


def find_chunks(video: VideoFile, *, chunk_s: float, max_pixels: int) -> list[Chunk]:
    """Return the chunks of a file, a function of the file and ``chunk_s`` alone.

    Nothing is decoded. A file whose packets do not tell which frame is which (stamps missing,
    twice or those of decoding, a damaged index) stays whole.

    Args:
        video: The file.
        chunk_s: Each chunk but the last is at least so long, seconds.
        max_pixels: Largest frame that is decoded.

    Raises:
        DecodeError: The file cannot be read.
    """
    damage = Damage()
    stamps: list[int] = []
    keys: list[int] = []
    with open_container(video.path, damage, max_pixels=max_pixels) as (container, stream):
        base = float(stream.time_base)
        for packet in _packets(video.path, container, stream):
            if packet.pts is None or packet.is_corrupt or packet.is_discard:
                return [WHOLE]
            stamps.append(packet.pts)
            if packet.is_keyframe:
                keys.append(packet.pts)
    if damage.cut_off or video.header.decoding_stamps or len(set(stamps)) < len(stamps):
        return [WHOLE]
    starts = _starts(sorted(keys), chunk_s / base)
    ordered = np.sort(np.array(stamps, np.int64))
    if len(starts) < 2 or starts[0] != ordered[0]:
        return [WHOLE]
    firsts = [*np.searchsorted(ordered, starts).tolist(), len(ordered)]
    ends = [*starts[1:], None]
    return [
        Chunk(first, after - first, start, end)
        for first, after, start, end in zip(firsts, firsts[1:], starts, ends, strict=False)
    ]


def read_chunk(video: VideoFile, chunk: Chunk, *, max_pixels: int) -> Iterator[Frame]:
    """Yield the frames of a chunk with the pictures and numbers that ``video`` gives them.

    Times are those of the stream; they tell frames of one chunk apart, and that is all.

    Raises:
        DecodeError: The file broke, or the chunk does not hold the frames that it should: such
            a file can be read only as a whole.
    """
    if chunk.frames is None:
        yield from video
        return
    damage = Damage()
    count = 0
    with open_container(video.path, damage, max_pixels=max_pixels) as (container, stream):
        convert = PictureConverter(stream)
        container.seek(chunk.start_pts, stream=stream)
        for picture in decoded_frames(container, stream, damage):
            if picture.pts is None or picture.is_corrupt:
                break
            # Pictures shown before the key frame that they follow belong to the chunk before.
            if picture.pts < chunk.start_pts:
                continue
            if chunk.end_pts is not None and picture.pts >= chunk.end_pts:
                break
            time_s = round(float(picture.pts * stream.time_base), 6)
            yield Frame(video.camera, chunk.first_index + count, time_s, convert(picture))
            count += 1
    if damage.failed_packets or count != chunk.frames:
        raise DecodeError(
            f"video {video.path}: {count} frames from number {chunk.first_index} on could be "
            f"decoded, expected {chunk.frames}; it is damaged, copy it again"
        )


def _packets(path: Path, container: Any, stream: Any) -> Iterator[Any]:
    """Yield packets in the order of the file, the demuxer's sign of the end left out."""
    import av  # noqa: PLC0415 - only for its error type

    try:
        for packet in demuxed(container, stream):
            if packet.size:
                yield packet
    except av.error.FFmpegError as error:
        raise DecodeError(f"video {path}: reading failed ({error}); copy it again") from None


def _starts(keys: list[int], ticks: float) -> list[int]:
    """Return the key frames that begin a chunk: the first, then the next after each length."""
    starts: list[int] = []
    for key in keys:
        if not starts or key - starts[-1] >= ticks:
            starts.append(key)
    return starts
