"""Annotated video of one camera in files of some minutes, each playable by itself."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from av.error import FFmpegError

from pipeline.datatypes import Image
from pipeline.layout.recording import PARTIAL, Kind, create, iso_utc, recorded_files
from pipeline.sinks.h264 import H264File
from pipeline.sinks.live.fragments import cut_torn_fragment

__all__ = ["MAX_GAP_S", "CameraVideo", "Segment", "adopt_orphans"]

log = logging.getLogger(__name__)

FRAGMENTS = {
    "movflags": "frag_keyframe+empty_moov+default_base_moof",
    # What a kill costs; a fragment takes a hundred bytes beside its pictures.
    "frag_duration": "250000",
    # Each fragment goes to the file at once, not when the muxer's buffer is full.
    "flush_packets": "1",
}
ENCODER = {
    # No picture waits in the encoder for those that follow: at 5 pictures a second its usual
    # look-ahead alone would be some eight seconds, lost in a kill.
    "tune": "zerolatency",
    "forced-idr": "1",
    "sc_threshold": "0",
}
NO_LIMIT = 1_000_000
"""Pictures between key frames: they come by time."""
GROUP_S = 1.0
"""Key frames come this often, for players that jump."""
MAX_GAP_S = 10.0
"""A camera that is silent for longer goes on in a new file, not with a frozen picture."""
SYNC_BYTES = 4_000_000
"""Bytes after which the disk is asked to have them; the system's own pace is half a minute."""


class _Output:
    """What the muxer writes to: all of a piece or an error, and counted."""

    def __init__(self, descriptor: int, count: Callable[[int], None]) -> None:
        self._descriptor = descriptor
        self._count = count
        self._unsynced = 0

    def write(self, piece: bytes) -> int:
        written = 0
        while written < len(piece):
            written += os.write(self._descriptor, piece[written:])
        self._count(written)
        self._unsynced += written
        if self._unsynced >= SYNC_BYTES:
            os.fsync(self._descriptor)
            self._unsynced = 0
        return written


class Segment:
    """One file of video, ``.partial`` until it is finished.

    Args:
        folder: The camera's folder.
        camera: Its name.
        size: Width and height of its pictures; where odd, a row or column is repeated.
        time_s: Time of the first picture, seconds since the epoch.
        crf: Constant quality of x264; 18 is hardly told from the original, 28 is good.
        count: Called with every number of bytes written.

    Raises:
        OSError: The file cannot be made.
    """

    def __init__(
        self,
        folder: Path,
        camera: str,
        size: tuple[int, int],
        time_s: float,
        *,
        crf: int,
        count: Callable[[int], None],
    ) -> None:
        self.size = size
        self.begun_s = self.last_s = time_s
        self._key_s = float("-inf")
        self.path, self._descriptor = create(folder, camera, ".mp4" + PARTIAL, time_s)
        began = iso_utc(time_s)
        self._file = H264File(
            _Output(self._descriptor, count),
            size,
            muxer=FRAGMENTS,
            encoder={**ENCODER, "crf": str(crf)},
            # The detector needs the other threads, and this one is asked for its pictures' time.
            threads=1,
            group=NO_LIMIT,
            metadata={"creation_time": began, "title": f"{camera} {began}"},
        )

    def write(self, image: Image, time_s: float) -> None:
        """Append a picture.

        Args:
            image: BGR, of the segment's size.
            time_s: When it was taken; not before the one before.

        Raises:
            OSError: The disk is full or gone.
            FFmpegError: The encoder failed.
        """
        key = time_s - self._key_s >= GROUP_S
        self._file.write(image, time_s - self.begun_s, key=key)
        self.last_s = time_s
        if key:
            self._key_s = time_s

    def close(self) -> Path:
        """Finish the file and give it its name.

        Returns:
            Its path.

        Raises:
            OSError: The disk is full or gone.
            FFmpegError: The encoder failed.
        """
        self._file.finish()
        os.fsync(self._descriptor)
        os.close(self._descriptor)
        self._descriptor = -1
        return _finished(self.path)

    def abandon(self) -> None:
        """Keep what is whole of a file that could not be written on."""
        with suppress(OSError, FFmpegError):
            self._file.abandon()
        if self._descriptor < 0:
            return
        try:
            _keep_whole(self.path, self._descriptor)
        except OSError as error:
            log.warning("%s could not be finished (%s)", self.path, error.strerror)
        finally:
            os.close(self._descriptor)
            self._descriptor = -1


