"""Measure what searches on the page take from a live run whose recording holds many sightings.

::

    python scripts/experiments/search_beside_live.py --sightings 1000000

The sample videos, played over and over, stand for cameras; the recording is filled before. Windows
in which somebody searches every second follow windows in which nobody does,
so that whatever else the machine does meets both.
"""

from __future__ import annotations

import argparse
import json
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
from benchmark_page_search import write_registry

REPOSITORY = Path(__file__).resolve().parents[2]
PAUSE_S = 1.0
"""Between two searches: faster than anybody reads what was found."""
START_S = 180.0
STOP_S = 60.0


def ask(url: str, body: object = None) -> Any:
    """Return what the page's server answers."""
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, content, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as reply:
        return json.loads(reply.read())


def watch(url: str, seconds: float, *, searches: bool) -> tuple[list[float], list[float]]:
    """Return frames a second of all cameras, every second, and how long searches took."""
    fps, times, end_s = list[float](), list[float](), time.monotonic() + seconds
    while time.monotonic() < end_s:
        next_s = time.monotonic() + PAUSE_S
        if searches:
            began = time.perf_counter()
            found = ask(f"{url}/api/search", {"identity": 1, "count": 50})
            times.append(time.perf_counter() - began)
            assert found["found"]
        fps.append(float(ask(f"{url}/api/status")["figures"]["detector_fps"]))
        time.sleep(max(0.0, next_s - time.monotonic()))
    return fps[len(fps) // 2 :], times  # the figure is a mean over some seconds


def start(out: Path, log: Path) -> tuple[subprocess.Popen[bytes], str]:
    """Start the live run; return it and the address of its page."""
    videos = sorted(str(path) for path in (REPOSITORY / "sample_videos").glob("*.mp4"))
    command = [sys.executable, "-m", "pipeline", "live", "--realtime", "--loop", "--cams", *videos]
    command += ["--out", str(out), "--port", "0"]
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, cwd=REPOSITORY)
    end_s = time.monotonic() + START_S
    while time.monotonic() < end_s and process.poll() is None:
        if found := re.search(r"page: (http://\S+)/", log.read_text(encoding="utf-8")):
            return process, found.group(1)
        time.sleep(0.2)
    process.kill()
    raise SystemExit(f"the run did not start:\n{log.read_text(encoding='utf-8')}")


def stop(process: subprocess.Popen[bytes]) -> None:
    """End the live run as an operator does."""
    process.send_signal(signal.SIGTERM)
    process.wait(STOP_S)


def main() -> None:
    """Fill, start, watch and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sightings", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=20.0, help="of a window")
    parser.add_argument("--folder", type=Path, help="for 3 GB per million sightings")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        out, log = Path(folder) / "live", Path(folder) / "live.log"
        stop(start(out, log)[0])
        for path in out.glob("registry.sqlite*"):
            path.unlink()
        begun_s, rng = time.time() - options.sightings, np.random.default_rng(0)
        write_registry(out / "registry.sqlite", options.sightings, rng, begun_s=begun_s)
        process, url = start(out, log)
        try:
            began = time.monotonic()
            while not ask(f"{url}/api/search", {"identity": 1, "count": 50})["is_complete"]:
                time.sleep(1)
            print(
                f"all sightings were read {time.monotonic() - began:.0f} s after the first search"
            )
            alone, beside, times = list[float](), list[float](), list[float]()
            for _ in range(options.rounds):
                alone += watch(url, options.seconds, searches=False)[0]
                fps, took = watch(url, options.seconds, searches=True)
                beside, times = beside + fps, times + took
        finally:
            stop(process)
    print(f"frames a second: {np.median(alone):.1f} alone, {np.median(beside):.1f} beside searches")
    print(
        f"{len(times)} searches: median {np.median(times) * 1e3:.0f} ms, "
        f"95% {np.percentile(times, 95) * 1e3:.0f} ms"
    )


if __name__ == "__main__":
    main()
