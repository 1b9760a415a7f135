"""H.264 in an MP4 that every browser plays, with the timing of the source."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any, Self

import av
import cv2
import numpy as np
from av.error import FFmpegError

from pipeline.datatypes import Image
from pipeline.errors import SinkError
from pipeline.layout.files import cannot_write

__all__ = ["VideoWriter"]

TIME_BASE = Fraction(1, 90_000)
"""Fine enough for any frame rate, and what MPEG systems count in."""
NOMINAL_RATE = 25
"""The encoder wants a rate; the real timing is in the time stamps."""
QUALITY = {"preset": "veryfast", "crf": "23"}


class VideoWriter:
    """Writes frames to a file that appears under its name when it is complete.

    Use it as a context manager: leaving it normally finishes the file, leaving it with an
    error removes it.

    Args:
        path: The ``.mp4`` file.
        threads: Threads of the encoder; 0 lets it choose.
    """

    def __init__(self, path: Path, *, threads: int = 0) -> None:
        self._path = path
        self._partial = path.with_name(path.name + ".partial")
        self._threads = threads
        self._container: Any = None
        self._stream: Any = None
        self._size = (0, 0)
        self._last_pts = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._abandon()
            return
        try:
            self._finish()
        except (OSError, FFmpegError) as error:
            self._abandon()
            raise self._failure(error) from None

    def write(self, image: Image, time_s: float) -> None:
        """Append a frame to be shown from ``time_s`` on.

        Args:
            image: BGR. The first one sets the size, made even by repeating its last row or
                column; others are fitted into it.
            time_s: Seconds since the start of the video, greater than before.

        Raises:
            SinkError: The disk is full or gone.
        """
        try:
            if self._container is None:
                self._open(image)
            picture = av.VideoFrame.from_ndarray(_fitted(image, self._size), format="bgr24")
            self._last_pts = max(self._last_pts + 1, round(time_s / TIME_BASE))
            picture.pts = self._last_pts
            picture.time_base = TIME_BASE
            self._container.mux(self._stream.encode(picture))
        except (OSError, FFmpegError) as error:
            raise self._failure(error) from None

    def _open(self, image: Image) -> None:
        height, width = image.shape[:2]
        self._size = width + width % 2, height + height % 2
        self._container = av.open(
            str(self._partial), "w", format="mp4", options={"movflags": "+faststart"}
        )
        self._stream = self._container.add_stream("libx264", rate=NOMINAL_RATE, options=QUALITY)
        self._stream.width, self._stream.height = self._size
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = TIME_BASE
        self._stream.codec_context.thread_count = self._threads

    def _finish(self) -> None:
        if self._container is None:
            return
        self._container.mux(self._stream.encode())
        self._container.close()
        self._container = None
        self._partial.replace(self._path)

    def _abandon(self) -> None:
        if self._container is not None:
            # The reason it failed is on its way to the caller already.
            with suppress(OSError, FFmpegError):
                self._container.close()
            self._container = None
        self._partial.unlink(missing_ok=True)

    def _failure(self, error: Exception) -> SinkError:
        if isinstance(error, OSError):
            return cannot_write(self._path, error)
        return SinkError(f"{self._path} could not be encoded: {error}")


def _fitted(image: Image, size: tuple[int, int]) -> Image:
    """Return the image at ``(width, height)``: padded by a line, or scaled with grey bars."""
    width, height = size
    have_h, have_w = image.shape[:2]
    if (have_w, have_h) == size:
        return image
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
