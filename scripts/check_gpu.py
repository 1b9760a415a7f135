"""Whether a GPU does what it should: same identities as a CPU, and how fast, in under 8 minutes.

    python scripts/check_gpu.py [--out FILE.json] [--device cuda:0] [--seconds 1.5]

Parts that cannot be done say why and leave the others alone: without the package ultralytics there
is no detector on a GPU, without torchcodec or PyNvVideoCodec no decoding on the card. Nothing is
downloaded. The exit code is 1 where identities, boxes or vectors are not those of a CPU.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable
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
    "ultralytics",
    "opencv-python",
    "opencv-python-headless",
    "onnxruntime",
    "onnxruntime-gpu",
    "torchcodec",
    "PyNvVideoCodec",
    "numpy",
)
BUDGET_S = 420.0
"""Parts that begin later are left out, so that the whole stays under 8 minutes."""

Part = Callable[[], Any]


def machine(device: torch.device) -> dict[str, Any]:
    """Return the card, and the versions of what runs on it."""
    versions = {}
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


def parts(device: torch.device, seconds: float) -> dict[str, Part]:
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

        return streams_at_once(device, 2 * seconds, budget_s=120.0)

    def crops() -> Any:
        from gpu_checks.embedding import crops_a_second  # noqa: PLC0415

        return crops_a_second(device, seconds)

    def training() -> Any:
        from gpu_checks.embedding import training_images_a_second  # noqa: PLC0415

        return training_images_a_second(device, 2 * seconds)

    def decoding() -> Any:
        from gpu_checks.decoding import frames_decoded_a_second  # noqa: PLC0415

        return frames_decoded_a_second(device, REPOSITORY / "sample_videos" / "lobby.mp4")

    return {
        "vectors as on a CPU": vectors,
        "identities as on a CPU": identities,
        "boxes as on a CPU": detections,
        "streams of 1080p": streams,
        "crops a second": crops,
        "training": training,
        "decoding on the card": decoding,
    }


def measured(wanted: dict[str, Part], *, budget_s: float = BUDGET_S) -> dict[str, Any]:
    """Do the parts in order; return what each found, or ``skipped`` and why.

    Args:
        wanted: What to do, by name.
        budget_s: Parts that would begin later are left out.
    """
    began = time.perf_counter()
    found: dict[str, Any] = {}
    for name, part in wanted.items():
        started = time.perf_counter()
        if started - began > budget_s:
            found[name] = {"skipped": "no time left"}
            continue
        try:
            result = part()
        # One part that fails, for whatever reason, must not cost the others.
        except Exception as error:
            text = " ".join(str(error).split())[:300]
            result = {"skipped": f"{type(error).__name__}: {text}"}
        found[name] = {"seconds": round(time.perf_counter() - started, 1), "found": result}
        print(f"{name}: {json.dumps(found[name])}", flush=True)
    return found


def failures(found: dict[str, Any]) -> list[str]:
    """Return the names of parts in which something is not as on a CPU."""
    bad = []
    for name, part in found.items():
        results = part.get("found", [])
        rows = results if isinstance(results, list) else [results]
        if any(row.get("ok") is False for row in rows):
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
    parser.add_argument("--out", type=Path, help="write everything here as JSON")
    parser.add_argument("--device", default="cuda:0", help="cpu tries the script itself")
    parser.add_argument("--seconds", type=float, default=1.5, help="for each rate")
    options = parser.parse_args()
    device = torch.device(options.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        print(
            "error: torch sees no CUDA device: check the driver, or --device cpu", file=sys.stderr
        )
        return 2
    about = machine(device)
    print(json.dumps(about), flush=True)
    found = measured(parts(device, options.seconds))
    print(as_table(found))
    if options.out:
        content = {"machine": about, "parts": found}
        options.out.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    bad = failures(found)
    if bad:
        print(f"error: not as on a CPU: {', '.join(bad)}", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
