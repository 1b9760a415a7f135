"""Show that a day of many cameras takes no more than its share: disk, memory and time.

    python scripts/experiments/scale_archive.py --cameras 40 --clips 1 2 4

The day is scaled down: each camera has so many short clips, spread over 24 hours by their names,
with saved boxes in place of a detector. Everything behind it is as always: decoding, tracking,
embedding, tables, thumbnails, resolution, report. Prints Markdown; exit code 1 where twice the
footage takes more than twice as much, with a tenth for noise.
"""

from __future__ import annotations

import argparse
import itertools
import os
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from support.random_weights import write_random_weights
from support.small_archives import arguments, write_footage

MIDNIGHT = datetime(2026, 1, 5)
FRAMES = 10
NOISE = 1.1


def main() -> int:
    """Process growing days; return whether all costs grew no faster."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cameras", type=int, default=40)
    parser.add_argument("--clips", type=int, nargs="+", default=[1, 2, 4], help="of each camera")
    given = parser.parse_args()
    rows = [(clips, *measure(given.cameras, clips)) for clips in given.clips]
    print("| clips of each camera | files | processor s | peak MB | MB on disk | kB a file |")
    print("|---|---|---|---|---|---|")
    for clips, seconds, memory_mb, disk_mb in rows:
        files = clips * given.cameras
        print(
            f"| {clips} | {files} | {seconds:.1f} | {memory_mb:.0f} | {disk_mb:.2f} "
            f"| {1000 * disk_mb / files:.1f} |"
        )
    wrong = [
        f"{name}: {old:.2f} to {new:.2f} from {before[0]} to {after[0]} clips"
        for before, after in itertools.pairwise(rows)
        for name, old, new in zip(("s", "MB", "MB on disk"), before[1:], after[1:], strict=True)
        if new > NOISE * old * after[0] / before[0]
    ]
    for each in wrong:
        print(f"wrong: {each}")
    return 1 if wrong else 0


def measure(cameras: int, clips: int) -> tuple[float, float, float]:
    """Return processor seconds, peak memory (MB) and disk (MB) of one day."""
    with tempfile.TemporaryDirectory() as text:
        place = Path(text)
        step = timedelta(days=1) / clips
        starts = tuple(f"{MIDNIGHT + n * step:%Y%m%d_%H%M%S}" for n in range(clips))
        footage = write_footage(place / "footage", cameras=cameras, starts=starts, frames=FRAMES)
        weights = write_random_weights(place / "random.safetensors")
        command = [sys.executable, "-m", "pipeline"]
        command += arguments(footage, weights, place / "archive", "--chunk-s", "10")
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"error: {' '.join(command)} ended with {process.returncode}")
        disk = sum(path.stat().st_size for path in (place / "archive").rglob("*") if path.is_file())
        return used.ru_utime + used.ru_stime, used.ru_maxrss / 1000, disk / 1e6


if __name__ == "__main__":
    sys.exit(main())
