"""What a record says of the program, the machine and the models."""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from typing import Any

from pipeline.build import Stages
from pipeline.version import __version__
from reid_model.installation import installed_version

__all__ = ["made_with", "now"]

RECORDED_PACKAGES = (
    "torch",
    "openvino",
    "ultralytics",
    "av",
    "opencv-python",
    "opencv-python-headless",
    "numpy",
)
"""Those of them that are installed."""


def made_with(stages: Stages) -> dict[str, Any]:
    """Return the versions, the moment, and what the settings came to on this machine."""
    return {
        "versions": {
            "reid-pipeline": __version__,
            "python": platform.python_version(),
            **{
                name: version
                for name in RECORDED_PACKAGES
                if (version := installed_version(name)) is not None
            },
        },
        "started": now(),
        "weights_sha256": stages.weights_sha256,
        "resolved": {
            "device": stages.device,
            "detector": stages.detector,
            "embedder": stages.embedder,
            "threshold": stages.threshold,
        },
    }


def now() -> str:
    """Return this moment as ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
