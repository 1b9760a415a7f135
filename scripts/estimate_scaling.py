"""Measure what a minute of video costs on this machine, and what 10 to 1,000 cameras would.

python scripts/estimate_scaling.py VIDEO --detector yolo11n.pt --price-per-hour 1.0
"""

from __future__ import annotations

import argparse
import math
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from pipeline.archive.footage import Recording
from pipeline.archive.journal import Unit
from pipeline.archive_settings import BatchSettings
from pipeline.jobs.archive_worker import ArchiveJob, ArchiveWorker
from pipeline.jobs.batch import describe_models
from pipeline.settings import parse_settings

CAMERAS = (10, 100, 1000)
DAY_S = 86_400


def main() -> None:
    """Print the measured rates and the estimates as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("video", type=Path)
    parser.add_argument("--detector", required=True)
    parser.add_argument("--rate", type=float, default=10.0, help="frames a second of a camera")
    parser.add_argument("--price-per-hour", type=float, default=1.0, help="of such a machine")
    given = parser.parse_args()
    frames, seconds, stored = measure(given.video, given.detector)
    total = sum(seconds.values())
    print("| unit | ms a frame | share |\n|---|---|---|")
    for kind, spent in seconds.items():
        print(f"| {kind} | {1000 * spent / frames:.2f} | {spent / total:.0%} |")
    print(f"\n{frames} frames, {stored / frames:.0f} bytes kept a frame\n")
    print(
        "| cameras | machine hours a day of video | machines to keep up | cost a day | GB a day |"
    )
    print("|---|---|---|---|---|")
    for cameras in CAMERAS:
        count = cameras * DAY_S * given.rate
        hours = count * total / frames / 3600
        cost, size = hours * given.price_per_hour, count * stored / frames / 1e9
        print(f"| {cameras} | {hours:.0f} | {math.ceil(hours / 24)} | {cost:.0f} | {size:.1f} |")


def measure(video: Path, detector: str) -> tuple[int, dict[str, float], int]:
    """Return frames of a video, wall seconds by kind of unit, and bytes kept of it."""
    camera = {"name": "measured", "source": str(video)}
    settings = parse_settings({"cameras": [camera], "detect": {"weights": detector}})
    weights_sha256, _ = describe_models(settings)
    state = video.stat()
    start = datetime(2026, 1, 1, tzinfo=UTC)
    recording = Recording(video.name, "measured", start, state.st_size, state.st_mtime_ns)
    with tempfile.TemporaryDirectory() as out:
        folder = video.absolute().parent
        job = ArchiveJob(
            folder, Path(out), settings, BatchSettings(chunk_s=10), weights_sha256, (video.name,)
        )
        worker = ArchiveWorker(job)
        seconds = dict.fromkeys(("survey", "detect", "track"), 0.0)
        found = _timed(worker, Unit("survey", recording), seconds)
        for chunk in job.journal.undetected(recording):
            found = _timed(worker, Unit("detect", recording, chunk), seconds)
        found = _timed(worker, Unit("track", recording), seconds)
        stored = sum(path.stat().st_size for path in Path(out).rglob("*.parquet"))
    return found["frames"], seconds, stored


def _timed(worker: ArchiveWorker, unit: Unit, seconds: dict[str, float]) -> dict[str, int]:
    began = time.perf_counter()
    found = worker(unit)
    seconds[unit.kind] += time.perf_counter() - began
    if "failure" in found:
        raise SystemExit(f"error: {found['failure']}")
    return found


if __name__ == "__main__":
    main()
