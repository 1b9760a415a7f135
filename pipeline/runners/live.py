"""The live runner: processes the newest frames and passes results to sinks, registry and page."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from pipeline.crops import with_blurred_heads
from pipeline.datatypes import Event, Frame, FrameResult
from pipeline.errors import ReidPipelineError
from pipeline.health import CameraHealth, RecordingState, RecordingStatus
from pipeline.live_settings import LiveRunnerSettings
from pipeline.protocols import LiveCamera
from pipeline.runners.errands import Errands
from pipeline.runners.live_pace import Meter, Pace
from pipeline.runners.live_parts import LiveParts
from pipeline.runners.memory import release_freed_memory

__all__ = ["LiveRun"]

log = logging.getLogger(__name__)

IDLE_S = 0.005
"""Pause where no camera has a new frame."""
TICK_S = 1.0
TRIM_S = 60.0
"""Time between two moments at which freed memory is given back."""
ALONE_S = 60.0
"""After a step that failed, frames go through one by one for so long, to spare the others."""
MAX_FAILURES = 100
"""Failed steps in a row after which the fault is not in a picture."""
CLOCK_JUMP_S = 1.0
"""A camera's time that goes back further than this was set anew; less is disorder."""
MAX_SKEW_S = 2.0
"""Cameras' clocks further off than this are not used for the time of frames."""


