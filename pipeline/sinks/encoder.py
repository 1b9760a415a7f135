"""A video file that is written atomically."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Self

import av
from av.error import FFmpegError

from pipeline.datatypes import Image
from pipeline.errors import SinkError
from pipeline.foreign import MARK
from pipeline.layout.files import cannot_write
from pipeline.sinks.h264 import H264File

__all__ = ["VideoWriter", "is_annotated"]

MUXER = {"movflags": "+faststart"}
ENCODER = {"crf": "23"}
MADE_BY = {"comment": f"annotated by {MARK}"}
"""By which a video is known to be ours."""


class VideoWriter:
    """Writes frames to a file that appears under its name when it is complete.

    Use it as a context manager: leaving it normally finishes the file, leaving it with an
    error removes it.

    Args:
        path: The ``.mp4`` file.
        preset: Of x264: the faster, the larger the file.
    """

    def __init__(self, path: Path, *, preset: str = "veryfast") -> None:
        self._path = path
        self._partial = path.with_name(path.name + ".partial")
        self._encoder = ENCODER | {"preset": preset}
        self._file: H264File | None = None

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
            if self._file is None:
                height, width = image.shape[:2]
                self._file = H264File(
                    str(self._partial.absolute()),
                    (width, height),
                    muxer=MUXER,
                    encoder=self._encoder,
                    threads=0,  # as x264 chooses
                    metadata=MADE_BY,
                )
            self._file.write(image, time_s)
        except (OSError, FFmpegError) as error:
            raise self._failure(error) from None

    def _finish(self) -> None:
        if self._file is None:
            return
        self._file.finish()
        self._file = None
        self._partial.replace(self._path)

    def _abandon(self) -> None:
        if self._file is not None:
            # The reason it failed is on its way to the caller already.
            with suppress(OSError, FFmpegError):
                self._file.abandon()
            self._file = None
        self._partial.unlink(missing_ok=True)

    def _failure(self, error: Exception) -> SinkError:
        if isinstance(error, OSError):
            return cannot_write(self._path, error)
        return SinkError(f"{self._path} could not be encoded: {error}")


def is_annotated(path: Path) -> bool:
    """Tell whether a file is a video that a ``VideoWriter`` wrote, not a link to one."""
    if path.is_symlink() or not path.is_file():
        return False
    try:
        with av.open(str(path.absolute()), format="mp4") as container:
            return bool(container.metadata.get("comment") == MADE_BY["comment"])
    except (FFmpegError, OSError, ValueError):
        return False
