"""Opening video files safely, and decoding past their damage.

FFmpeg follows play lists and addresses found *inside* files, so only demuxers that read
one self-contained file are allowed; measured, the list of formats stops all of it while a
list of protocols alone does not.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av

from pipeline.errors import DecodeError, SourceError
from pipeline.foreign import special_kind, way_out

__all__ = [
    "DECODER_THREADS", "FORMATS", "Damage", "decoded_frames", "decoder_threads", "demuxed",
    "open_container", "reason",
]  # fmt: skip

FORMATS = ("mov", "matroska", "mpegts", "avi", "flv", "h264", "hevc")
"""FFmpeg's names of the demuxers that may be used (``mov`` is MP4, ``matroska`` WebM too)."""

FORMATS_SHOWN = "MP4, MOV, MKV, WebM, TS, AVI, FLV, H.264 or HEVC"

PLAYLIST_STARTS = (b"#EXTM3U", b"ffconcat", b"[playlist]", b"<?xml", b"<MPD", b"<smil")

DECODER_THREADS = 4
"""Threads per file, the same on every machine, because damage costs up to this many frames at
the end of a file; more of them help little where several cameras are read at once."""
ALL_DECODER_THREADS = 16
"""Threads of all files that are read at once; with more files each has fewer, at least one."""

BROKEN_READS = 3
"""Failed reads in a row, without one packet between them, after which the file has ended."""


@dataclass(slots=True)
class Damage:
    """What went wrong in one pass over a file.

    Attributes:
        failed_packets: Packets that the decoder refused.
        hidden: Pictures that an edit list leaves out.
        cut_off: Whether the file ends in the middle of a packet or of its index.
        stopped: Why reading ended before the end of the file, if it did.
    """

    failed_packets: int = 0
    hidden: int = 0
    cut_off: bool = False
    stopped: str | None = None

    def forget(self) -> None:
        """Begin anew, as the file is read again."""
        self.failed_packets, self.hidden, self.cut_off, self.stopped = 0, 0, False, None


