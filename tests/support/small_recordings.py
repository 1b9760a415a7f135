"""Recordings of live runs as a live run writes them, with made-up people."""

from __future__ import annotations

import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np

from pipeline.datatypes import CropEvidence, Event, FrameResult
from pipeline.floor.placing import Floor
from pipeline.jobs.live_record import finish_record, start_record
from pipeline.jobs.live_registry import LiveRegistry as Registry
from pipeline.layout.recording import newest_events
from pipeline.live_settings import RecordingSettings
from pipeline.settings import CameraSettings, Settings
from pipeline.sinks.live.recorder import LiveRecorder
from support import builders

NOON_S = 1_800_014_400.0
"""A full hour, seconds since the epoch."""
PATIENCE_S = 60.0
DIM = 4
SHA256 = "ab" * 32
WARNING = "fake were not calibrated"
SHADES = ((0, 0, 0), (20, 20, 240), (240, 60, 20), (20, 220, 20))


def look_of(person):
    """The ``(DIM,)`` unit vector of a person."""
    vector = np.zeros(DIM, np.float32)
    vector[person % DIM] = 1
    return vector


class LiveFolder:
    """A live run that sees whom it is told to, into a folder; a context manager.

    Args:
        folder: Where.
        begin_s: When it starts.
        finishes: Whether the end is noted, as after a signal.
    """

    def __init__(self, folder, *, begin_s=NOON_S, cameras=("lobby", "yard"), finishes=True, **keep):
        self.folder, self.now, self.finishes = folder, begin_s, finishes
        settings = {"min_free_mb": 1, "min_free_log_mb": 1, "segment_s": 60} | keep
        self.recorder = LiveRecorder(
            folder, RecordingSettings(**settings), wall=lambda: self.now, clock=lambda: self.now
        )
        sources = [
            CameraSettings(name=name, source=f"rtsp://me:canary@host/{name}") for name in cameras
        ]
        stages = SimpleNamespace(
            floor=Floor([]),
            weights_sha256=SHA256,
            device="cpu",
            detector="fake",
            embedder="fake",
            threshold=0.5,
            warnings=(WARNING,),
        )
        try:
            start_record(folder, Settings(cameras=sources), stages)
        except BaseException:
            self.recorder.close(timeout_s=PATIENCE_S)
            raise
        self.registry = Registry(
            folder, keep_s=None, earlier=newest_events(folder, 100), clock=lambda: self.now
        )
        self.first_track = self.registry.next_track
        self.index = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def see(self, *people, camera="lobby", after=0.1, events=(), size=(64, 48)):
        """One frame with ``(track, person)`` each, so long after the one before."""
        self.now += after
        tracks = [self.first_track - 1 + track for track, _ in people]
        boxes = [(8.0 * n + 2, 4.0, 8.0 * n + 8, 40.0) for n in range(len(people))]
        frame = builders.frame(camera, self.index, time_s=self.now, size=size, shade=90)
        for (x1, y1, x2, y2), (_, person) in zip(boxes, people, strict=True):
            frame.image[int(y1) : int(y2), int(x1) : int(x2)] = SHADES[person % len(SHADES)]
        rows = np.arange(len(people))
        vectors = np.array([look_of(person) for _, person in people], np.float32)
        quality = np.full(len(people), 0.8, np.float32)
        result = FrameResult(
            frame,
            builders.tracks(*boxes, ids=tracks),
            np.array([person for _, person in people], np.int64),
            quality,
            CropEvidence(rows, vectors.reshape(-1, DIM), quality),
        )
        self.index += 1
        told = self.registry.write([result], [replace(each, time_s=self.now) for each in events])
        shown = self.registry.show([result])
        self.recorder.write(shown, {camera: frame.image})
        for each in told:
            self.recorder.event(each)
        # However busy the machine is, no picture shall be dropped.
        while self.recorder.figures().get("recording_waiting_frames"):
            time.sleep(0.005)

    def new(self, person, track, camera="lobby"):
        """The matcher's event of a new identity."""
        return Event(0.0, "new", person, camera, self.first_track - 1 + track)

    def settle(self):
        """Have everything on disk as if a second had passed."""
        self.now += 2
        self.registry.write([], [])
        self.recorder.tick()

    def close(self):
        self.registry.close()
        if self.finishes:
            finish_record(self.folder)
        self.recorder.close(timeout_s=PATIENCE_S)


def write_recording(folder, **settings):
    """Anna (1) and Ben (2) in the lobby, then Anna in the yard; ten frames each."""
    with LiveFolder(folder, **settings) as live:
        for n in range(10):
            events = [live.new(1, 1), live.new(2, 2)] if n == 0 else []
            live.see((1, 1), (2, 2), events=events)
        for n in range(10):
            events = [Event(0.0, "hand_over", 1, "yard", live.first_track)] if n == 0 else []
            live.see((1, 1), camera="yard", after=0.1 if n else 20.0, events=events)
    return folder
