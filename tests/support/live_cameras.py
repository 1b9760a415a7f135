"""Live cameras with short time limits, and waiting for what becomes of them."""

import multiprocessing
import time
from pathlib import Path

from pipeline.live_settings import LiveSourceSettings
from pipeline.settings import CameraSettings
from pipeline.sources.live import open_live_cameras

PATIENCE_S = 60.0
"""Far more than anything takes; only a hanging test waits so long."""


class Cameras:
    """Live cameras that are stopped when the test ends, and what tests wait for."""

    def __init__(self):
        self.started = []

    def open(self, *sources, realtime=False, **changes):
        quick = {"connect_s": 4.0, "stall_s": 1.5, "max_backoff_s": 0.5}
        settings = LiveSourceSettings(**(quick | changes))
        named = [CameraSettings(name=f"c{n}", source=str(it)) for n, it in enumerate(sources)]
        cameras = open_live_cameras(named, settings, realtime=realtime)
        self.started += cameras
        for camera in cameras:
            camera.start()
        return cameras

    def one(self, source, **changes):
        return self.open(source, **changes)[0]


def wait_until(condition):
    """Return the first true value of ``condition``."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.005)
    raise AssertionError("waited in vain")


def frames_of(camera, count):
    """Return the next frames, taken as fast as they come."""
    return [wait_until(camera.newest) for _ in range(count)]


def wait_for_state(camera, *states):
    """Return the camera's health once it is in one of the states."""

    def reached():
        health = camera.health()
        return health if health.state in states else None

    return wait_until(reached)


def has_pictures_in_memory():
    """Return whether this process has the memory of a picture mapped."""
    maps = Path("/proc/self/maps")
    return maps.exists() and "memfd:picture" in maps.read_text()


def reader_pids():
    """Return the process ids of all readers that run now."""
    children = multiprocessing.active_children()
    return [each.pid for each in children if each.name.startswith("camera-")]
