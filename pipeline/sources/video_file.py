"""One video file as a camera."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av

from pipeline.datatypes import Frame
from pipeline.errors import DecodeError
from pipeline.gpu_frame import GpuFrame
from pipeline.sources.container import (
    DECODER_THREADS,
    Damage,
    decoded_frames,
    open_container,
    reason,
)
from pipeline.sources.frame_times import FrameTimes
from pipeline.sources.nvdec import TakenPicture
from pipeline.sources.pass_report import PassReport
from pipeline.sources.picture_converter import PictureConverter
from pipeline.sources.video_header import VideoHeader, read_header

__all__ = ["VideoFile"]

log = logging.getLogger(__name__)

CHANGED = "the file was changed, replaced or removed while it was read: run again once it is whole"


class VideoFile:
    """A camera whose frames come from a file.

    The file is checked on construction: a source that exists can be opened and has at least
    one frame. Each iteration opens the file anew and yields the same frames, so it can be
    read twice; starting one closes the one before. All calls belong to one thread.

    What comes out:

    - ``time_s`` is the stream's own time since the start of the *file*, so a video track that
      starts after the sound starts late here too, plus ``time_offset_s``. See ``FrameTimes``
      for stamps that are missing or fall back.
    - Frames have their true size, also where it changes on the way, are turned upright, and
      their pixels are square.
    - A frame that the decoder itself calls corrupt is left out, its picture is known to be
      wrong, but keeps its number: ``index`` counts what the decoder hands out, as other tools
      count, so saved boxes still meet their frames. Pictures that only refer to a damaged one
      are kept; they may be smeared up to the next key frame.
    - Packets that cannot be decoded are passed over. ``warnings`` tells of all this.

    Args:
        camera: Name of the camera.
        path: The file.
        time_offset_s: Added to the file's own time.
        max_pixels: Largest frame that is decoded.
        max_seconds: Stop after this much of the file's own time.
        threads: Of the decoder.
        acceleration: What PyAV decodes with on a GPU, where the pixels stay.

    Raises:
        SourceError: The file cannot be used.
    """

    def __init__(
        self,
        camera: str,
        path: Path,
        *,
        time_offset_s: float = 0.0,
        max_pixels: int = 40_000_000,
        max_seconds: float | None = None,
        threads: int = DECODER_THREADS,
        acceleration: Any | None = None,
    ) -> None:
        self.path = path
        self._threads = threads
        self._camera = camera
        self._time_offset_s = time_offset_s
        self._max_pixels = max_pixels
        self._max_seconds = max_seconds
        self._acceleration = acceleration
        self._header = read_header(path, max_pixels=max_pixels)
        self._state = _state(path)
        self._frames: Generator[Frame, None, None] | None = None
        self._warnings: list[str] = []

    @property
    def camera(self) -> str:
        """Name of the camera."""
        return self._camera

    @property
    def header(self) -> VideoHeader:
        """What the file states about itself: size, rate, number of frames."""
        return self._header

    @property
    def duration_s(self) -> float | None:
        """Length in seconds as the file states it, ``None`` where it states none."""
        return self._header.duration_s

    @property
    def warnings(self) -> list[str]:
        """What was wrong in the latest iteration, one line each; complete once it has ended."""
        return list(self._warnings)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the iteration that is under way, and close its file."""
        if self._frames is not None:
            self._frames.close()
            self._frames = None

    def __iter__(self) -> Generator[Frame, None, None]:
        """Yield the frames from the first on.

        Raises:
            SourceError: The file is gone or was replaced by something else.
            DecodeError: The disc failed, or no frame is left that could be used.
        """
        self.close()
        self._warnings = []
        self._frames = self._read()
        return self._frames

    def _read(self) -> Generator[Frame, None, None]:
        damage = Damage()
        report = PassReport(self._header)
        times = FrameTimes[tuple[int, TakenPicture]](
            origin_s=self._header.start_s, interval_s=self._header.interval_s
        )
        fetched = 0
        try:
            with closing(self._pictures(damage)) as pictures:
                for index, picture, own_s in self._timed(pictures, times):
                    if self._max_seconds is not None and own_s >= self._max_seconds:
                        break
                    shown_s = float(picture.duration * picture.time_base)
                    report.count(own_s, shown_s=shown_s, corrupt=picture.is_corrupt)
                    if not picture.is_corrupt:
                        time_s = round(own_s + self._time_offset_s, 6)
                        frame = picture.frame(self._camera, index, time_s)
                        fetched += not isinstance(frame, GpuFrame)
                        yield frame
                else:
                    report.reached_end = True
        except DecodeError as error:
            raise DecodeError(
                f"video {self.path}: {error}, after {report.extent}; check the disc and run again"
            ) from None
        finally:
            self._warnings = report.warnings(damage, times)
            if fetched and self._acceleration is not None:
                self._warnings.append(f"frames that the GPU could not decode or keep: {fetched}")
            if _state(self.path) != self._state:
                self._warnings.append(CHANGED)
        if report.reached_end and report.frames == report.corrupt:
            raise DecodeError(
                f"video {self.path}: none of its frames could be decoded; copy or record it again"
            )

    def _pictures(self, damage: Damage) -> Generator[TakenPicture, None, None]:
        """Yield all pictures; from where a GPU fails on, those that the CPU decodes."""
        done = 0
        if self._acceleration is not None:
            try:
                for picture in self._decoded(damage, self._acceleration):
                    if damage.failed_packets:
                        break
                    yield picture
                    done += 1
                if not damage.failed_packets:
                    return
            # PyAV, CUDA and torch fail in ways of their own.
            except (DecodeError, av.error.FFmpegError, RuntimeError, ValueError) as error:
                log.warning("%s: the GPU fails (%s), the CPU decodes on", self.path, reason(error))
            damage.forget()  # what is wrong with the file, the CPU meets too
        yield from islice(self._decoded(damage, None), done, None)

    def _decoded(
        self, damage: Damage, acceleration: Any | None
    ) -> Generator[TakenPicture, None, None]:
        opened = open_container(
            self.path,
            damage,
            max_pixels=self._max_pixels,
            threads=self._threads,
            acceleration=acceleration,
        )
        with opened as (container, stream):
            take = PictureConverter(stream).taken
            # At once: a GPU needs the few surfaces that it decodes to for the next pictures.
            for each in decoded_frames(container, stream, damage):
                yield take(each, keep=acceleration is not None)

    def _timed(
        self, pictures: Iterator[TakenPicture], times: FrameTimes[tuple[int, TakenPicture]]
    ) -> Iterator[tuple[int, TakenPicture, float]]:
        """Yield number, picture and time; those that wait for their time come before an error."""
        failure: DecodeError | None = None
        try:
            for index, picture in enumerate(pictures):
                stamp = picture.dts if self._header.decoding_stamps else picture.pts
                pushed = times.push((index, picture), stamp, picture.time_base)
                for (number, ready), own_s in pushed:
                    yield number, ready, own_s
        except DecodeError as error:
            failure = error
        for (number, ready), own_s in times.finish():
            yield number, ready, own_s
        if failure is not None:
            raise failure


def _state(path: Path) -> tuple[int, int, int] | None:
    """Return what tells whether a file is as it was, ``None`` where there is none."""
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_ino, state.st_size, state.st_mtime_ns
