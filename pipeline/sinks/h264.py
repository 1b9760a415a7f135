"""H.264 in MP4, which every browser plays, with the timing of the source."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Protocol

import av
import cv2
import numpy as np
from av.video.frame import PictureType

from pipeline.datatypes import Image

__all__ = ["H264File", "Output"]

TIME_BASE = Fraction(1, 90_000)
"""Fine enough for any frame rate, and what MPEG systems count in."""
NOMINAL_RATE = 25
"""The encoder wants a rate; the real timing is in the time stamps."""


class Output(Protocol):
    """What a file can be written to in place of a path."""

    def write(self, content: bytes, /) -> int:
        """Write all of it; return its length."""


class H264File:
    """An MP4 file under construction.

    Args:
        target: Path, or what is written to.
        size: Width and height of the pictures; where odd, a row or column is repeated.
        muxer: Options of the MP4 muxer.
        encoder: Options of x264.
        threads: Threads of the encoder; 0 lets it choose.
        group: Maximum number of pictures from one key frame to the next; ``None`` leaves it to the encoder.
        metadata: What the file says about itself.

    Raises:
        OSError: The file cannot be made.
        FFmpegError: The encoder cannot be had.
    """

    def __init__(
        self,
        target: str | Output,
        size: tuple[int, int],
        *,
        muxer: Mapping[str, str],
        encoder: Mapping[str, str],
        threads: int,
        group: int | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        width, height = size
        self._size = width + width % 2, height + height % 2
        self._last_pts = -1
        self._container: Any = av.open(target, "w", format="mp4", options=dict(muxer))
        self._container.metadata.update(metadata or {})
        self._stream: Any = self._container.add_stream(
            "libx264", rate=NOMINAL_RATE, options={"preset": "veryfast", **encoder}
        )
        self._stream.width, self._stream.height = self._size
        self._stream.pix_fmt = "yuv420p"
        context = self._stream.codec_context
        context.time_base = TIME_BASE
        context.thread_count = threads
        if group is not None:
            context.gop_size = group

    def write(self, image: Image, time_s: float, *, key: bool = False) -> None:
        """Append a picture to be shown from ``time_s`` on.

        Args:
            image: BGR; fitted into the size of the file where it has another.
            time_s: Seconds since the start of the video, greater than before.
            key: Make it a key frame, to which players can jump.

        Raises:
            OSError: The disk is full or gone.
            FFmpegError: The encoder failed.
        """
        picture = av.VideoFrame.from_ndarray(_fitted(image, self._size), format="bgr24")
        self._last_pts = max(self._last_pts + 1, round(time_s / TIME_BASE))
        picture.pts = self._last_pts
        picture.time_base = TIME_BASE
        if key:
            picture.pict_type = PictureType.I
        self._container.mux(self._stream.encode(picture))

    def finish(self) -> None:
        """Write what waits in the encoder, and the end of the file.

        Raises:
            OSError: The disk is full or gone.
            FFmpegError: The encoder failed.
        """
        self._container.mux(self._stream.encode())
        self._container.close()

    def abandon(self) -> None:
        """Close the file as it is.

        Raises:
            OSError: The disk is full or gone.
            FFmpegError: The muxer failed.
        """
        self._container.close()


def _fitted(image: Image, size: tuple[int, int]) -> Image:
    """Return the image at ``(width, height)``: padded by a line, or scaled with grey bars."""
    width, height = size
    have_h, have_w = image.shape[:2]
    if (have_w, have_h) == size:
        return np.ascontiguousarray(image)
    if 0 <= width - have_w <= 1 and 0 <= height - have_h <= 1:
        edges = (0, height - have_h, 0, width - have_w)
        padded: Image = cv2.copyMakeBorder(image, *edges, cv2.BORDER_REPLICATE)
        return padded
    scale = min(width / have_w, height / have_h)
    new_w, new_h = max(1, round(have_w * scale)), max(1, round(have_h * scale))
    canvas = np.full((height, width, 3), 32, np.uint8)
    left, top = (width - new_w) // 2, (height - new_h) // 2
    canvas[top : top + new_h, left : left + new_w] = cv2.resize(image, (new_w, new_h))
    return canvas
