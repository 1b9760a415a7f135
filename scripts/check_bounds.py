"""Work with the lowest versions that `pyproject.toml` allows, or with the newest, on any Python.

python scripts/check_bounds.py                                # the lowest, on this Python
python scripts/check_bounds.py --python python3.13            # the lowest that there are for another
python scripts/check_bounds.py --python python3.13 --newest

Resolves the light distribution with `uv pip compile`, installs just that into a fresh environment, and
there runs tests that need no torch, and the commands of `check_wheel.py`. Packages that would have to be
compiled are passed over: the lowest version is the lowest with a wheel for that Python.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
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


def main(arguments: Sequence[str] | None = None) -> int:
    """Resolve, install and try; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", default=sys.executable, help="interpreter of the environment")
    parser.add_argument("--newest", action="store_true", help="the newest versions")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="bounds-") as scratch:
        folder = Path(scratch)
        (folder / "pyproject.toml").write_text(light((REPOSITORY / "pyproject.toml").read_text()))
        versions = folder / "versions.txt"
        # The best version of all indexes that the machine knows, not the first index's.
        wheels = ("--index-strategy", "unsafe-best-match", "--only-binary", ":all:")
        order = ("--resolution", "highest" if given.newest else "lowest-direct")
        output = ("--quiet", "--python", given.python, "--output-file", versions)
        _uv("pip", "compile", *wheels, *order, *output, folder / "pyproject.toml")
        print(versions.read_text(), flush=True)
        place = Elsewhere(folder)
        _uv("venv", "--quiet", "--python", given.python, folder / "env")
        python = ("--quiet", "--python", place.bin / "python")
        _uv("pip", "install", *wheels, *python, "-r", versions, *FOR_TESTS)
        _uv("pip", "install", "--no-deps", *python, build(LITE, folder))
        tests = [place.bin / "python", "-m", "pytest", "-q", *TESTS]
        if subprocess.run(tests, check=False, cwd=REPOSITORY).returncode:
            raise SystemExit("tests fail with these versions")
        work(place)
    return 0


def _uv(*arguments: str | Path) -> None:
    if subprocess.run([sys.executable, "-m", "uv", *arguments], check=False).returncode:
        raise SystemExit(f"failed: uv {' '.join(map(str, arguments))}")


if __name__ == "__main__":
    sys.exit(main())
