"""Run the pipeline on the sample videos and say where the result lies."""

from __future__ import annotations

import sys
from pathlib import Path

from pipeline.cli import main

REPOSITORY = Path(__file__).resolve().parents[1]


def demo() -> int:
    """Process `sample_videos/` into `runs/demo`; return the exit code."""
    videos = sorted(str(path) for path in (REPOSITORY / "sample_videos").glob("*.mp4"))
    out = REPOSITORY / "runs" / "demo"
    code = main(["run", "--cams", *videos, "--out", str(out), "--overwrite"])
    if code == 0:
        print(f"\nOpen {out / 'mosaic.mp4'} to see every person keep one identity.")
    return code


if __name__ == "__main__":
    sys.exit(demo())
