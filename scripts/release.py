"""Check everything that has to hold before a release, and make its files.

python scripts/release.py            # `make release`

In turn: a clean tree, the changelog, sizes of what is tracked, licences, style, advisories, types, tests, the
lowest versions of packages, the image's steps (as root, with debootstrap), and both wheels, installed in fresh
environments and worked with. Then `dist/` holds the wheels, an SBOM (CycloneDX) of what each installs, the
licences of all packages, and checksums. Stops at the first that fails, what takes seconds first. Tagging and
uploading are left to a person, who reads what came out.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from datetime import date
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
DIST = REPOSITORY / "dist"
MAX_TRACKED_BYTES = 25_000_000
"""Of one file: models stay in the history for ever, so they are published when they are better."""


def main() -> int:
    """Take all steps; return the exit code."""
    steps: tuple[tuple[str, Callable[[], None]], ...] = (
        ("clean tree", check_tree),
        (
            "changelog",
            lambda: check_changelog(version(), (REPOSITORY / "CHANGELOG.md").read_text()),
        ),
        ("sizes", check_sizes),
        ("licences", licences),
        ("lint", lambda: _run("make", "lint")),
        ("audit", lambda: _run("make", "audit")),
        ("type", lambda: _run("make", "type")),
        ("test", lambda: _run("make", "test", "PYTEST_FLAGS=--strict-skips")),
        ("bounds", lambda: _run("make", "bounds")),
        ("image", check_image),
        ("wheels", wheels),
        ("tree still clean", check_tree),
        ("checksums", checksums),
    )
    for name, step in steps:
        print(f"== {name}", flush=True)
        step()
    print(f"{version()} is ready in {DIST}: read it through, then tag v{version()}")
    return 0


def version() -> str:
    """Return the version that is to be released."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    return str(project["version"])


def check_tree() -> None:
    """Raise ``SystemExit`` where something is not committed."""
    changed = _output("git", "status", "--porcelain")
    if changed:
        raise SystemExit(f"commit or remove first:\n{changed}")


def check_changelog(wanted: str, text: str) -> None:
    """Raise ``SystemExit`` unless a changelog (Keep a Changelog) is ready for a version.

    Its section is there, dated and the newest, and nothing waits in the section before it.
    """
    sections = re.split(r"^## ", text, flags=re.M)[1:]
    headings = [each.splitlines()[0] for each in sections]
    if len(headings) < 2 or headings[0] != "[Unreleased]":
        raise SystemExit("CHANGELOG.md has to begin with ## [Unreleased] and a version")
    if re.search(r"^- ", sections[0], flags=re.M):
        raise SystemExit(f"CHANGELOG.md: move what is unreleased below {wanted}")
    dated = re.fullmatch(rf"\[{re.escape(wanted)}\] - (\d{{4}}-\d\d-\d\d)", headings[1])
    if dated is None:
        raise SystemExit(f"CHANGELOG.md: expected ## [{wanted}] - DATE, got ## {headings[1]}")
    date.fromisoformat(dated[1])


def check_sizes() -> None:
    """Raise ``SystemExit`` where a tracked file is too large; say how large the history is."""
    for line in _output("git", "ls-tree", "-r", "-l", "HEAD").splitlines():
        size, name = line.split(maxsplit=4)[3:]
        if size.isdecimal() and int(size) > MAX_TRACKED_BYTES:
            raise SystemExit(f"{name} has {size} bytes, more than {MAX_TRACKED_BYTES}")
    print(_output("git", "count-objects", "-v", "-H"))


def check_image() -> None:
    """Take the steps of the image in a fresh Debian; say so where this may not."""
    if os.geteuid() == 0 and shutil.which("debootstrap"):
        _run("make", "image")
    else:
        print("not tried, which takes root and debootstrap: make image")


def licences() -> None:
    """Empty `dist/`, and write the licences of all packages there."""
    shutil.rmtree(DIST, ignore_errors=True)  # wheels of an earlier version are no part of this one
    script = REPOSITORY / "scripts" / "check_licences.py"
    found = _output(sys.executable, script)
    DIST.mkdir()
    (DIST / "licences.txt").write_text(found + "\n")


def wheels() -> None:
    """Build both wheels into `dist/`, and work with what each installs."""
    for flags in ([], ["--full"]):
        script = REPOSITORY / "scripts" / "check_wheel.py"
        _run(sys.executable, script, *flags, "--keep", DIST)


def checksums() -> None:
    """Write SHA-256 sums of everything in `dist/`."""
    files = sorted(each for each in DIST.iterdir() if each.name != "SHA256SUMS")
    lines = [f"{hashlib.sha256(each.read_bytes()).hexdigest()}  {each.name}" for each in files]
    (DIST / "SHA256SUMS").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


def _run(*command: str | Path) -> None:
    if subprocess.run(command, check=False, cwd=REPOSITORY).returncode:
        raise SystemExit(f"failed: {' '.join(map(str, command))}")


def _output(*command: str | Path) -> str:
    done = subprocess.run(command, check=False, cwd=REPOSITORY, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"failed: {' '.join(map(str, command))}\n{done.stderr}")
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