class LiveRun:
    """Processes the newest frames of several cameras until it is told to stop.

    ``run`` and ``step`` belong to one thread; everything else is ``LiveView`` and may be called
    from any. The cameras are started and stopped by the caller.

    Args:
        cameras: At least one.
        parts: What to drive.
        settings: How to keep up.
        batch_size: Maximum number of frames of one step.
        wall: Seconds since the epoch.
        clock: Seconds of a clock that never jumps.
    """

    def __init__(
        self,
        cameras: Sequence[LiveCamera],
        parts: LiveParts,
        settings: LiveRunnerSettings,
        *,
        batch_size: int,
        wall: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cameras = {each.camera: each for each in cameras}
        self._parts = parts
        self._settings = settings
        self._wall, self._clock = wall, clock
        self._pace = Pace(
            list(self._cameras), max_latency_s=settings.max_latency_s, batch_size=batch_size
        )
        self._began_s = clock()
        self._meters = {name: Meter(self._began_s) for name in self._cameras}
        self._all = Meter(self._began_s)
        self._epochs = {name: each.epoch for name, each in self._cameras.items()}
        self._skews = dict.fromkeys(self._cameras, 0.0)
        self._last_time: dict[str, float] = {}
        self._said: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.errands = Errands()
        """What other threads have this one do between two steps."""
        self._ticked_s = self._saved_s = self._trimmed_s = self._began_s
        self._alone_until_s = float("-inf")
        self._failures = self._failed_total = 0
        self._broken: set[str] = set()

    def run(self, stop: threading.Event) -> None:
        """Work until ``stop`` is set, then save the gallery.

        Raises:
            RuntimeError: Nothing could be processed any more.
        """
        try:
            while not stop.is_set():
                if not self.step():
                    stop.wait(IDLE_S)
        finally:
            self._tick()
            self.save()

    def step(self) -> int:
        """Process at most one frame of each camera; return how many were processed."""
        self.errands.run()
        if self._clock() - self._ticked_s >= TICK_S:
            self._tick()
        began_s = self._clock()
        frames = self._gather()
        if not frames:
            return 0
        results = self._process(frames)
        seconds = self._clock() - began_s
        self._pace.note((frame.camera for frame in frames), seconds)
        for result in results:
            age_s = self._age_s(result.frame)
            self._meters[result.frame.camera].done(self._clock(), age_s)
            self._all.done(self._clock(), age_s)
        return len(results)

    def save(self) -> None:
        """Save the persons known by now; where that fails it is logged, and tried again later."""
        self._saved_s = self._clock()
        try:
            self._parts.save_gallery()
        except ReidPipelineError as error:
            log.warning("%s", error)

    def begin_anew(self, cameras: Collection[str]) -> None:
        """Let the tracks of some cameras end, and show nothing older; between two steps."""
        for camera in cameras:
            self._parts.trackers[camera].restart()
        self._parts.pictures.forget()

    # What is shown, from any thread

    def health(self) -> list[CameraHealth]:
        """Return how each camera is doing."""
        return [self._health_of(name) for name in self._cameras]

    def picture(self, camera: str) -> tuple[int, bytes] | None:
        """Return the newest annotated picture of a camera, as a JPEG, and its number."""
        return self._parts.pictures.jpeg(camera)

    def figures(self) -> Mapping[str, float]:
        """Return how the run is doing, by name."""
        now_s = self._clock()
        rates = self._all.rates(now_s)
        merged = {
            "uptime_s": now_s - self._began_s,
            "detector_fps": rates.processed_fps,
            "latency_p50_s": rates.latency_p50_s,
            "latency_p95_s": rates.latency_p95_s,
            "failed_steps_total": float(self._failed_total),
        }
        for figures in self._parts.figures:
            merged.update(figures())
        if self._parts.recorder is not None:
            merged.update(self._parts.recorder.figures())
        return merged

    def recording(self) -> RecordingState:
        """Return what is recorded, and why not where it is not."""
        recorder = self._parts.recorder
        off = RecordingStatus.OFF
        return RecordingState(off, off) if recorder is None else recorder.state

    def warnings(self) -> list[str]:
        """Return what a user should know of the detections and the matching so far."""
        return self._parts.pipeline.shared_warnings()

    def say(self, event: Event) -> None:
        """Take in an edit by hand, for the event log and everybody who is notified."""
        self._parts.outbox.send([event])
        self._said.put(event)

    # One step

    def _gather(self) -> list[Frame]:
        most = 1 if self._clock() < self._alone_until_s else self._pace.max_frames
        frames: list[Frame] = []
        for name in self._pace.order():
            if len(frames) == most:
                break
            frame = self._newest(name)
            if frame is not None:
                frames.append(frame)
        return frames

    def _newest(self, name: str) -> Frame | None:
        """Return a camera's newest frame if it is worth processing."""
        camera = self._cameras[name]
        try:
            frame, epoch = camera.newest(), camera.epoch
        except Exception:
            # Whatever one camera does, the others go on.
            if name not in self._broken:
                log.exception("camera %s cannot be read", name)
                self._broken.add(name)
            return None
        self._broken.discard(name)
        if frame is None:
            return None
        if not self._pace.is_in_time(self._age_s(frame)):
            self._meters[name].late(self._clock())
            return None
        last_s = self._last_time.get(name, float("-inf"))
        if epoch != self._epochs[name] or frame.time_s < last_s - CLOCK_JUMP_S:
            self._epochs[name] = epoch
            self._parts.trackers[name].restart()
        elif frame.time_s <= last_s:
            self._meters[name].late(self._clock())
            return None
        self._last_time[name] = frame.time_s
        return frame

    def _process(self, frames: Sequence[Frame]) -> list[FrameResult]:
        try:
            results = self._parts.pipeline.step(frames)
        except Exception as error:
            self._note_failure(frames, error)
            return []
        self._failures = 0
        if self._parts.blur_heads:
            results = [with_blurred_heads(each) for each in results]
        # The registry learns the matcher's numbers before it is asked what to show for them.
        detected = [each for each in results if not each.is_carried]  # alone count people
        events = self._parts.registry.write(detected, self._parts.pipeline.drain_events())
        shown = self._parts.registry.show(results)
        pictures = self._parts.pictures.take(shown)
        if self._parts.recorder is not None:
            self._parts.recorder.write(shown, pictures)
        self._tell(events)
        return shown

    def _note_failure(self, frames: Sequence[Frame], error: Exception) -> None:
        self._failures += 1
        self._failed_total += 1
        names = ", ".join(frame.camera for frame in frames)
        if self._failures == 1:
            log.error("frames of %s could not be processed: %s", names, error, exc_info=error)
        if self._failures >= MAX_FAILURES:
            raise RuntimeError(f"{MAX_FAILURES} steps in a row failed") from error
        self._alone_until_s = self._clock() + ALONE_S
        for frame in frames:
            self._parts.trackers[frame.camera].restart()

    def _tick(self) -> None:
        """Do what is due about once a second, whether frames come or not."""
        self._ticked_s = self._clock()
        self._tell(self._parts.registry.write([], []))
        recorder = self._parts.recorder
        while not self._said.empty():
            event = self._said.get()
            if recorder is not None:
                recorder.event(event)
        if recorder is not None:
            recorder.tick()
        for name, camera in self._cameras.items():
            skew_s = camera.health().skew_s or 0.0
            self._skews[name] = skew_s if abs(skew_s) <= MAX_SKEW_S else 0.0
        if self._clock() - self._saved_s >= self._settings.gallery_interval_s:
            self.save()
        if self._clock() - self._trimmed_s >= TRIM_S:
            self._trimmed_s = self._clock()
            release_freed_memory()

    def _tell(self, events: Sequence[Event]) -> None:
        self._parts.outbox.send(events)
        if self._parts.recorder is not None:
            for event in events:
                self._parts.recorder.event(event)

    def _age_s(self, frame: Frame) -> float:
        """Return how long ago a frame was taken, by our clock."""
        return max(0.0, self._wall() - frame.time_s + self._skews[frame.camera])

    def _health_of(self, name: str) -> CameraHealth:
        health = self._cameras[name].health()
        rates = self._meters[name].rates(self._clock())
        return replace(
            health,
            processed_fps=rates.processed_fps,
            dropped_fps=health.dropped_fps + rates.late_fps,
            dropped=health.dropped + rates.late,
            latency_p50_s=rates.latency_p50_s,
            latency_p95_s=rates.latency_p95_s,
        )
