"""What many cameras at once cost: frames a second, memory and threads of one process.

    python scripts/benchmark_cameras.py [--cams VIDEO...] [--counts 1 4 10 20 40] [--json FILE]

Every count is a run of the command without video in a process of its own, over so many files at
once; where there are fewer files, they are read several times over.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
POLL_S = 0.05


def measure(videos: list[Path], count: int, *, max_seconds: float) -> dict[str, float]:
    """Return what a run over ``count`` files costs; seconds leave the start of the process out."""
    with tempfile.TemporaryDirectory() as folder:
        cams = []
        for number, video in enumerate(islice(cycle(videos), count)):
            cams.append(str(Path(folder) / f"cam{number:03d}{video.suffix}"))
            shutil.copyfile(video, cams[-1])  # one file under two names is refused
        out = Path(folder) / "run"
        command = [sys.executable, "-m", "pipeline", "run", "--no-video", "--out", str(out)]
        command += ["--max-seconds", str(max_seconds), "--cams", *cams]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        threads = 0
        while True:
            ended, status, usage = os.wait4(process.pid, os.WNOHANG)
            if ended:
                break
            threads = max(threads, _threads(process.pid))
            time.sleep(POLL_S)
        if os.waitstatus_to_exitcode(status):
            assert process.stderr is not None
            raise SystemExit(process.stderr.read().decode())
        process.returncode = 0
        record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    frames = sum(camera["frames"] for camera in record["cameras"])
    return {
        "cameras": count,
        "frames": frames,
        "frames_a_second": frames / record["seconds"]["process"],
        "cpu_ms_a_frame": 1000 * (usage.ru_utime + usage.ru_stime) / frames,
        "peak_memory_mb": usage.ru_maxrss / 1024,
        "threads": threads,
    }


def _threads(pid: int) -> int:
    """Return how many threads a process has now; 0 where the system does not say."""
    try:
        return len(os.listdir(f"/proc/{pid}/task"))  # noqa: PTH208 - names alone
    except OSError:
        return 0


def main() -> None:
    """Print a row of the table for every count."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    videos = sorted((REPOSITORY / "sample_videos").glob("*.mp4"))
    parser.add_argument("--cams", nargs="+", type=Path, default=videos)
    parser.add_argument("--counts", nargs="+", type=int, default=[1, 4, 10, 20, 40])
    parser.add_argument("--max-seconds", type=float, default=5.0, help="of every video")
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    print("| cameras | frames/s | CPU ms a frame, start included | peak memory, MB | threads |")
    print("|---|---|---|---|---|", flush=True)
    rows = []
    for count in options.counts:
        rows.append(measure(options.cams, count, max_seconds=options.max_seconds))
        cells = [f"{rows[-1][name]:.1f}" for name in ("frames_a_second", "cpu_ms_a_frame")]
        cells += [f"{rows[-1][name]:.0f}" for name in ("peak_memory_mb", "threads")]
        print(f"| {count} | {' | '.join(cells)} |", flush=True)
    if options.json:
        content = {"cpus": os.cpu_count(), "rows": rows}
        options.json.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
