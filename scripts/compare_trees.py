"""Run the commands of the README with two checkouts and compare all that they write, byte for byte.

python scripts/compare_trees.py --before ../main --after . --out runs/compared

Both sides read the same footage, in folders that look alike to them. What a command prints is
compared, too, and its exit code; of video, what it shows. Left out by rule (``VARYING``, ``VARYING_TEXT``) are moments of writing, durations and
versions; live runs are left out wholly, as their results depend on the speed of the machine. Ends
with 1 where anything differs, and names it.
"""

from __future__ import annotations

import argparse
import difflib
import itertools
import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np

REPOSITORY = Path(__file__).resolve().parents[1]
SIDES = ("before", "after")
SHOWN_LINES = 6
VARYING = {"finished", "seconds", "started", "version", "versions"}
"""Keys of JSON whose values no two runs have in common."""
VERSION = re.compile(rb"\b\d+\.\d+(\.\w+)+\S*|\b[0-9a-f]{40}\b")
VARYING_TEXT = (
    ("*.html", re.compile(rb"<dt>time for .*?</dd>|started [\d-]+ [\d:]+ UTC")),
    ("*.html", VERSION),
    ("edits.jsonl", re.compile(rb'"time": ?[^,}]*')),
    ("printed/*", re.compile(rb"\b\d+(\.\d+)? ?(ms|s|seconds|minutes|frames/s|fps)\b")),
    ("printed/*", VERSION),
)
"""The same for other files, by patterns of their names."""
CLEARLY, MAX_CLEAR_SHARE = 80, 1e-4
"""Grey levels by which pixels of two frames differ clearly, and the share of those that may: x264
with several threads does not write the same bytes each time, and its noise stays below."""
LOGGED = "printed"
"""Folder of what commands print; see ``VARYING_TEXT``."""

# A name that begins with @ is the first file that the pattern behind it finds.
VIDEO_STEPS = """
pipeline config
pipeline info
pipeline run --cams {videos} --out runs/demo
pipeline report runs/demo
pipeline evaluate runs/demo --ground-truth {truth} --json scores.json --out mistakes
pipeline search runs/demo --identity 1 --json identity.json --html identity.html
pipeline search runs/demo --image @runs/demo/gallery/0002/*.jpg --top 5 --json image.json
pipeline search runs/demo --video {video} --at 12.5 --box 410,180,60,170 --json box.json
pipeline export runs/demo --format mot --out mot
pipeline export runs/demo --format coco --out coco
pipeline export runs/demo --format csv --out csv
pipeline edit runs/demo rename 1 Anna
pipeline edit runs/demo merge 1 2
pipeline edit runs/demo show 1
pipeline export runs/demo --format csv --out csv-edited
pipeline edit runs/demo undo
pipeline forget runs/demo --identity 3 --yes
pipeline run --cams {folder} --no-video --no-resolve --blur-faces --max-seconds 8 --out runs/short
pipeline run --cams {folder} --no-video --max-seconds 8 --gallery people.npz --out runs/known
pipeline run --cams {folder} --no-video --max-seconds 8 --gallery people.npz --out runs/again
pipeline run --cams {folder} --no-video --detections {truth} --batch-size 3 --out runs/saved
pipeline evaluate runs/saved --ground-truth {truth} --json saved.json
"""
ARCHIVE_STEPS = """
pipeline batch footage --out archive --plan
pipeline batch footage --out archive --engine processes --workers 2
pipeline report archive
pipeline search archive --identity 1 --since 2026-01-05T08:00 --html found.html --json found.json
pipeline export archive --format coco --out coco-archive
pipeline edit archive merge 1 2
pipeline batch footage --out archive
pipeline export archive --format csv --out csv-archive
pipeline forget archive --identity 1 --yes
pipeline prune archive --keep-days 30 --yes
"""
NETWORK_STEPS = """
pipeline crops {video} --out crops --every 2
pipeline calibrate market --weights {weights} --false-match-rate 0.5 --json calibration.json
reid_model evaluate --data market --json network.json
reid_model show neighbours --data market --out neighbours.png
reid_model export --format onnx --out exported
reid_model describe @exported/*.onnx --data market
"""
SCENE_STEPS = """
pipeline run --cams {folder} --no-video --out runs/scene
pipeline evaluate runs/scene --ground-truth {truth} --json scores.json
pipeline export runs/scene --format mot --out mot
"""


