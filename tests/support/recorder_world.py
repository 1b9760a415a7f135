"""A recorder on clocks that the test moves."""

import threading
from collections.abc import Mapping

from pipeline.live_settings import RecordingSettings
from pipeline.sinks.live.recorder import LiveRecorder
from support import recordings
from support.recordings import NOON_S, PATIENCE_S, Clock, pictures_of, seen, wait_until

PLENTY = 10**12


class World:
    """A recorder on clocks that the test moves, with as much room as it says."""

    def __init__(self, folder, *, free=lambda _folder: PLENTY, **settings):
        self.folder = folder
        self.wall, self.clock = Clock(), Clock(0.0)
        settings = {"min_free_mb": 0.5, "min_free_log_mb": 0.1, **settings}
        self.recorder = LiveRecorder(
            folder, RecordingSettings(**settings), wall=self.wall, clock=self.clock, free=free
        )
        self.steps = 0

    def step(self, cameras=("cam",), **options):
        """Record one frame of each camera, a tenth of a second after those before."""
        time_s = NOON_S + self.steps / 10
        results = [seen(name, self.steps, time_s=time_s, **options) for name in cameras]
        self.recorder.write(results, pictures_of(results))
        self.steps += 1

    def steps_at_ease(self, count, **options):
        """Record frames no faster than they are encoded."""
        for _ in range(count):
            self.step(**options)
            wait_until(lambda: not self.recorder.figures().get("recording_waiting_frames"))

    def rows(self):
        return [int(row["frame"]) for row in recordings.track_rows(self.folder)]

    def close(self):
        self.recorder.close(timeout_s=PATIENCE_S)


class LazyPictures(Mapping):
    """Remembers which pictures were asked for."""

    def __init__(self, pictures):
        self._pictures, self.asked = pictures, []

    def __getitem__(self, camera):
        self.asked.append(camera)
        return self._pictures[camera]

    def __iter__(self):
        return iter(self._pictures)

    def __len__(self):
        return len(self._pictures)


def recording_threads():
    return [each.name for each in threading.enumerate() if each.name.startswith("recording-")]