class CameraVideo:
    """The video of one camera: begins a new segment when it is time, or the picture changes.

    Args:
        folder: The recorder's folder of videos.
        camera: Its name.
        segment_s: Length of a segment; they begin at multiples of it, so that those of all
            cameras fit together.
        crf: See ``Segment``.
        count: See ``Segment``.
    """

    def __init__(
        self,
        folder: Path,
        camera: str,
        *,
        segment_s: float,
        crf: int,
        count: Callable[[int], None],
    ) -> None:
        self._folder = folder / camera
        self.camera = camera
        self._segment_s = segment_s
        self._crf = crf
        self._count = count
        self._segment: Segment | None = None
        self.finished = 0

    @property
    def path(self) -> Path:
        """The file that is written, or the camera's folder where there is none."""
        return self._folder if self._segment is None else self._segment.path

    def write(self, image: Image, time_s: float) -> None:
        """Append a picture, to a new segment where it cannot follow the last one.

        Raises:
            OSError: The disk is full or gone; what was written is kept.
            FFmpegError: The encoder failed; what was written is kept.
        """
        height, width = image.shape[:2]
        if self._segment is not None and not self._goes_on((width, height), time_s):
            self.close()
        try:
            if self._segment is None:
                self._segment = Segment(
                    self._folder,
                    self.camera,
                    (width, height),
                    time_s,
                    crf=self._crf,
                    count=self._count,
                )
            self._segment.write(image, time_s)
        except BaseException:
            self._abandon()
            raise

    def close(self) -> None:
        """Finish the segment, if there is one.

        Raises:
            OSError: The disk is full or gone; what was written is kept.
            FFmpegError: The encoder failed; what was written is kept.
        """
        if self._segment is None:
            return
        try:
            self._segment.close()
        except BaseException:
            self._abandon()
            raise
        self._segment = None
        self.finished += 1

    def _goes_on(self, size: tuple[int, int], time_s: float) -> bool:
        assert self._segment is not None
        same_slot = self._segment.begun_s // self._segment_s == time_s // self._segment_s
        gap_s = time_s - self._segment.last_s
        return same_slot and size == self._segment.size and 0 <= gap_s <= MAX_GAP_S

    def _abandon(self) -> None:
        segment, self._segment = self._segment, None
        if segment is not None:
            segment.abandon()


def adopt_orphans(folder: Path) -> int:
    """Finish the videos that a killed run left, as far as they are whole.

    Args:
        folder: The recorder's folder; nobody else may be recording into it.

    Returns:
        How many were finished.
    """
    adopted = 0
    for file in recorded_files(folder, [Kind.VIDEO]):
        if not file.partial:
            continue
        try:
            descriptor = os.open(file.path, os.O_RDWR | os.O_NOFOLLOW)
            try:
                adopted += _keep_whole(file.path, descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            log.warning("%s could not be finished (%s)", file.path, error.strerror)
    if adopted:
        log.info("%d videos that were cut off have been finished", adopted)
    return adopted


def _keep_whole(path: Path, descriptor: int) -> bool:
    """Cut the torn end and give a video its name; delete it where nothing can be played."""
    if cut_torn_fragment(descriptor) == 0:
        path.unlink()
        return False
    _finished(path)
    return True


def _finished(path: Path) -> Path:
    return path.replace(path.with_name(path.name.removesuffix(PARTIAL)))
