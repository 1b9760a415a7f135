"""Show that an archive is the same from every engine and after every kill, and what it takes.

    python scripts/experiments/prove_archives.py ../shared/data/scenes/val_b [--detector MODEL] [--kills 10]

The videos of a scene are cut into three files each and processed by `reid-pipeline batch`: by
every engine; again and again with `kill -9` at a random moment, followed by the same command;
and three, six and more of them at a time for the memory. Prints Markdown; exit code 1 where two
archives differ in one byte of one table.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av

from pipeline.datatypes import Frame
from pipeline.sources import VideoFile

BEGIN = datetime(2026, 1, 5, 23, 59, 30, tzinfo=UTC)
"""Shortly before midnight, so that the archive has two days."""
NAME = "%Y%m%d_%H%M%S"
FILES_OF_CAMERA = 3
KEY_FRAMES = 10
CHUNK_S = "2"
ENGINES = {
    "one process": ["--engine", "process"],
    "two processes": ["--engine", "processes", "--workers", "2"],
    "Ray, two workers": ["--engine", "ray", "--workers", "2"],
}


def main() -> int:
    """Prove it all; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scene", type=Path, help="folder of one video per camera")
    parser.add_argument("--detector", help="as for batch; none = built-in")
    parser.add_argument("--file-s", type=float, default=10.0, help="length of a file, seconds")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parts = ["engines", "kills", "memory"]
    parser.add_argument("--parts", nargs="+", choices=parts, default=parts)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        work = Path(place)
        footage = cut_scene(given.scene, work / "footage", file_s=given.file_s)
        flags = ["--chunk-s", CHUNK_S]
        flags += [] if given.detector is None else ["--detector", given.detector]
        same = True
        if {"engines", "kills"} & set(given.parts):
            engines = list(ENGINES) if "engines" in given.parts else list(ENGINES)[:1]
            first, seconds, same = compare_engines(footage, work, flags, engines)
        if "kills" in given.parts:
            same &= kill(footage, work, flags, first, seconds, kills=given.kills, seed=given.seed)
        if "memory" in given.parts:
            measure_memory(footage, work, flags)
    return 0 if same else 1


def cut_scene(scene: Path, folder: Path, *, file_s: float) -> Path:
    """Write ``CAMERA/START.mp4``, three of each video, with a key frame every second."""
    for video in sorted(scene.glob("*.mp4")):
        (folder / video.stem).mkdir(parents=True)
        frames = iter(VideoFile(video.stem, video))
        for number in range(FILES_OF_CAMERA):
            start = BEGIN + timedelta(seconds=number * file_s)
            path = folder / video.stem / f"{start:{NAME}}.mp4"
            write(path, until(frames, (number + 1) * file_s))
    return folder


def until(frames: Iterator[Frame], end_s: float) -> Iterator[Frame]:
    """Yield frames up to a time, the frame that reaches it included."""
    for frame in frames:
        yield frame
        if frame.time_s >= end_s - 0.15:
            return


def write(path: Path, frames: Iterator[Frame]) -> None:
    """Encode frames at ten a second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"crf": "20"})
        stream.codec_context.gop_size = KEY_FRAMES
        for frame in frames:
            if not container.streams.video[0].codec_context.is_open:
                stream.height, stream.width = frame.image.shape[:2]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame.image, format="bgr24")))
        container.mux(stream.encode())


def compare_engines(
    footage: Path, work: Path, flags: Sequence[str], names: Sequence[str]
) -> tuple[Path, float, bool]:
    """Process the footage by several engines; return the first archive, its seconds, if all agree."""
    print("| engine | wall time, models loaded | identities | all tables |\n|---|---|---|---|")
    first, first_s, all_same = work / names[0], 0.0, True
    for name in names:
        out = work / name
        seconds, _ = batch(footage, out, [*flags, *ENGINES[name]])
        first_s = first_s or seconds
        is_same = contents(out) == contents(first)
        all_same &= is_same
        told = "-" if out == first else "the same bytes" if is_same else "DIFFERENT"
        print(f"| {name} | {seconds:.0f} s | {people(out)} | {told} |", flush=True)
    return first, first_s, all_same


def kill(
    footage: Path,
    work: Path,
    flags: Sequence[str],
    undisturbed: Path,
    seconds: float,
    *,
    kills: int,
    seed: int,
) -> bool:
    """Kill the command at random moments, call it again, and compare; return if all agree."""
    print("\n| kill -9 | engine | after | files finished by then | result |\n|---|---|---|---|---|")
    rng, all_same = random.Random(seed), True
    for number in range(kills):
        name = list(ENGINES)[number % len(ENGINES)]
        out, command = work / f"killed-{number}", [*flags, *ENGINES[name]]
        moment = rng.uniform(0, seconds)
        process = start(footage, out, command)
        time.sleep(moment)
        process.kill()
        process.wait()
        finished = len(list((out / "work").glob("*.json")))
        batch(footage, out, command)
        is_same = contents(out) == contents(undisturbed)
        all_same &= is_same
        told = "the same bytes" if is_same else "DIFFERENT"
        print(f"| {number + 1} | {name} | {moment:.1f} s | {finished} | {told} |", flush=True)
        shutil.rmtree(out)
    return all_same


def measure_memory(footage: Path, work: Path, flags: Sequence[str]) -> None:
    """Tell the peak memory of more and more files."""
    files = sorted(footage.rglob("*.mp4"), key=lambda path: (path.name, path.parent.name))
    print("\n| files | peak memory of the one process |\n|---|---|")
    for count in (3, 6, len(files), 2 * len(files)):
        folder = work / f"footage-{count}"
        for number in range(count):
            source, days = files[number % len(files)], 2 * (number // len(files))
            began = datetime.strptime(source.stem, NAME) + timedelta(days=days)
            target = folder / source.parent.name / f"{began:{NAME}}.mp4"
            target.parent.mkdir(parents=True, exist_ok=True)
            os.link(source, target)
        _, kilobytes = batch(folder, work / f"memory-{count}", flags)
        print(f"| {count} | {kilobytes / 1024:.0f} MB |", flush=True)


def start(footage: Path, out: Path, flags: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start the command, as a shell would."""
    program = [sys.executable, "-m", "pipeline", "batch", str(footage), "--out", str(out)]
    with (out.with_suffix(".log")).open("ab") as log:
        return subprocess.Popen([*program, *flags], stdout=log, stderr=log)


def batch(footage: Path, out: Path, flags: Sequence[str]) -> tuple[float, int]:
    """Run the command to its end; return its seconds, and its own peak memory in kilobytes."""
    began = time.perf_counter()
    process = start(footage, out, flags)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(out.with_suffix(".log").read_text())
    return time.perf_counter() - began, usage.ru_maxrss


def contents(out: Path) -> dict[str, bytes]:
    """Return all tables, byte for byte."""
    return {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*.parquet")}


def people(out: Path) -> int:
    """Return how many identities there are."""
    return int(json.loads((out / "archive.json").read_text())["identities"])


if __name__ == "__main__":
    sys.exit(main())
