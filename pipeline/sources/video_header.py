"""The header of a video file, checked before work starts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import DecodeError, SourceError
from pipeline.sources.container import Damage, decoded_frames, open_container
from pipeline.sources.joined_files import second_video_at
from pipeline.sources.orientation import display_matrix, shown_size, usable_aspect

__all__ = ["VideoHeader", "read_header"]

USUAL_RATE = 25.0
"""Frames a second where a file states none, or none that can be."""

MAX_LENGTH_S = 366 * 86_400.0
"""No file is longer; others state nonsense, and dates far ahead cannot be calculated with."""

MICROSECONDS = 1_000_000
CLOCK_TEXT = re.compile(r"(\d+):(\d\d):(\d\d(?:\.\d*)?)")


@dataclass(frozen=True, slots=True)
class VideoHeader:
    """What a file states. Only the size was checked, against the first frame.

    Attributes:
        width: Width of the first frame as it is shown, pixels.
        height: Height of the first frame as it is shown, pixels.
        interval_s: Nominal time from one frame to the next, seconds.
        frame_count: Number of frames, ``None`` where the file states none.
        video_end_s: End of the last frame, seconds from the start of the file; ``None``
            where the file does not state it for the pictures alone.
        duration_s: Length of the pictures, else of the file; ``None`` where not stated.
        start_s: Stamp that the file starts at, seconds; none = unknown, take the first frame's.
        decoding_stamps: Whether the file stores the time of decoding, not of showing.
        notes: What it states that cannot be, one line each.
    """

    width: int
    height: int
    interval_s: float
    frame_count: int | None
    video_end_s: float | None
    duration_s: float | None
    start_s: float | None
    decoding_stamps: bool
    notes: tuple[str, ...] = ()


def read_header(path: Path, *, max_pixels: int) -> VideoHeader:
    """Open a video, decode its first good frame and return what the file states.

    Raises:
        SourceError: The file cannot be read, is no video, is too large, or holds no frame.
    """
    damage = Damage()
    with open_container(path, damage, max_pixels=max_pixels) as (container, stream):
        try:
            frames = decoded_frames(container, stream, damage)
            first = next((frame for frame in frames if not frame.is_corrupt), None)
        except DecodeError as error:
            raise SourceError(f"video {path} cannot be read: {error}; check the disc") from None
        if first is None:
            raise SourceError(
                f"video {path} holds no frame of at most {max_pixels} pixels that can be decoded: "
                "copy or record it again, convert it to H.264, or raise source.max_pixels"
            )
        aspect = usable_aspect(stream.sample_aspect_ratio) or 1.0
        width, height = shown_size(first.width, first.height, display_matrix(first), aspect)
        return _header(path, container, stream, width=width, height=height)


def _header(path: Path, container: Any, stream: Any, *, width: int, height: int) -> VideoHeader:
    rate = _rate(stream.average_rate)
    start_s = None if container.start_time is None else container.start_time / MICROSECONDS
    # AVI stores no time of showing; with reordered frames the stamps are those of decoding.
    decoding_stamps = container.format.name == "avi" and bool(stream.codec_context.has_b_frames)
    end_s = _video_end_s(container, stream, start_s or 0.0)
    whole_s = container.duration / MICROSECONDS if container.duration else None
    notes = []
    length_s = end_s or whole_s
    if length_s is not None and not 0 < length_s <= MAX_LENGTH_S:
        notes.append(f"the file states a length of {length_s:.3g} s, which cannot be: ignored")
        end_s = whole_s = None
    if usable_aspect(stream.sample_aspect_ratio) is None:
        stated = stream.sample_aspect_ratio
        notes.append(f"the file states pixels of {stated} width to height, not used")
    if (second := second_video_at(path, format_name=container.format.name)) is not None:
        notes.append(
            f"another video begins at byte {second:,} of {path.stat().st_size:,}, and is not read "
            "as it should be: split the file there, or join videos with `ffmpeg -f concat`"
        )
    return VideoHeader(
        width=width,
        height=height,
        interval_s=1.0 / (_rate(stream.guessed_rate) or rate or USUAL_RATE),
        frame_count=stream.frames or None,
        video_end_s=end_s,
        duration_s=end_s or whole_s,
        start_s=None if decoding_stamps or abs(start_s or 0) > MAX_LENGTH_S else start_s,
        decoding_stamps=decoding_stamps,
        notes=tuple(notes),
    )


def _rate(stated: Any) -> float | None:
    """Return a rate that a camera can have; headers hold 0, 90000 and the like."""
    return float(stated) if stated is not None and 0.1 <= stated <= 1000 else None


def _video_end_s(container: Any, stream: Any, start_s: float) -> float | None:
    """Return when the last frame ends, seconds from the start of the file."""
    if container.format.name == "avi":
        # Its `duration` is cut down to what the file really holds; the header counts frames.
        return float(stream.frames * stream.time_base) or None
    if stream.duration:
        return float(((stream.start_time or 0) + stream.duration) * stream.time_base) - start_s
    tag = CLOCK_TEXT.match(stream.metadata.get("DURATION", ""))  # Matroska, from its zero
    if tag:
        return int(tag[1]) * 3600 + int(tag[2]) * 60 + float(tag[3]) - start_s
    alone = len(container.streams) == 1
    return container.duration / MICROSECONDS if alone and container.duration else None