def main() -> int:
    """Run everything; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path, required=True, help="the one checkout")
    parser.add_argument("--after", type=Path, required=True, help="the other")
    parser.add_argument("--out", type=Path, required=True, help="new folder for what is written")
    parser.add_argument(
        "--scene", type=Path, action="append", default=[], help="further folder of videos and truth"
    )
    parser.add_argument("--only", default="", help="only commands that hold this text")
    given = parser.parse_args()
    given.out.mkdir(parents=True)
    trees = dict(zip(SIDES, (given.before.resolve(), given.after.resolve()), strict=True))
    found = 0
    sample = REPOSITORY / "sample_videos"
    steps = VIDEO_STEPS + ARCHIVE_STEPS + NETWORK_STEPS
    for footage, commands in [(sample, steps), *((each, SCENE_STEPS) for each in given.scene)]:
        out = given.out.resolve() / footage.name
        chosen = [each for each in commands.splitlines() if each and given.only in each]
        run_all(trees, out, footage.resolve(), chosen)
        differences = list(compare(*(out / side for side in SIDES), trees=trees.values()))
        print("\n".join(differences))
        found += len(differences)
    print(f"{found} differences")
    return min(found, 1)


def run_all(trees: dict[str, Path], out: Path, footage: Path, commands: Iterable[str]) -> None:
    """Run each command with both trees, one after the other, in ``out/before`` and ``out/after``."""
    videos = sorted(footage.glob("*.mp4"))
    words = {
        "folder": str(footage),
        "truth": str(footage / "ground_truth.csv"),
        "video": str(videos[-1]),
        "weights": str(next((REPOSITORY / "reid_model" / "weights").glob("reid_*.safetensors"))),
    }
    for side in SIDES:
        (out / side / LOGGED).mkdir(parents=True)
        (out / side / "footage").mkdir()
        for video in videos:
            (out / side / "footage" / f"{video.stem}_20260105_080000.mp4").symlink_to(video)
    for number, command in enumerate(commands):
        for side in SIDES:
            arguments: list[str] = []
            for word in shlex.split(command):
                if word == "{videos}":
                    arguments += map(str, videos)
                elif word.startswith("@"):
                    arguments.append(_first(out / side, word[1:]))
                else:
                    arguments.append(word.format(**words))
            if "market" in arguments and not (out / side / "market").exists():
                _name_crops(out / side)
            begun_s = time.monotonic()
            code = _run(trees[side], out / side, f"{number:02d}-{arguments[1]}", arguments)
            print(
                f"{side}: {time.monotonic() - begun_s:5.1f} s, exit {code}: {command}", flush=True
            )


def _run(tree: Path, folder: Path, name: str, arguments: list[str]) -> int:
    environment = {**os.environ, "PYTHONPATH": str(tree), "CI": "true", "COLUMNS": "160"}
    ended = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    printed = folder / LOGGED / name
    printed.with_suffix(".txt").write_bytes(ended.stdout + f"exit {ended.returncode}\n".encode())
    # Progress and its rates differ each time; what a failure says is worth comparing.
    if ended.returncode:
        printed.with_suffix(".error.txt").write_bytes(ended.stderr)
    return ended.returncode


def _first(folder: Path, pattern: str) -> str:
    found = sorted(folder.glob(pattern))
    return str(found[0].relative_to(folder)) if found else pattern


def _name_crops(folder: Path) -> None:
    """Copy the gallery of the first run under Market-1501 names, by identity and camera."""
    crops = sorted((folder / "runs" / "demo" / "gallery").glob("*/*.jpg"))
    cameras = sorted({each.name.rsplit("_", 2)[0] for each in crops})
    (folder / "market").mkdir()
    for number, crop in enumerate(crops):
        camera = cameras.index(crop.name.rsplit("_", 2)[0]) + 1
        name = f"{int(crop.parent.name):04d}_c{camera}s1_{number:06d}_00.jpg"
        (folder / "market" / name).write_bytes(crop.read_bytes())


def compare(before: Path, after: Path, *, trees: Iterable[Path] = ()) -> Iterator[str]:
    """Yield a description of each file that two folders do not have alike, in order of names."""
    files = {side: _files(folder) for side, folder in zip(SIDES, (before, after), strict=True)}
    for name in sorted(set(files["before"]) | set(files["after"])):
        first, second = (files[side].get(name) for side in SIDES)
        if first is None or second is None:
            yield f"{name}: only {SIDES[first is None]}"
            continue
        if first.suffix == ".mp4":
            if not _look_alike(first, second):
                yield f"{name}: other pictures, sizes or times"
            continue
        if first.suffix == ".onnx":  # holds traces of the code that exported it
            continue
        one, other = _content(first), _content(second)
        for place in (before, after, *trees):
            one, other = (each.replace(str(place).encode(), b"#") for each in (one, other))
        if one != other:
            yield f"{name}: {_difference(one, other)}"


def _files(folder: Path) -> dict[str, Path]:
    found = {str(p.relative_to(folder)): p for p in folder.rglob("*") if not p.is_symlink()}
    return {name: path for name, path in found.items() if path.is_file()}


def _look_alike(*videos: Path) -> bool:
    """Return whether frames have the same times and sizes, and look the same."""
    with av.open(videos[0]) as one, av.open(videos[1]) as other:
        for a, b in itertools.zip_longest(one.decode(video=0), other.decode(video=0)):
            if a is None or b is None or (a.pts, a.width, a.height) != (b.pts, b.width, b.height):
                return False
            pixels = (frame.to_ndarray(format="gray").astype(np.int16) for frame in (a, b))
            if (np.abs(np.subtract(*pixels)) > CLEARLY).mean() > MAX_CLEAR_SHARE:
                return False
    return True


def _content(path: Path) -> bytes:
    """Return a file without what no two runs have in common."""
    content = path.read_bytes()
    if path.suffix == ".json":
        return json.dumps(_without(json.loads(content)), indent=1, sort_keys=True).encode()
    for pattern, moving in VARYING_TEXT:
        if path.match(pattern):
            content = moving.sub(b"#", content)
    if path.suffix == ".npz":  # a ZIP file with times
        with np.load(path, allow_pickle=False) as arrays:
            return b"".join(name.encode() + arrays[name].tobytes() for name in sorted(arrays))
    return content


def _without(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _without(value) for key, value in tree.items() if key not in VARYING}
    return [_without(each) for each in tree] if isinstance(tree, list) else tree


def _difference(one: bytes, other: bytes) -> str:
    sizes = f"{len(one):,} and {len(other):,} bytes"
    try:
        before, after = one.decode().splitlines(), other.decode().splitlines()
    except UnicodeDecodeError:
        return sizes
    changed = [
        line[:200]
        for line in difflib.unified_diff(before, after, lineterm="", n=0)
        if not line.startswith(("---", "+++", "@@"))
    ]
    more = f"\n    and {len(changed) - SHOWN_LINES} lines more" * (len(changed) > SHOWN_LINES)
    return "\n    ".join([sizes, *changed[:SHOWN_LINES]]) + more


if __name__ == "__main__":
    sys.exit(main())
