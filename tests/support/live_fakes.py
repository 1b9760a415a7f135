"""Cameras, clocks and keepers of a live run that do only what a test tells them."""

from __future__ import annotations

from dataclasses import replace

from pipeline.core import Pipeline
from pipeline.datatypes import Event, Tracks
from pipeline.health import CameraHealth, CameraState, RecordingState, RecordingStatus
from pipeline.live_settings import LiveRunnerSettings
from pipeline.runners.live import LiveRun
from pipeline.runners.live_parts import LiveParts
from pipeline.runners.live_pictures import LivePictures
from pipeline.track.restarting import RestartingTracker
from support import builders
from support.fakes import FakeDetector, FakeEmbedder, FakeMatcher, FakePolicy, FakeTracker


class Time:
    """A clock that a test moves on."""

    def __init__(self, now=1_800_000_000.0):
        self.now = now

    def __call__(self):
        return self.now


class FakeCamera:
    """Hands out a frame of this moment at its rate; remembers how often it was asked."""

    def __init__(self, camera, time, *, fps=25.0, delay_s=0.0):
        self.camera = camera
        self.epoch = 0
        self.index = 0
        self.delay_s = delay_s
        self.trouble: Exception | None = None
        self.skew_s: float | None = None
        self._time, self._period_s = time, 1 / fps
        self._due_s = time.now

    def newest(self):
        if self.trouble is not None:
            raise self.trouble
        if self._time.now < self._due_s:
            return None
        self._due_s = self._time.now + self._period_s
        self.index += 1
        taken_s = self._time.now - self.delay_s
        frame = builders.frame(self.camera, self.index - 1, time_s=taken_s)
        frame.image[::2] = 200  # stripes, of which blurring leaves nothing
        return frame

    def health(self):
        return CameraHealth(
            self.camera, "host/path", CameraState.LIVE, "", 0.0, dropped=3, skew_s=self.skew_s
        )


class SlowDetector(FakeDetector):
    """Takes its time for every frame, on a test's clock; fails for frames of some cameras."""

    def __init__(self, time, *, frame_s=0.0, fails_for=()):
        super().__init__()
        self._time, self._fails_for = time, set(fails_for)
        self.frame_cost = lambda: frame_s

    def detect(self, frames):
        self._time.now += self.frame_cost() * len(frames)
        if self._fails_for & {frame.camera for frame in frames}:
            raise ValueError("a frame that no detector can bear")
        return super().detect(frames)


class KeepingEmbedder(FakeEmbedder):
    """Keeps the crops that it was given."""

    def __init__(self):
        super().__init__()
        self.crops = []

    def embed(self, crops):
        self.crops += [crop.copy() for crop in crops]
        return super().embed(crops)


class PatientTracker(FakeTracker):
    """Begins no track."""

    def update(self, detections, time_s, rows, vectors):
        super().update(detections, time_s, rows, vectors)
        return Tracks.empty()


class FakeRegistry:
    """Shows everybody ten numbers higher; tells one event per write of results."""

    def __init__(self):
        self.calls = []

    def write(self, results, events):
        self.calls.append(("write", len(results)))
        return [Event(0.0, "seen", len(results))] if results else []

    def show(self, results):
        self.calls.append(("show", len(results)))
        return [replace(each, global_id=each.global_id + 10) for each in results]


class FakeOutbox:
    def __init__(self):
        self.events = []

    def send(self, events):
        self.events += events


class FakeRecorder:
    """Keeps everything in lists; looks at pictures only if told."""

    def __init__(self, *, looks=False):
        self.results, self.events, self.pictures, self.ticks = [], [], [], 0
        self._looks = looks

    def write(self, results, pictures):
        self.results += results
        if self._looks:
            self.pictures += [pictures[name] for name in pictures]

    def event(self, event):
        self.events.append(event)

    def tick(self):
        self.ticks += 1

    @property
    def state(self):
        return RecordingState(RecordingStatus.RECORDING, RecordingStatus.OFF)

    def figures(self):
        return {"recording": 1.0}

    def close(self, *, timeout_s):
        pass


class World:
    """A live run with fakes all around, on a clock that the test moves."""

    def __init__(
        self,
        *,
        cameras=2,
        fps=25.0,
        frame_s=0.0,
        fails_for=(),
        batch_size=8,
        blur_heads=False,
        tracker=FakeTracker,
        every=1,
        **settings,
    ):
        self.time = Time()
        self.names = [f"c{n}" for n in range(cameras)]
        self.cameras = {name: FakeCamera(name, self.time, fps=fps) for name in self.names}
        self.detector = SlowDetector(self.time, frame_s=frame_s, fails_for=fails_for)
        self.trackers = {name: RestartingTracker(tracker) for name in self.names}
        self.registry, self.outbox, self.recorder = FakeRegistry(), FakeOutbox(), FakeRecorder()
        self.embedder, self.matcher = KeepingEmbedder(), FakeMatcher()
        self.drawn_images = []
        self.drawn = self.encoded = self.saved = 0
        self.save_error: Exception | None = None
        pipeline = Pipeline(
            detector=self.detector,
            trackers=self.trackers,
            policy=FakePolicy(),
            embedder=self.embedder,
            matcher=self.matcher,
            every=every,
        )
        parts = LiveParts(
            pipeline=pipeline,
            trackers=self.trackers,
            registry=self.registry,
            outbox=self.outbox,
            recorder=self.recorder,
            pictures=LivePictures(self._draw, self._encode),
            save_gallery=self._save,
            blur_heads=blur_heads,
        )
        self.run = LiveRun(
            list(self.cameras.values()),
            parts,
            LiveRunnerSettings(**settings),
            batch_size=batch_size,
            wall=self.time,
            clock=self.time,
        )

    def go(self, seconds, *, idle_s=0.01):
        """Let the run work for so long by its own clock."""
        end = self.time.now + seconds
        while self.time.now < end:
            if not self.run.step():
                self.time.now += idle_s

    def _draw(self, result):
        self.drawn += 1
        self.drawn_images.append(result.frame.image)
        return result.frame.image

    def _encode(self, image):
        self.encoded += 1
        return b"jpeg %d" % self.encoded

    def _save(self):
        self.saved += 1
        if self.save_error is not None:
            raise self.save_error
