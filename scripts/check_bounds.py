"""Work with the lowest versions that `pyproject.toml` allows.

python scripts/check_bounds.py

Resolves the light distribution with `uv pip compile --resolution lowest-direct`, installs just that
into a fresh environment, and there runs tests that need no torch, and the commands of
`check_wheel.py`. The newest versions are what continuous integration installs anyway.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from build_wheels import LITE, REPOSITORY, build, light
from check_wheel import Elsewhere, work

TESTS = (
    *("tests/track", "tests/results", "tests/floor", "tests/sinks/live"),
    *("tests/serve/test_api.py", "tests/serve/test_access.py", "tests/notify/test_channels.py"),
    *("tests/sources/test_camera_list.py", "tests/sources/test_video_file.py"),
    "tests/sources/test_damaged_video.py",
)
FOR_TESTS = ("pytest", "hypothesis", "psutil")


def main() -> int:
    """Resolve, install and try; return the exit code."""
    with tempfile.TemporaryDirectory(prefix="bounds-") as scratch:
        folder = Path(scratch)
        (folder / "pyproject.toml").write_text(light((REPOSITORY / "pyproject.toml").read_text()))
        lowest = folder / "lowest.txt"
        # The best version of all indexes that the machine knows, not the first index's.
        anywhere = ("--quiet", "--index-strategy", "unsafe-best-match")
        resolution = ("--resolution", "lowest-direct", "--output-file", lowest)
        _uv("pip", "compile", *anywhere, *resolution, folder / "pyproject.toml")
        print(lowest.read_text(), flush=True)
        place = Elsewhere(folder)
        _uv("venv", "--quiet", "--python", sys.executable, folder / "env")
        python = ("--python", place.bin / "python")
        _uv("pip", "install", *anywhere, *python, "-r", lowest, *FOR_TESTS)
        _uv("pip", "install", "--quiet", "--no-deps", *python, build(LITE, folder))
        subprocess.run(
            [place.bin / "python", "-m", "pytest", "-q", *TESTS], check=True, cwd=REPOSITORY
        )
        work(place)
    return 0


def _uv(*arguments: str | Path) -> None:
    subprocess.run([sys.executable, "-m", "uv", *arguments], check=True)


if __name__ == "__main__":
    sys.exit(main())
