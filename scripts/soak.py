"""Let `reid-pipeline live` run for long with cameras that fail at random, and count what is left.

    python scripts/soak.py --minutes 30 --out runs/soak

Four RTSP cameras on loopback play the sample videos; every few seconds one of them stalls, is
cut off, loses or garbles packets, changes its size, tells a wrong time, or the whole server dies.
A browser's worth of requests runs beside, and an operator who searches, names, merges, splits,
takes it back, and keeps the watch list. Memory, threads, open files and processes of the run are
sampled; at the end every file is read, and every event looked for in the log and on the stream.
Exit code 1 if something leaked, hung, failed, was lost or was torn.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import yaml
from rich.console import Console

from soak_figures import Sample, Story, judged
from soak_operator import Listener, Operator

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "tests"))

from support.rtsp_server import RtspServer  # noqa: E402 - the tests' server, from the line above

PASSWORD = "soak-canary-7@home"
SAMPLE_S = 5.0
START_S = 180.0
END_S = 60.0
FAULTS: Mapping[str, Mapping[str, object]] = {
    "frozen": {"frozen": True},
    "silent": {"silent": True},
    "packets lost": {"drop": 0.05},
    "packets garbled": {"corrupt": 0.02},
    "clock skewed": {"skew_s": 1.0},
    "unknown path": {"status": 404},
}
"""Faults that are told to one camera and taken back after some seconds."""

USUAL = {"frozen": False, "silent": False, "drop": 0, "corrupt": 0, "skew_s": 0, "status": 200}


class Run:
    """The live run under test.

    Args:
        out: Folder of everything; must not exist.
        cameras: Name and address of each.
    """

    def __init__(self, out: Path, cameras: Mapping[str, str]) -> None:
        out.mkdir(parents=True)
        self.folder = out / "live"
        self.log = out / "live.log"
        listed = [{"name": name, "source": source} for name, source in cameras.items()]
        tree = {"cameras": listed, "live": {"recording": {"segment_s": 60, "rotate_s": 600}}}
        config = out / "soak.yaml"
        config.write_text(yaml.safe_dump(tree))
        command = [sys.executable, "-m", "pipeline", "-v", "live", "--config", config]
        command += ["--out", self.folder, "--port", "0"]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [str(part) for part in command], stdout=log, stderr=log, cwd=REPOSITORY
            )
        config.chmod(0o600)
        self.url = self._wait_for_page()

    def _wait_for_page(self) -> str:
        end = time.monotonic() + START_S
        while time.monotonic() < end and self.process.poll() is None:
            if found := re.search(r"page: (http://\S+)/", self.log.read_text()):
                return found.group(1)
            time.sleep(0.2)
        raise SystemExit(f"the run did not start:\n{self.log.read_text()}")

    def get(self, path: str) -> bytes:
        """Return what the page's server answers."""
        with urllib.request.urlopen(self.url + path, timeout=10) as reply:
            return bytes(reply.read())

    def status(self) -> dict[str, Any]:
        """Return how the run is doing, by its own word."""
        return dict(json.loads(self.get("/api/status")))

    def sample(self, began_s: float) -> Sample:
        """Return the sums over the process and its children; shared buffers count in each."""
        parent = psutil.Process(self.process.pid)
        resident, memory, readers, threads, files, count = 0.0, 0.0, 0.0, 0, 0, 0
        for each in [parent, *parent.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
                own = _own_memory_mb(each.pid)
                resident += each.memory_info().rss / 1e6
                memory += own
                readers += own if each.pid != parent.pid else 0.0
                threads += each.num_threads()
                files += each.num_fds()
                count += 1
        latency = float(self.status()["figures"]["latency_p95_s"])
        time_s = time.monotonic() - began_s
        return Sample(time_s, resident, memory, readers, threads, files, count, latency)


def _own_memory_mb(pid: int) -> float:
    """Return what a process has allocated and shares with nobody by file.

    Not psutil's "unique" memory: that grows by every library that another program, which had
    loaded the same one, lets go of.
    """
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    kilobytes = [int(n) for n in re.findall(r"^Rss(?:Anon|Shmem):\s+(\d+) kB", status, re.M)]
    return sum(kilobytes) * 1024 / 1e6


def soak(run: Run, server: RtspServer, names: Sequence[str], *, minutes: float, seed: int) -> Story:
    """Make faults until the time is over, sampling between them."""
    rng, story = np.random.default_rng(seed), Story()
    began = time.monotonic()
    stop = threading.Event()
    operator, listener = Operator(run.url, np.random.default_rng(seed + 1)), Listener(run.url)
    story.calls, story.heard = operator.calls, listener.heard
    viewers = [threading.Thread(target=_look_on, args=(run, names, stop))]
    viewers += [threading.Thread(target=_sample, args=(run, began, story, stop))]
    viewers += [threading.Thread(target=each.work, args=(stop,)) for each in (operator, listener)]
    for viewer in viewers:
        viewer.start()
    try:
        while time.monotonic() - began < minutes * 60 and run.process.poll() is None:
            _one_fault(run, server, names, rng, story)
            stop.wait(float(rng.uniform(2, 10)))
    finally:
        stop.set()
        for viewer in viewers:
            viewer.join()
    return story


def _one_fault(
    run: Run, server: RtspServer, names: Sequence[str], rng: np.random.Generator, story: Story
) -> None:
    kind = str(rng.choice([*FAULTS, "closed", "reset", "server killed", "size changed"]))
    camera = str(rng.choice(names))
    lasting_s = float(rng.uniform(1, 12))
    hurt: Sequence[str] = [camera]
    if kind in FAULTS:
        server.tell(camera, **FAULTS[kind])
        if kind in {"silent", "unknown path"}:
            server.cut(camera)
        time.sleep(lasting_s)
        server.tell(camera, **{name: USUAL[name] for name in FAULTS[kind]})
    elif kind == "server killed":
        server.kill()
        time.sleep(lasting_s)
        server.start()
        hurt = names
    elif kind == "size changed":
        clips = sorted((REPOSITORY / "sample_videos").glob("*.mp4"))
        server.tell(camera, clip=clips[int(rng.integers(len(clips)))])
    else:
        server.cut(camera, reset=kind == "reset")
    ended, limit_s = time.monotonic(), 90.0
    for name in hurt:
        while not _delivers(run, name, since_s=time.time() - (time.monotonic() - ended)):
            if time.monotonic() - ended > limit_s or run.process.poll() is not None:
                story.lost.append(f"{name} after {kind}")
                break
            time.sleep(0.1)
    story.recovery_s.setdefault(kind, []).append(time.monotonic() - ended)


def _delivers(run: Run, name: str, *, since_s: float) -> bool:
    for camera in run.status()["cameras"]:
        if camera["camera"] == name:
            frame_s = camera["last_frame_s"] or 0.0
            return camera["state"] in {"live", "degraded"} and frame_s > since_s
    return False


def _look_on(run: Run, names: Sequence[str], stop: threading.Event) -> None:
    """Ask for what a page asks for."""
    paths = ["/", "/metrics", "/healthz", "/api/people", "/api/events?limit=50"]
    paths += [f"/api/cameras/{name}/picture.jpg" for name in names]
    while not stop.is_set():
        for path in paths:
            with suppress(OSError):
                run.get(path)
            stop.wait(0.3)


def _sample(run: Run, began_s: float, story: Story, stop: threading.Event) -> None:
    while not stop.wait(SAMPLE_S):
        with suppress(psutil.NoSuchProcess, OSError):
            story.samples.append(run.sample(began_s))


def main(argv: list[str] | None = None) -> int:
    """Soak, print the figures, and return whether all was well."""
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--out", type=Path, default=Path("runs/soak"), help="must not exist")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(argv)
    if options.out.exists():
        parser.error(f"{options.out} exists: remove it, or choose another --out")
    clips = {path.stem: path for path in sorted((REPOSITORY / "sample_videos").glob("*.mp4"))}
    clips["yard"] = clips["lobby"]
    with RtspServer(clips, user="reader", password=PASSWORD) as server:
        run = Run(options.out, {name: server.address(name) for name in clips})
        try:
            story = soak(run, server, list(clips), minutes=options.minutes, seed=options.seed)
        finally:
            began = time.monotonic()
            run.process.send_signal(signal.SIGTERM)
            code = run.process.wait(END_S)
            ended_in_s = time.monotonic() - began
    with (options.out / "samples.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(Sample.__dataclass_fields__))
        writer.writeheader()
        writer.writerows(asdict(each) for each in story.samples)
    table, wrong = judged(story, run.folder, run.log, code=code, ended_in_s=ended_in_s)
    Console().print(table)
    for each in wrong:
        Console().print(f"wrong: {each}", highlight=False)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
