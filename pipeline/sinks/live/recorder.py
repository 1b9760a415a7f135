"""Records a live run in files: logs and video, with limits of age and size."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

from pipeline.datatypes import Event, FrameResult, Image
from pipeline.errors import OutputError, SinkError
from pipeline.health import RecordingState, RecordingStatus
from pipeline.layout.recording import (
    LOG_COLUMNS,
    Kind,
    iso_utc,
    make_private,
    recorded_files,
    recording_lock,
)
from pipeline.live_settings import RecordingSettings
from pipeline.locks import Lock
from pipeline.places import PLACE_COLUMNS
from pipeline.sinks.live.disk import MEGABYTE, Gate, free_bytes
from pipeline.sinks.live.lines_log import LinesLog
from pipeline.sinks.live.log_writer import LogWriter
from pipeline.sinks.live.retention import Retention
from pipeline.sinks.live.segments import adopt_orphans
from pipeline.sinks.live.track_log import event_line, track_lines
from pipeline.sinks.live.video import VideoRecorder

__all__ = ["LiveRecorder"]

log = logging.getLogger(__name__)

LOOK_S = 5.0
"""How often the free space is looked at."""
CLEAN_S = 60.0
"""How often what need not be kept is deleted."""
DAY_S = 86_400.0
GIGABYTE = 1_000_000_000


class LiveRecorder:
    """Logs of tracks and events, and annotated video, in one folder; a ``Recorder``.

    Made, fed and closed by one thread; ``state`` and ``figures`` are for any. Files are written
    by two threads of its own. Once it is made, nothing raises because of the disk.

    Args:
        folder: Where to record; made where it is missing. What an earlier run recorded there
            is mended, continued, and deleted when its time has come.
        settings: What to keep, and for how long.
        on_floor: Whether a camera is calibrated: then the log has places.
        wall: Seconds since the epoch.
        clock: Seconds of a clock that never jumps.
        free: Bytes that are free where a folder lies.

    Raises:
        OutputError: The folder cannot be made or written, or another run writes to it.
    """

    def __init__(
        self,
        folder: Path,
        settings: RecordingSettings,
        *,
        on_floor: bool = False,
        wall: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
        free: Callable[[Path], int] = free_bytes,
    ) -> None:
        self._folder, self._on_floor = folder, on_floor
        self._clock, self._wall, self._free = clock, wall, free
        self._run = iso_utc(wall())
        self._closed = False
        self._log_gate, self._video_gate = (
            Gate(what, folder, min_bytes=megabytes * MEGABYTE, clock=clock)
            for what, megabytes in (
                ("the track log", settings.min_free_log_mb),
                ("video", settings.min_free_mb),
            )
        )
        self._retention = Retention(
            logs_s=_times(settings.keep_days, DAY_S),
            video_s=_times(settings.keep_video_days, DAY_S),
            max_bytes=_times(settings.keep_gb, GIGABYTE),
        )
        self._disk_free = 0
        self._looked_s = self._cleaned_s = float("-inf")
        self._lock = _lock(folder)
        try:
            adopt_orphans(folder)
            self._look()
            self._warn_of_small_disk(settings)
            self._logs = _logs(folder, settings, on_floor=on_floor)
        except OSError as error:
            self._lock.release()
            raise _unusable(folder, error) from None
        self._video: VideoRecorder | None = None
        if settings.video:
            self._video = VideoRecorder(
                folder,
                self._video_gate,
                segment_s=settings.segment_s,
                max_fps=settings.video_fps,
                crf=settings.video_crf,
                clock=clock,
            )
        self._writer = LogWriter(self._logs, self._log_gate, self._keep_up, wall=wall)

    def write(self, results: Sequence[FrameResult], pictures: Mapping[str, Image]) -> None:
        """Take in the shown results of one step and the annotated pictures of its cameras.

        Args:
            results: ``frame.time_s`` in seconds since the epoch.
            pictures: By camera; asked for only where a picture is encoded, and not to be
                changed afterwards.
        """
        if self._closed:
            return
        lines, count = track_lines(results, self._run, on_floor=self._on_floor)
        if count:
            self._writer.add(Kind.TRACKS, lines, count)
        if self._video is None:
            return
        # Not ``in pictures``: a mapping that draws on demand would draw to answer that.
        shown = set(pictures)
        for result in results:
            camera = result.frame.camera
            if camera in shown:
                self._video.offer(
                    camera, result.frame.time_s, partial(pictures.__getitem__, camera)
                )

    def event(self, event: Event) -> None:
        """Take in an event for the log."""
        if not self._closed:
            self._writer.add(Kind.EVENTS, event_line(event), 1)

    def tick(self) -> None:
        """Have what waits written now. Without this it is written twice a second."""
        self._writer.wake()

    def cut(self, *, timeout_s: float) -> None:
        """Finish the videos that are written, so that others may change them. From any thread.

        Raises:
            SinkError: That was not done in time.
        """
        if self._video is not None and not self._video.cut(timeout_s):
            raise SinkError("the video that is written could not be finished: try again")

    def logs_at_rest(self) -> AbstractContextManager[None]:
        """Write all lines, and no more while others change the logs. From any thread."""
        return self._writer.at_rest()

    @property
    def state(self) -> RecordingState:
        """What is recorded now, and why not where it is not."""
        if self._closed:
            return RecordingState(RecordingStatus.OFF, RecordingStatus.OFF)
        logs = _status(self._log_gate)
        video = RecordingStatus.OFF if self._video is None else _status(self._video_gate)
        reason = self._log_gate.reason
        if not reason and self._video is not None:
            reason = self._video_gate.reason
        return RecordingState(logs, video, reason)

    def figures(self) -> dict[str, float]:
        """Return how it is going, by name.

        ``recording`` and ``recording_video`` are 1 where that is written and 0 where not; the
        latter is missing where no video is wanted.
        """
        state = self.state
        figures = {
            "disk_free_bytes": float(self._disk_free),
            "recording": float(state.logs is RecordingStatus.RECORDING),
        }
        figures |= self._writer.figures()
        if self._video is not None:
            figures["recording_video"] = float(state.video is RecordingStatus.RECORDING)
            figures |= self._video.figures()
        return figures

    def close(self, *, timeout_s: float) -> None:
        """Finish all files. What takes longer than ``timeout_s`` is mended by the next run."""
        if self._closed:
            return
        self._closed = True
        until_s = time.monotonic() + timeout_s
        self._writer.stop()
        if self._video is not None:
            self._video.stop()
        done = self._writer.join(timeout_s)
        if self._video is not None:
            done = self._video.join(until_s - time.monotonic()) and done
        if done:
            self._lock.release()
        else:
            log.warning(
                "recording under %s did not end within %g s: the next run finishes its files",
                self._folder,
                timeout_s,
            )

    def _warn_of_small_disk(self, settings: RecordingSettings) -> None:
        """Say so where the disk will be full before there is anything to delete."""
        if settings.keep_gb is None:
            return
        room = self._disk_free + sum(each.size for each in recorded_files(self._folder))
        room -= round(settings.min_free_mb * MEGABYTE)
        if room < settings.keep_gb * GIGABYTE:
            log.warning(
                "there is room for %.1f GB of recordings under %s, but keep_gb is %g: when the "
                "disk is full recording pauses; lower keep_gb to have old recordings deleted",
                max(0, room) / GIGABYTE,
                self._folder,
                settings.keep_gb,
            )

    # In the thread of the log writer

    def _keep_up(self) -> None:
        now_s = self._clock()
        if now_s - self._looked_s >= LOOK_S:
            self._look()
        if now_s - self._cleaned_s >= CLEAN_S:
            self._clean()

    def _look(self) -> None:
        self._looked_s = self._clock()
        try:
            self._disk_free = self._free(self._folder)
        except OSError as error:
            self._log_gate.failed(self._folder, error)
            self._video_gate.failed(self._folder, error)
            return
        self._log_gate.look(self._disk_free)
        self._video_gate.look(self._disk_free)

    def _clean(self) -> None:
        in_use = {each.path for each in self._logs.values() if each.path is not None}
        try:
            gone = self._retention.apply(self._folder, now_s=self._wall(), in_use=in_use)
        except OSError as error:
            log.warning("old recordings could not be deleted: %s", error)
            gone = 0
        if not gone:
            self._cleaned_s = self._clock()


def _logs(folder: Path, settings: RecordingSettings, *, on_floor: bool) -> dict[str, LinesLog]:
    columns = [*LOG_COLUMNS, *(PLACE_COLUMNS if on_floor else ())]
    kinds = ((Kind.TRACKS, ".csv", ",".join(columns)), (Kind.EVENTS, ".jsonl", ""))
    return {
        kind.value: LinesLog(
            folder,
            kind,
            suffix,
            header=header,
            max_bytes=round(settings.rotate_mb * MEGABYTE),
            rotate_s=settings.rotate_s,
        )
        for kind, suffix, header in kinds
    }


def _status(gate: Gate) -> RecordingStatus:
    return RecordingStatus.PAUSED if gate.reason else RecordingStatus.RECORDING


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


def _unusable(folder: Path, error: OSError) -> OutputError:
    return OutputError(
        f"recordings cannot be written to {folder} ({error.strerror}): choose another folder"
    )


def _lock(folder: Path) -> Lock:
    """Return what holds the folder for this run."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        make_private(folder)
    except OSError as error:
        raise _unusable(folder, error) from None
    taken = f"another run writes to {folder}: stop it, or choose another folder"
    return recording_lock(folder, taken=taken)
