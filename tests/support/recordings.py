"""Things to record, ways to read what was recorded, and small disks."""

from __future__ import annotations

import csv
import errno
import json
import os
import subprocess
import time
from contextlib import contextmanager
from dataclasses import replace

import av
import pytest

from support import builders

PATIENCE_S = 60.0
"""How long tests wait for a thread or a process before they call it a failure."""
NOON_S = 1_800_014_400.0
"""A full hour, seconds since the epoch."""


class Clock:
    """A clock that a test moves on."""

    def __init__(self, now=NOON_S):
        self.now = now

    def __call__(self):
        return self.now


def seen(camera="cam", index=0, *, time_s, size=(64, 48), persons=1):
    """A frame with some persons in it; its shade tells its number."""
    boxes = [(n, 2, n + 10, 40) for n in range(persons)]
    result = builders.result(*boxes, camera=camera, index=index)
    shade = index * 5 % 250
    return replace(
        result, frame=builders.frame(camera, index, time_s=time_s, size=size, shade=shade)
    )


def pictures_of(results):
    return {each.frame.camera: each.frame.image for each in results}


def wait_until(condition, what="it"):
    """Poll until a condition holds; fail where it never does."""
    until = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < until, f"waited in vain for {what}"
        time.sleep(0.01)


def track_rows(folder):
    """All rows of the track logs, in order of the files' names."""
    rows = []
    for path in sorted((folder / "tracks").glob("*.csv")):
        with path.open(newline="") as file:
            rows += csv.DictReader(file)
    return rows


def events(folder):
    return [
        json.loads(line)
        for path in sorted((folder / "events").glob("*.jsonl"))
        for line in path.read_text().splitlines()
    ]


def videos(folder, camera="cam", pattern="*.mp4"):
    return sorted((folder / "video" / camera).glob(pattern))


def frame_times(path):
    """Seconds at which the frames of a video are shown, decoded one and all."""
    with av.open(str(path)) as container:
        return [float(frame.pts * frame.time_base) for frame in container.decode(video=0)]


def mode(path):
    return oct(path.stat().st_mode & 0o777)


@contextmanager
def small_disk(folder, size):
    """A file system of so many bytes; skips the test where none can be mounted."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system takes root")
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount command here")
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder, *, leave):
    """Fill a disk with a file until about so many bytes are free."""
    path = folder / "somebody_elses_file"
    path.unlink(missing_ok=True)
    while True:
        status = os.statvfs(folder)
        with path.open("wb") as file:
            try:
                os.posix_fallocate(file.fileno(), 0, status.f_bavail * status.f_frsize - leave)
            except OSError as error:  # somebody else took some of it meanwhile
                if error.errno != errno.ENOSPC:
                    raise
                continue
        return path