def reason(error: Exception) -> str:
    """Return an error's text on one line, without the path that callers name anyway."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(text).split())


def decoder_threads(files: int) -> int:
    """Return the threads that each of so many files may have, where they are read at once."""
    return min(DECODER_THREADS, max(1, ALL_DECODER_THREADS // files))


@contextlib.contextmanager
def open_container(
    path: Path,
    damage: Damage,
    *,
    max_pixels: int,
    threads: int = DECODER_THREADS,
    acceleration: Any | None = None,
) -> Iterator[tuple[Any, Any]]:
    """Open a video file and yield its PyAV container and its largest video stream.

    Args:
        path: The file.
        damage: Takes in whether the file's index is damaged.
        max_pixels: Frames larger than this are refused, also when they come later.
        threads: Of the decoder.
        acceleration: PyAV's ``HWAccel`` to decode with, if it can be.

    Raises:
        SourceError: The file cannot be read, is no video, holds no picture, or too large a one.
    """
    _check_readable(path)
    container = _open(path, damage, max_pixels=max_pixels, acceleration=acceleration)
    try:
        stream = _video_stream(path, container)
        _check_size(path, stream, max_pixels=max_pixels)
        stream.thread_type = "AUTO"
        stream.thread_count = threads
        yield container, stream
    finally:
        container.close()


def _check_readable(path: Path) -> None:
    try:
        if path.is_dir():
            raise SourceError(f"video {path} is a folder: name a video file in it")
        if kind := special_kind(path):
            raise SourceError(f"video {path} is {kind}, no file: record it to a file first")
        with path.open("rb") as file:
            empty = not file.read(1)
    except FileNotFoundError:
        raise SourceError(f"video {path} does not exist: check the path") from None
    except PermissionError:
        raise SourceError(
            f"video {path} cannot be read, permission denied: allow it (chmod u+r)"
        ) from None
    except OSError as error:
        raise SourceError(
            f"video {path} cannot be read ({reason(error)}): {way_out(error)}"
        ) from None
    if empty:
        raise SourceError(f"video {path} is empty (0 bytes): copy or record it again")


def _open(path: Path, damage: Damage, *, max_pixels: int, acceleration: Any | None) -> Any:
    options = {
        "format_whitelist": ",".join(FORMATS),
        "protocol_whitelist": "file",
        "max_pixels": str(max_pixels),
    }
    # An absolute path can never be taken for an address (`http:...` is a legal file name).
    address = str(path.absolute())
    if acceleration is not None:
        with contextlib.suppress(av.error.FFmpegError, OSError, ValueError):
            return av.open(address, options=options, hwaccel=acceleration)
    try:
        return av.open(address, options=options)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        first_error = error
    # A fragmented MP4 cut off inside a fragment's header cannot be indexed, but read in order.
    try:
        container = av.open(address, options={**options, "fflags": "+ignidx"})
    except (av.error.FFmpegError, OSError, ValueError):
        raise SourceError(_why_unreadable(path, first_error)) from None
    damage.cut_off = True
    return container


def _why_unreadable(path: Path, error: Exception) -> str:
    with path.open("rb") as file:
        start = file.read(4096)
    if start.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(PLAYLIST_STARTS):
        return f"video {path} is a play list, not a video: name the videos that it lists"
    if start[4:8] == b"ftyp":
        return (
            f"video {path} has no readable index, its recording was cut off or it is damaged "
            f"({reason(error)}): copy it again, or mend it with a repair tool for MP4"
        )
    return (
        f"video {path} is no video that can be read ({reason(error)}): expected {FORMATS_SHOWN}; "
        "convert anything else with `ffmpeg -i IN OUT.mp4`"
    )


def _video_stream(path: Path, container: Any) -> Any:
    # The cover picture of a music file counts as a video stream of one frame.
    cover = av.stream.Disposition.attached_pic
    streams = [each for each in container.streams.video if not each.disposition & cover]
    if not streams:
        kinds = ", ".join(sorted({each.type for each in container.streams})) or "nothing"
        raise SourceError(
            f"video {path} has no video stream, only {kinds}: name a file that has pictures"
        )
    decodable = [each for each in streams if each.codec_context is not None]
    if not decodable:
        raise SourceError(f"video {path} has a codec that is not known here: convert it to H.264")
    return max(decodable, key=lambda each: each.codec_context.width * each.codec_context.height)


def _check_size(path: Path, stream: Any, *, max_pixels: int) -> None:
    codec = stream.codec_context
    if codec.width * codec.height > max_pixels:
        raise SourceError(
            f"video {path} is {codec.width}x{codec.height}, {codec.width * codec.height} pixels "
            f"a frame: at most {max_pixels} are allowed; scale it down or raise source.max_pixels"
        )
    codec.options = {**codec.options, "max_pixels": str(max_pixels)}


def decoded_frames(container: Any, stream: Any, damage: Damage) -> Iterator[Any]:
    """Yield every frame the decoder hands out, going on after damage where it can.

    Args:
        container: An open PyAV container.
        stream: Its stream to decode.
        damage: Counts what could not be read or decoded.

    Raises:
        DecodeError: The disc or the memory failed, so that trying again may help. Frames
            that were complete by then come first.
    """
    for packet in _packets(container, stream, damage):
        damage.hidden += packet is not None and packet.is_discard
        try:
            frames = stream.decode(packet)
        except av.error.FFmpegError as error:
            if isinstance(error, MemoryError):
                raise DecodeError(f"decoding failed: {reason(error)}") from None
            damage.failed_packets += 1
            continue
        yield from frames


def demuxed(container: Any, stream: Any) -> Iterator[Any]:
    """Yield the packets of a stream."""
    # Where a further stream begins in the middle of a file, PyAV trips over it after the last packet.
    with contextlib.suppress(IndexError):
        yield from container.demux(stream)


def _packets(container: Any, stream: Any, damage: Damage) -> Iterator[Any]:
    """Yield the stream's packets, ``None`` last, which makes the decoder give what it holds.

    A half packet at the very end (that of a truncated file) is left out: with it, several
    threads give up frames that were complete before it.
    """
    broken = 0
    half: Any = None
    while broken < BROKEN_READS:
        try:
            for packet in demuxed(container, stream):
                broken = 0
                if packet.size == 0:  # the demuxer's own sign of the end
                    continue
                if half is not None:
                    yield half
                half = packet if packet.is_corrupt else None
                if half is None:
                    yield packet
            damage.cut_off |= half is not None
            break
        except av.error.FFmpegError as error:
            if isinstance(error, OSError | MemoryError):
                yield None
                raise DecodeError(f"reading failed: {reason(error)}") from None
            broken += 1
            damage.stopped = reason(error) if broken == BROKEN_READS else None
    yield None
