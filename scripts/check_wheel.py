"""Install the wheel into a fresh environment and work with it, far from the source tree.

python scripts/check_wheel.py            # the light wheel
python scripts/check_wheel.py --full     # the one with torch; its packages take 7 GB

Builds the wheel, installs it with what it asks for and nothing else, and calls what that put into
the environment's `bin` on rendered clips: `doctor`, `run`, `search`, `batch` and `live`.
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
import venv
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from build_wheels import FULL, LITE, REPOSITORY, build

SAMPLES = REPOSITORY / "sample_videos"


class Elsewhere:
    """A folder with an environment of its own, and commands that are run there.

    Args:
        folder: Empty; the environment and everything that is written lie in it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "env" / "bin"
        self._environment = {"PATH": f"{self.bin}:/usr/bin:/bin", "HOME": str(folder), "CI": "true"}
        # What a machine needs to reach its package index, and nothing that points to this tree.
        self._network = {k: v for k, v in os.environ.items() if k.startswith(("PIP_", "SSL_"))}
        self._network |= {k: v for k, v in os.environ.items() if k.lower().endswith("_proxy")}

    def call(self, *command: str | Path, network: bool = False) -> str:
        """Run a command and return what it printed.

        Raises:
            SystemExit: It failed.
        """
        began_s = time.monotonic()
        done = subprocess.run(
            [self.bin / command[0], *command[1:]],
            check=False,
            cwd=self.folder,
            env=self._environment | (self._network if network else {}),
            capture_output=True,
            text=True,
        )
        line = " ".join(["$", *map(str, command)])
        print(f"{line}   ({time.monotonic() - began_s:.0f} s)", flush=True)
        if done.returncode:
            raise SystemExit(f"{line}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def expect(self, *names: str) -> None:
        """Raise ``SystemExit`` unless files were written."""
        for name in names:
            if not (self.folder / name).exists():
                raise SystemExit(f"{name} was not written")


def install(wheel: Path, place: Elsewhere) -> None:
    """Make an environment with the wheel and what it asks for; say how large it is."""
    venv.create(place.folder / "env", with_pip=True)
    place.call("pip", "install", "--quiet", "--disable-pip-version-check", wheel, network=True)
    where = place.call("python", "-c", "import pipeline; print(pipeline.__file__)").strip()
    if not where.startswith(str(place.folder)):
        raise SystemExit(f"pipeline comes from {where}, not from the wheel")
    files = [each.lstat() for each in place.bin.parent.rglob("*")]
    print(f"installed: {sum(each.st_blocks for each in files) * 512 / 1e6:.0f} MB", flush=True)


def work(place: Elsewhere) -> None:
    """Call the commands on clips that lie beside nothing else of this project."""
    for clip in SAMPLES.glob("*.mp4"):
        shutil.copy(clip, place.folder)
    video = place.folder / "footage" / "lobby" / "20260105_080000.mp4"
    video.parent.mkdir(parents=True)
    shutil.copy(SAMPLES / "lobby.mp4", video)
    place.call("reid-pipeline", "doctor")
    clips = ["corridor.mp4", "entrance.mp4", "lobby.mp4"]
    place.call("reid-pipeline", "run", "--cams", *clips, "--max-seconds", "4")
    place.expect("runs/latest/identities.csv", "runs/latest/mosaic.mp4", "runs/latest/report.html")
    larger = "--detector", "built-in-s", "--no-video", "--max-seconds", "1", "--out", "larger"
    place.call("reid-pipeline", "run", "--cams", "lobby.mp4", *larger)
    found = place.call("reid-pipeline", "search", "runs/latest", "--identity", "1", "--json", "-")
    if not json.loads(found)["sightings"]:
        raise SystemExit("the search found nothing")
    place.call("reid-pipeline", "batch", "footage", "--out", "archive")
    place.expect("archive/report.html")
    place.call("reid-pipeline", "live", "--cams", "lobby.mp4", "--realtime", "--no-serve")
    place.expect("runs/live/recording.json")


def keep(wheel: Path, place: Elsewhere, folder: Path) -> None:
    """Copy a wheel, and write down what its environment holds as CycloneDX JSON."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(wheel, folder)
    name = wheel.name.split("-")[0]
    inventory = ["--output-format", "JSON", "--output-file", folder / f"{name}.cdx.json"]
    command = [sys.executable, "-m", "cyclonedx_py", "environment", place.bin / "python"]
    subprocess.run([*command, *inventory], check=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Build, install and try a wheel; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="the wheel with torch")
    parser.add_argument("--keep", type=Path, help="folder for the wheel and its SBOM")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="wheel-") as scratch:
        folder = Path(scratch)
        wheel = build(FULL if given.full else LITE, folder)
        print(f"{wheel.name}: {wheel.stat().st_size / 1e6:.1f} MB", flush=True)
        place = Elsewhere(folder)
        install(wheel, place)
        work(place)
        if given.keep is not None:
            keep(wheel, place, given.keep)
    return 0


if __name__ == "__main__":
    sys.exit(main())
