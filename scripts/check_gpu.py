"""Whether a GPU does what it should: same identities as a CPU, and how fast, in under 8 minutes.

    python scripts/check_gpu.py [--out FILE.json] [--device cuda:0] [--seconds 1.5] [--budget 440]

Every part has a process and a time of its own, so one that crashes, hangs or lacks a package says so
and leaves the others alone. What is known by then is in the file after each part. Nothing is
downloaded. The exit code is 0 only where identities, boxes, pixels and vectors were compared with those
of a CPU, and are the same.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))  # also where nothing was installed

import torch  # noqa: E402

PACKAGES = (
    "torch",
    "torchvision",
    "timm",
    "opencv-python",
    "opencv-python-headless",
    "av",
    "openvino",
    "ultralytics",
    "numpy",
)
BUDGET_S = 440.0
"""No part may go on for longer than this from the start, so that the whole stays under 8 minutes."""
PART_SHARE = 3 / 11
"""Nor for longer than this share of it by itself."""
COMPARED = " as on a CPU"
"""Ends the names of parts that compare."""

Part = Callable[[float], Any]
"""Gets the seconds that it may take."""


def machine(device: torch.device) -> dict[str, Any]:
    """Return the card, and the versions of what runs on it."""
    versions: dict[str, str | None] = {}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = None
    found: dict[str, Any] = {
        "device": str(device),
        "cpus": os.cpu_count(),
        "python": platform.python_version(),
        "packages": versions,
    }
    if device.type == "cuda":
        about = torch.cuda.get_device_properties(device)
        found |= {
            "card": about.name,
            "memory_mb": about.total_memory // 2**20,
            "cuda": torch.version.cuda,
        }
    return found


def parts(
    device: torch.device, seconds: float, *, budget_s: float = BUDGET_S
) -> dict[str, Callable[[], Any]]:
    """Return what is measured, by name, what matters most first; each imports what it needs."""

    def vectors() -> Any:
        from gpu_checks.embedding import compare_vectors  # noqa: PLC0415

        return compare_vectors(device)

    def identities() -> Any:
        from gpu_checks.pipelines import compare_identities  # noqa: PLC0415

        return compare_identities(device)

    def detections() -> Any:
        from gpu_checks.pipelines import compare_detections  # noqa: PLC0415

        return compare_detections(device, seconds)

    def streams() -> Any:
        from gpu_checks.pipelines import streams_at_once  # noqa: PLC0415

        return streams_at_once(device, 2 * seconds, budget_s=0.6 * PART_SHARE * budget_s)

    def pixels() -> Any:
        from gpu_checks.decoding import compare_pixels  # noqa: PLC0415

        return compare_pixels(device)

    def files() -> Any:
        from gpu_checks.decoding import files_at_once  # noqa: PLC0415

        return files_at_once(device, budget_s=0.5 * PART_SHARE * budget_s)

    def crops() -> Any:
        from gpu_checks.embedding import crops_a_second  # noqa: PLC0415

        return crops_a_second(device, seconds)

    def training() -> Any:
        from gpu_checks.embedding import training_images_a_second  # noqa: PLC0415

        return training_images_a_second(device, 2 * seconds)

    on_a_card = {"pixels" + COMPARED: pixels} if device.type == "cuda" else {}
    return {
        "vectors" + COMPARED: vectors,
        "identities" + COMPARED: identities,
        "boxes" + COMPARED: detections,
        "streams of 1080p": streams,
        **on_a_card,
        "files of 1080p": files,
        "crops a second": crops,
        "training": training,
    }


def done(part: Callable[[], Any]) -> Any:
    """Return what a part found, or ``skipped`` and why."""
    try:
        return part()
    # One that fails, for whatever reason, must not cost the others.
    except Exception as error:
        text = " ".join(str(error).split())[:300]
        return {"skipped": f"{type(error).__name__}: {text}"}


def done_apart(options: argparse.Namespace, name: str, limit_s: float) -> Any:
    """Return what a part found in a process of its own, which ends after ``limit_s`` seconds."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "found.json"
        command = [sys.executable, __file__, "--part", name, "--out", str(out)]
        command += ["--device", options.device, "--seconds", str(options.seconds)]
        command += ["--budget", str(options.budget)]
        try:
            code = subprocess.run(command, timeout=limit_s, check=False).returncode
        except subprocess.TimeoutExpired:
            return {"skipped": f"not done after {limit_s:.0f} s"}
        if not out.exists():
            return {"skipped": f"it died with exit code {code}"}
        return json.loads(out.read_text(encoding="utf-8"))


