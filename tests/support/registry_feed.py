"""A registry that is fed frame by frame, and what it then shows."""

import numpy as np

from pipeline.datatypes import UNASSIGNED, Event, FrameResult
from pipeline.jobs.live_registry import LiveRegistry as Registry
from support import builders

BOX = (4.0, 4.0, 20.0, 44.0)
START = 1_800_000_000.0


class Clock:
    def __init__(self):
        self.now = START

    def __call__(self):
        return self.now


class Feed:
    """A registry, and a core before it that sees who it is told to see."""

    def __init__(self, path, *, keep_s=None, clock=None, earlier=()):
        self.clock = clock or Clock()
        self.registry = Registry(path, keep_s=keep_s, earlier=earlier, clock=self.clock)
        self.records = self.registry.records

    def see(self, *people, camera="lobby", at=0.0, events=(), quality=0.8):
        """One frame with ``(track, matcher's number)`` each; returns (told, shown ids)."""
        self.clock.now = START + at
        result = frame_result(people, camera, START + at, quality)
        told = self.registry.write([result], events)
        return told, self.registry.show([result])[0].global_id.tolist()

    def stored(self):
        """Have everything stored that waits for its second to pass."""
        self.clock.now += 2
        self.registry.write([], [])
        return self


def frame_result(people, camera, time_s, quality=0.8):
    boxes = [BOX] * len(people)
    tracks = builders.tracks(*boxes, ids=[track for track, _ in people])
    frame = builders.frame(camera, time_s=time_s, shade=90)
    ids = np.array([number for _, number in people], np.int64)
    return FrameResult(frame, tracks, ids, np.full(len(people), quality, np.float32))


def event(kind, number, camera="", track=UNASSIGNED, *, other=UNASSIGNED, at=0.0):
    return Event(START + at, kind, number, camera, track, other)


def spans(records, identity=None):
    return [
        (s.identity, s.camera, s.first_s - START, s.last_s - START, s.frames)
        for s in records.sightings(identity=identity, limit=100)
    ]


def people(records):
    return {p.identity: p.sightings for p in records.people(limit=100)}


def sighting_ids(records, identity):
    return [s.sighting for s in records.sightings(identity=identity, limit=100)]
