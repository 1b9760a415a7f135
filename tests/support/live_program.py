"""`reid-pipeline live` in a process of its own, for tests of all of it together."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import psutil
import yaml

from support.colour_network import write_colour_network

SAMPLES = Path(__file__).resolve().parents[2] / "sample_videos"
PATIENCE_S = 240.0
"""Far more than anything takes on a busy machine."""


def write_config(folder: Path, **sections: Mapping[str, object]) -> Path:
    """Write settings with short time limits; ``sections`` change some."""
    tree: dict[str, object] = {
        "embed": {"weights": str(write_colour_network(folder / "colour.xml"))},
        "live": {
            "source": {"connect_s": 8.0, "stall_s": 3.0, "max_backoff_s": 1.0},
            "runner": {"gallery_interval_s": 2.0, "max_latency_s": 10.0, "stop_s": 60.0},
            "web": {"port": 0},
        },
    }
    for name, changes in sections.items():
        where = tree if name == "detect" else tree["live"]
        where[name] = {**where.get(name, {}), **changes}
    path = folder / "live.yaml"
    path.write_text(yaml.safe_dump(tree))
    return path


class Program:
    """One live run in a process of its own, and its API.

    Args:
        config: Its settings.
        out: Its folder.
        cams: Addresses, or a camera list.
        command: ``live``, or ``run``, which does the same.
        is_slow: Whether it gets one processor alone.
        flags: Further ones.
        token: Of its page.
    """

    def __init__(self, config, out, *cams, command="live", is_slow=False, flags=(), token=""):
        only_one = ["taskset", "-c", str(min(os.sched_getaffinity(0)))]
        command = [
            *(only_one if is_slow else []),
            sys.executable,
            "-m",
            "pipeline",
            command,
            "--config",
            config,
            "--out",
            out,
        ]
        command += [*flags, "--cams", *cams]
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.log = out.with_suffix(f".{time.monotonic_ns()}.log")
        self._file = self.log.open("w")
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            [str(part) for part in command], stderr=self._file, stdout=self._file, env=environment
        )
        self.url = wait_for(lambda: re.search(r"page: (http://\S+)/", self.text()), self).group(1)

    def text(self):
        return self.log.read_text()

    def get(self, path):
        request = urllib.request.Request(self.url + path, headers=self._headers)
        with urllib.request.urlopen(request, timeout=30) as reply:
            return reply.read().decode()

    def arguments(self):
        """Return what `ps` shows of it and of the processes that it started."""
        own = psutil.Process(self.process.pid)
        return "\n".join(str(each.cmdline()) for each in [own, *own.children(recursive=True)])

    def status(self):
        return json.loads(self.get("/api/status"))

    def cameras(self):
        return {each["camera"]: each for each in self.status()["cameras"]}

    def end(self, number):
        self.process.send_signal(number)
        code = self.process.wait(PATIENCE_S)
        self._file.close()
        return code


def wait_for(condition, program=None):
    """Return the first true value of ``condition``."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if value := condition():
            return value
        if program is not None and program.process.poll() is not None:
            raise AssertionError(f"the program ended: {program.text()}")
        time.sleep(0.1)
    raise AssertionError(f"waited in vain: {program.text() if program else ''}")


def is_live(program, *names):
    """Return a condition: whether cameras deliver, and frames of them were processed."""
    return lambda: all(
        program.cameras()[name]["state"] in {"live", "degraded"}
        and program.cameras()[name]["processed_fps"] > 0
        for name in names
    )


def everything_written(folder):
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def tracks_of(folder):
    parts = [pd.read_csv(path) for path in sorted((folder / "tracks").glob("*.csv"))]
    return pd.concat(parts, ignore_index=True)
