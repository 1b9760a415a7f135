"""Annotated video of all cameras, encoded in its own thread."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pipeline.datatypes import Image
from pipeline.layout.recording import Kind, make_private
from pipeline.sinks.live.disk import Gate
from pipeline.sinks.live.segments import MAX_GAP_S, CameraVideo

__all__ = ["VideoRecorder"]

log = logging.getLogger(__name__)

MAX_WAITING = 8
"""Pictures of one camera that may wait to be encoded: 22 MB at 1280 x 720."""
IDLE_S = 0.5


class VideoRecorder:
    """Takes pictures without waiting and encodes them as fast as it can.

    ``offer`` and the figures are for other threads; the rest happens in its own.

    Args:
        folder: The recorder's folder.
        gate: Whether there is room for video.
        segment_s: Length of a file.
        max_fps: Pictures a second of one camera that are kept.
        crf: Quality; see ``Segment``.
        clock: Seconds of a clock that never jumps.
    """

    def __init__(
        self,
        folder: Path,
        gate: Gate,
        *,
        segment_s: float,
        max_fps: float,
        crf: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder / Kind.VIDEO
        self._gate = gate
        self._segment_s = segment_s
        self._period_s = 1 / max_fps
        self._crf = crf
        self._clock = clock
        self._due_s: dict[str, float] = {}
        self._cameras: dict[str, CameraVideo] = {}
        self._written_s: dict[str, float] = {}
        self._bytes = self._dropped = 0
        self._waiting: deque[tuple[str, float, Image] | threading.Event] = deque()
        self._counts: Counter[str] = Counter()
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._work, name="recording-video", daemon=True)
        self._thread.start()

    def offer(self, camera: str, time_s: float, picture: Callable[[], Image]) -> None:
        """Take a picture to be encoded; drop it where too many wait, or there is no room.

        Args:
            camera: Its camera.
            time_s: When it was taken, seconds since the epoch.
            picture: Gives the picture, BGR; called only if it is wanted. It must not be
                changed afterwards.
        """
        if not self._gate.is_open() or not self._is_due(camera, time_s):
            return
        with self._changed:
            if self._stopping:
                return
            if self._counts[camera] >= MAX_WAITING:
                self._dropped += 1
                return
        image = picture()
        with self._changed:
            self._waiting.append((camera, time_s, image))
            self._counts[camera] += 1
            self._changed.notify()

    def cut(self, timeout_s: float) -> bool:
        """Finish all files with what was offered by now; what follows goes to new ones.

        Returns:
            Whether that was done in time.
        """
        done = threading.Event()
        with self._changed:
            self._waiting.append(done)
            self._changed.notify()
        return done.wait(timeout_s)

    def figures(self) -> dict[str, float]:
        """Return how it is going, by name."""
        with self._changed:
            return {
                "recorded_segments_total": float(
                    sum(each.finished for each in self._cameras.values())
                ),
                "recorded_video_bytes_total": float(self._bytes),
                "unrecorded_frames_total": float(self._dropped),
                "recording_waiting_frames": float(self._counts.total()),
            }

    def stop(self) -> None:
        """Ask for the end: encode what waits and finish all files."""
        with self._changed:
            self._stopping = True
            self._changed.notify()

    def join(self, timeout_s: float) -> bool:
        """Wait for the end; return whether it came."""
        self._thread.join(max(0.0, timeout_s))
        return not self._thread.is_alive()

    def _is_due(self, camera: str, time_s: float) -> bool:
        due_s = self._due_s.get(camera, float("-inf"))
        went_back = time_s < due_s - self._period_s
        if time_s < due_s and not went_back:
            return False
        # From where it was due, so that 10 a second of 25 are 10 and not every third.
        late = went_back or time_s > due_s + self._period_s
        self._due_s[camera] = (time_s if late else due_s) + self._period_s
        return True

    # In the thread

    def _work(self) -> None:
        while True:
            with self._changed:
                if not self._waiting and not self._stopping:
                    self._changed.wait(IDLE_S)
                taken = self._waiting.popleft() if self._waiting else None
                ending = self._stopping and taken is None
            if isinstance(taken, threading.Event):
                self._close(list(self._cameras))
                taken.set()
                continue
            if not self._gate.is_open() or ending:
                self._close(list(self._cameras))
            elif taken is not None:
                self._write(*taken)
            if taken is not None:
                with self._changed:
                    self._counts[taken[0]] -= 1
            if ending:
                return
            now_s = self._clock()
            self._close([c for c, at_s in self._written_s.items() if now_s - at_s > MAX_GAP_S])

    def _write(self, camera: str, time_s: float, image: Image) -> None:
        video = self._cameras.get(camera) or self._begin(camera)
        with self._guarded(video):
            make_private(self._folder)
            video.write(image, time_s)
            self._written_s[camera] = self._clock()
            self._gate.worked()

    def _close(self, cameras: Sequence[str]) -> None:
        for camera in cameras:
            self._written_s.pop(camera, None)
            with self._guarded(self._cameras[camera]):
                self._cameras[camera].close()

    @contextmanager
    def _guarded(self, video: CameraVideo) -> Iterator[None]:
        """Whatever goes wrong closes the gate for a while and never ends the thread."""
        try:
            yield
        except OSError as error:
            self._gate.failed(video.path, error)
        except Exception as error:
            log.exception("a picture of %s could not be encoded", video.camera)
            self._gate.failed(video.path, OSError(0, f"the encoder failed: {error}"))

    def _begin(self, camera: str) -> CameraVideo:
        video = CameraVideo(
            self._folder, camera, segment_s=self._segment_s, crf=self._crf, count=self._count
        )
        with self._changed:
            self._cameras[camera] = video
        return video

    def _count(self, written: int) -> None:
        self._bytes += written
