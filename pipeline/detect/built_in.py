"""The person detector that comes with the package."""

from __future__ import annotations

from pathlib import Path

__all__ = ["FOLDER", "NAME", "built_in_detector"]

FOLDER = Path(__file__).with_name("weights")
NAME = "person_detector"


def built_in_detector(device: str) -> Path:
    """Return the package's own weights in the form that is fastest on a device.

    Args:
        device: As torch names it. OpenVINO on a CPU, torch everywhere else.
    """
    return FOLDER / (f"{NAME}_openvino_model" if device == "cpu" else f"{NAME}.safetensors")
