"""Build the wheels: `reid-pipeline`, and `reid-pipeline-lite` from the same tree.

python scripts/build_wheels.py --out dist

The light one holds the same code and asks for less: no torch, torchvision, timm and ultralytics,
OpenCV without windows, no extra that would bring torch back, and no weights that only torch reads. That is a few hundred megabytes
installed instead of seven thousand. Both place the packages `pipeline` and `reid_model`, so only
one of them can be installed.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from reid_model.installation import FULL, FULL_ONLY, LITE  # noqa: E402

SHIPPED = ("pipeline", "reid_model", "README.md", "LICENSE", "pyproject.toml")
EXTRAS = {"dev", "train", "mask", "supervision"}
"""Extras that the light one lacks: with torch, or with an OpenCV of their own."""
TORCH_ALONE = "person_detector*.safetensors"
"""Weights of the detectors for a GPU."""
MAX_BYTES = {FULL: 95_000_000, LITE: 60_000_000}
"""PyPI takes 100 MB."""


def light(pyproject: str) -> str:
    """Return the `pyproject.toml` of the light distribution.

    Raises:
        SystemExit: The file does not look as expected.
    """
    text = pyproject.replace(f'name = "{FULL}"', f'name = "{LITE}"')
    text = text.replace('"opencv-python>=', '"opencv-python-headless>=')
    for package in FULL_ONLY:
        text, found = re.subn(rf'^    "{package}[><=~!].*",\n', "", text, count=1, flags=re.M)
        if not found:
            raise SystemExit(f"pyproject.toml does not ask for {package}")
    for extra in EXTRAS:
        text, found = re.subn(
            rf"^{extra} = \[(?:[^\n]*\]|.*?^\])\n", "", text, count=1, flags=re.M | re.S
        )
        if not found:
            raise SystemExit(f"pyproject.toml has no extra {extra}")
    return text


def build(distribution: str, out: Path) -> Path:
    """Build the wheel of a distribution into a folder and return it.

    It is built from a copy: what earlier builds left in the tree never gets into a wheel.
    """
    with tempfile.TemporaryDirectory() as scratch:
        tree = Path(scratch) / "tree"
        tree.mkdir()
        unwanted = ["__pycache__", "*.pyc", *([TORCH_ALONE] if distribution == LITE else [])]
        for name in SHIPPED:
            source = REPOSITORY / name
            if source.is_dir():
                shutil.copytree(source, tree / name, ignore=shutil.ignore_patterns(*unwanted))
            else:
                shutil.copy(source, tree / name)
        if distribution == LITE:
            settings = tree / "pyproject.toml"
            settings.write_text(light(settings.read_text()))
        command = [sys.executable, "-m", "build", "--wheel", "--outdir", str(out), str(tree)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{distribution} cannot be built:\n{done.stdout}{done.stderr}")
    wheel = max(
        out.glob(f"{distribution.replace('-', '_')}-*.whl"), key=lambda p: p.stat().st_mtime
    )
    if wheel.stat().st_size > MAX_BYTES[distribution]:
        most = MAX_BYTES[distribution]
        raise SystemExit(f"{wheel} has {wheel.stat().st_size} bytes, more than {most}")
    return wheel


def main(arguments: Sequence[str] | None = None) -> int:
    """Build both wheels; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--out", type=Path, default=REPOSITORY / "dist", help="folder of the wheels"
    )
    parser.add_argument("--only", choices=(FULL, LITE), help="one of them")
    given = parser.parse_args(arguments)
    for distribution in (FULL, LITE) if given.only is None else (given.only,):
        wheel = build(distribution, given.out)
        print(f"{wheel}: {wheel.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