def measured(
    wanted: dict[str, Part], *, keep: Callable[[dict[str, Any]], None], budget_s: float = BUDGET_S
) -> dict[str, Any]:
    """Do the parts in order; return what each found, or ``skipped`` and why.

    Args:
        wanted: What to do, by name.
        keep: Gets everything that is known, after each part.
        budget_s: What all of them may take, seconds.
    """
    began = time.perf_counter()
    found: dict[str, Any] = {}
    for name, part in wanted.items():
        started = time.perf_counter()
        left_s = budget_s - (started - began)
        if left_s <= 0:
            found[name] = {"skipped": "no time left"}
        else:
            result = part(min(PART_SHARE * budget_s, left_s))
            found[name] = {"seconds": round(time.perf_counter() - started, 1), "found": result}
        print(f"{name}: {json.dumps(found[name])}", flush=True)
        keep(found)
    return found


def failures(found: dict[str, Any]) -> list[str]:
    """Return the names of parts in which something is not as on a CPU, or nothing was compared."""
    bad = []
    for name, part in found.items():
        results = part.get("found", [])
        rows = results if isinstance(results, list) else [results]
        verdicts = [row["ok"] for row in rows if "ok" in row]
        if not all(verdicts) or (name.endswith(COMPARED) and not verdicts):
            bad.append(name)
    return bad


def as_table(found: dict[str, Any]) -> str:
    """Return all that was found as Markdown tables."""
    lines = []
    for name, part in found.items():
        results = part.get("found", part)
        rows = results if isinstance(results, list) else [results]
        columns = list(dict.fromkeys(key for row in rows for key in row))
        lines += [
            "",
            f"### {name}",
            "",
            "| " + " | ".join(columns) + " |",
            "|---" * len(columns) + "|",
        ]
        lines += [
            "| " + " | ".join(str(row.get(key, "")) for key in columns) + " |" for row in rows
        ]
    return "\n".join(lines)


def main() -> int:
    """Measure, print, write; return 1 where something is not as on a CPU."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, help="write everything here as JSON, after each part")
    parser.add_argument("--device", default="cuda:0", help="cpu tries the script itself")
    parser.add_argument("--seconds", type=float, default=1.5, help="for each rate")
    parser.add_argument(
        "--budget",
        type=float,
        default=BUDGET_S,
        help="seconds for all of it; more on slow machines",
    )
    parser.add_argument("--part", help="do this one alone, here")
    options = parser.parse_args()
    device = torch.device(options.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        print(
            "error: torch sees no CUDA device: check the driver, or --device cpu", file=sys.stderr
        )
        return 2
    wanted = parts(device, options.seconds, budget_s=options.budget)

    def write(content: Any) -> None:
        if options.out:
            options.out.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")

    if options.part is not None:
        write(done(wanted[options.part]))
        return 0
    about = machine(device)
    print(json.dumps(about), flush=True)
    found = measured(
        {name: partial(done_apart, options, name) for name in wanted},
        keep=lambda so_far: write({"machine": about, "parts": so_far}),
        budget_s=options.budget,
    )
    print(as_table(found))
    bad = failures(found)
    if bad:
        print(f"error: not the same, or not compared: {', '.join(bad)}", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
